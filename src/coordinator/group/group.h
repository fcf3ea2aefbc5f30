// What all kinds of groups have in common, for offsets and for administrators.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/uuid.h"
#include "coordinator/runtime/turn.h"

namespace arus::coordinator {

enum class GroupKind : std::uint8_t {
  classic,
  consumer,
  // Of a directory that Kafka has used: their names are taken, and that is all.
  share,
  streams,
};

// "classic", "consumer", "share", "streams", as ListGroups says.
[[nodiscard]] std::string_view group_kind_name(GroupKind kind);

// Who commits, as a request says. Classic members say a generation, members of consumer groups
// their member epoch; standalone consumers neither (−1 and no member id).
struct OffsetCommitter {
  std::string_view member_id;
  std::optional<std::string_view> instance_id;
  std::int32_t generation_or_epoch = -1;
  bool transactional = false;
  std::int16_t api_version = 0;
};

// One group in one partition of __consumer_offsets. Owner: its state machine.
class Group {
 public:
  explicit Group(std::string id) : id_(std::move(id)) {}
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  virtual ~Group() = default;

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] virtual GroupKind kind() const = 0;
  // "Empty", "Stable", "PreparingRebalance", "Assigning", …, as Kafka prints it.
  [[nodiscard]] virtual std::string_view state_name() const = 0;
  [[nodiscard]] virtual std::string protocol_type() const = 0;
  [[nodiscard]] virtual bool has_members() const = 0;

  // UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, FENCED_INSTANCE_ID, REBALANCE_IN_PROGRESS,
  // STALE_MEMBER_EPOCH, as the kind of group has them.
  [[nodiscard]] virtual Result<> check_offset_commit(const OffsetCommitter& committer) const = 0;
  // Where check_offset_commit() lets a member of an older epoch pass: STALE_MEMBER_EPOCH or
  // ILLEGAL_GENERATION unless it has owned this partition since (KIP-1251).
  [[nodiscard]] virtual Result<> check_partition_commit(const OffsetCommitter& committer,
                                                        const Uuid& topic_id,
                                                        std::int32_t partition) const {
    static_cast<void>(committer);
    static_cast<void>(topic_id);
    static_cast<void>(partition);
    return {};
  }
  // For OffsetFetch from version 9 on, which may name a member.
  [[nodiscard]] virtual Result<> check_offset_fetch(std::optional<std::string_view> member_id,
                                                    std::int32_t member_epoch) const = 0;
  // A committed offset that members of the group use may be neither deleted nor expire.
  [[nodiscard]] virtual bool is_subscribed_to(std::string_view topic) const = 0;
  // NON_EMPTY_GROUP, or nothing that speaks against DeleteGroups.
  [[nodiscard]] virtual Result<> check_delete() const = 0;
  // Whether OffsetDelete may touch the group at all (NON_EMPTY_GROUP where its protocol is
  // unknown).
  [[nodiscard]] virtual Result<> check_offset_delete() const = 0;
  // Adds tombstones for all records of the group but its offsets.
  virtual void append_tombstones(Turn& turn) const = 0;

  // Since when the group's offsets may expire: nothing while it has members. Where it was never
  // anything but a place for offsets, each offset's own commit time counts (KIP-211).
  struct Expiry {
    std::int64_t since_ms = -1;
    bool by_commit_time = false;
  };
  [[nodiscard]] virtual std::optional<Expiry> expiry() const = 0;
  // A classic member that commits is alive.
  virtual void on_offset_commit(Turn& turn, std::string_view member_id) {
    static_cast<void>(turn);
    static_cast<void>(member_id);
  }

 private:
  std::string id_;
};

}  // namespace arus::coordinator
