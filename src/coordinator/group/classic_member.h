// One member of a classic group.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "coordinator/runtime/reply.h"
#include "coordinator/runtime/timers.h"
#include "protocol/api/join_group.h"
#include "protocol/api/sync_group.h"

namespace arus::coordinator {

class ClassicGroup;

// A way of assigning that a member can take part in, and what it tells the leader for it: opaque
// to the broker, but for the topics in it where the group's protocol type is "consumer".
struct ClassicProtocol {
  std::string name;
  Slice metadata;
  friend bool operator==(const ClassicProtocol&, const ClassicProtocol&) = default;
};

// Bytes that pin nothing else, in one allocation of just their size: members stay long.
[[nodiscard]] Slice own_copy(ByteView bytes);

// The protocols of a request, in its order of preference, with bytes of their own: those of the
// request are slices of its frame. A name that comes again is left out.
[[nodiscard]] std::vector<ClassicProtocol> classic_protocols(
    const std::vector<protocol::JoinGroupRequest::JoinGroupRequestProtocol>& offered);

// What makes a member. Times in milliseconds.
struct ClassicMemberParts {
  std::string member_id;
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  std::int32_t rebalance_timeout_ms = 0;
  std::int32_t session_timeout_ms = 0;
  std::vector<ClassicProtocol> protocols;
  Slice assignment;
};

// The session of a member is the timer that it is; it fires when the member was silent for too
// long. Owner: its group; it stays where it is while it is a member.
class ClassicMember final : public Timer {
 public:
  ClassicMember(ClassicGroup& group, ClassicMemberParts parts);
  ~ClassicMember() override = default;

  [[nodiscard]] const std::string& id() const { return parts_.member_id; }
  [[nodiscard]] const std::optional<std::string>& instance_id() const { return parts_.instance_id; }
  [[nodiscard]] bool is_static() const { return parts_.instance_id.has_value(); }
  [[nodiscard]] const std::string& client_id() const { return parts_.client_id; }
  [[nodiscard]] const std::string& client_host() const { return parts_.client_host; }
  [[nodiscard]] std::int32_t rebalance_timeout_ms() const { return parts_.rebalance_timeout_ms; }
  [[nodiscard]] std::int32_t session_timeout_ms() const { return parts_.session_timeout_ms; }
  [[nodiscard]] const std::vector<ClassicProtocol>& protocols() const { return parts_.protocols; }
  // Empty between rebalances and where the leader gave nothing.
  [[nodiscard]] const Slice& assignment() const { return parts_.assignment; }
  // For the protocol of this name; empty where the member does not offer it.
  [[nodiscard]] Slice metadata(std::string_view protocol) const;
  // All of it, as it is now.
  [[nodiscard]] const ClassicMemberParts& parts() const { return parts_; }

  // A JoinGroup or a SyncGroup that is not answered yet.
  [[nodiscard]] bool awaits_join() const { return join_.waits(); }
  [[nodiscard]] bool awaits_sync() const { return sync_.waits(); }
  // It has joined and not yet been told its id: it cannot send heartbeats.
  [[nodiscard]] bool is_new() const { return is_new_; }
  // It knows of this generation and has not asked for its assignment yet.
  [[nodiscard]] bool owes_sync() const { return owes_sync_; }
  // What it costs in memory, roughly, without its assignment.
  [[nodiscard]] std::size_t held_bytes() const;

  void fire(Turn& turn) override;

 private:
  friend class ClassicGroup;

  ClassicGroup& group_;
  ClassicMemberParts parts_;
  Reply<protocol::JoinGroupResponse> join_;
  Reply<protocol::SyncGroupResponse> sync_;
  bool is_new_ = false;
  bool owes_sync_ = false;
};

}  // namespace arus::coordinator
