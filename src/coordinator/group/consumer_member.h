// One member of a consumer group.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/group/partition_set.h"
#include "coordinator/runtime/timers.h"
#include "protocol/record/consumer_group_member_metadata_value.h"

namespace arus::coordinator {

class ConsumerGroup;

// The numbers are those of ConsumerGroupCurrentMemberAssignment.
enum class MemberState : std::int8_t {
  // Has all that it may have in its epoch.
  stable = 0,
  // Has been told to give partitions up, and has not said yet that it did.
  unrevoked_partitions = 1,
  // Is in the epoch of the target, and waits for partitions that others have not given up yet.
  unreleased_partitions = 2,
  // Written by a version that knows more states.
  unknown = 127,
};

// Epochs that members say instead of their own.
inline constexpr std::int32_t joining_epoch = 0;
inline constexpr std::int32_t leaving_epoch = -1;
inline constexpr std::int32_t static_leaving_epoch = -2;

// What a member says about itself (ConsumerGroupMemberMetadata). Times in milliseconds.
struct MemberMetadata {
  using Classic = protocol::ConsumerGroupMemberMetadataValue::ClassicMemberMetadata;

  std::optional<std::string> instance_id;
  std::optional<std::string> rack_id;
  std::string client_id;
  std::string client_host;
  std::vector<std::string> topic_names;  // ascending, each once
  std::string topic_regex;               // empty: none
  std::int32_t rebalance_timeout_ms = -1;
  std::optional<std::string> server_assignor;
  // Of members that speak the classic protocol.
  std::optional<Classic> classic;
  friend bool operator==(const MemberMetadata&, const MemberMetadata&) = default;
};

// Where a member is on its way to its target (ConsumerGroupCurrentMemberAssignment). A partition is
// in at most one of both sets.
struct CurrentAssignment {
  std::int32_t epoch = 0;
  std::int32_t previous_epoch = 0;
  MemberState state = MemberState::stable;
  OwnedPartitions assigned;
  OwnedPartitions pending_revocation;
  friend bool operator==(const CurrentAssignment&, const CurrentAssignment&) = default;

  // Nothing is left to do towards a target of this epoch.
  [[nodiscard]] bool reconciled_to(std::int32_t target_epoch) const {
    return state == MemberState::stable && epoch == target_epoch;
  }
};

struct ConsumerMemberParts {
  std::string id;
  MemberMetadata metadata;
  CurrentAssignment current;
  friend bool operator==(const ConsumerMemberParts&, const ConsumerMemberParts&) = default;
};

// Stays where it is while it is a member. Its timers are soft state. Owner: its group.
class ConsumerMember {
 public:
  ConsumerMember(ConsumerGroup& group, std::string id)
      : session_(*this, MemberTimer::Kind::session),
        rebalance_(*this, MemberTimer::Kind::rebalance),
        sync_(*this, MemberTimer::Kind::sync),
        group_(group) {
    parts_.id = std::move(id);
  }

  [[nodiscard]] const std::string& id() const { return parts_.id; }
  [[nodiscard]] const MemberMetadata& metadata() const { return parts_.metadata; }
  [[nodiscard]] const CurrentAssignment& current() const { return parts_.current; }
  [[nodiscard]] const ConsumerMemberParts& parts() const { return parts_; }
  [[nodiscard]] bool uses_classic_protocol() const { return parts_.metadata.classic.has_value(); }
  [[nodiscard]] ConsumerGroup& group() const { return group_; }

  // Fires when the member was silent for too long.
  [[nodiscard]] Timer& session() { return session_; }
  // Fires when it has not given up partitions in time or, for members that speak the classic
  // protocol, has not joined again.
  [[nodiscard]] Timer& rebalance() { return rebalance_; }
  // Fires when a classic member has not asked for its assignment in time.
  [[nodiscard]] Timer& sync() { return sync_; }
  // When session() fires.
  [[nodiscard]] env::TimePoint session_end() const { return session_end_; }
  // The epoch in which rebalance() was armed.
  std::int32_t rebalance_epoch = -1;

 private:
  friend class ConsumerGroup;

  class MemberTimer final : public Timer {
   public:
    enum class Kind : std::uint8_t { session, rebalance, sync };
    MemberTimer(ConsumerMember& member, Kind kind) : member_(member), kind_(kind) {}
    void fire(Turn& turn) override;

   private:
    ConsumerMember& member_;
    Kind kind_;
  };

  MemberTimer session_;
  MemberTimer rebalance_;
  MemberTimer sync_;
  ConsumerGroup& group_;
  ConsumerMemberParts parts_;
  env::TimePoint session_end_{};
  // Its place among those of its group that were heard.
  std::optional<std::list<const ConsumerMember*>::iterator> heard_;
};

}  // namespace arus::coordinator
