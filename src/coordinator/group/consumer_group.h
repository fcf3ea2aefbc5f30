// A consumer group (KIP-848): its members, what they read, what they are to have and what they
// have.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/group/consumer_member.h"
#include "coordinator/group/group.h"
#include "coordinator/group/metadata_hash.h"
#include "coordinator/group/partition_set.h"

namespace arus::coordinator {

class ConsumerGroups;

// The topics that a regular expression stands for, since when.
struct ResolvedRegex {
  std::vector<std::string> topics;  // ascending
  std::int64_t version = 0;         // of the image that was looked at
  std::int64_t timestamp_ms = 0;
  friend bool operator==(const ResolvedRegex&, const ResolvedRegex&) = default;
};

// State and its rules; ConsumerGroups decides. All but the timers is stored, in a record for each
// part, and changes by replay only.
//
// Holds: a partition has at most one owner, who has it assigned or still has to give it up; the
// epoch of the target is at most that of the group; a static instance is at most one member. What
// is walked through is in order of ids. Owner: Groups of its partition.
class ConsumerGroup final : public Group {
 public:
  using Members = std::map<std::string, std::unique_ptr<ConsumerMember>, std::less<>>;
  using Targets = std::map<std::string, PartitionSet, std::less<>>;
  using Regexes = std::map<std::string, ResolvedRegex, std::less<>>;

  // Groups begin in epoch 1 with an empty target of the same epoch, so that members which come
  // before there is something to assign have an epoch of their own.
  static constexpr std::int32_t first_epoch = 1;

  ConsumerGroup(std::string id, ConsumerGroups& decisions);
  ~ConsumerGroup() override;

  [[nodiscard]] GroupKind kind() const override { return GroupKind::consumer; }
  // "Empty", "Assigning", "Reconciling" or "Stable".
  [[nodiscard]] std::string_view state_name() const override;
  [[nodiscard]] std::string protocol_type() const override { return "consumer"; }
  [[nodiscard]] bool has_members() const override { return !members_.empty(); }
  [[nodiscard]] Result<> check_offset_commit(const OffsetCommitter& committer) const override;
  [[nodiscard]] Result<> check_partition_commit(const OffsetCommitter& committer,
                                                const Uuid& topic_id,
                                                std::int32_t partition) const override;
  [[nodiscard]] Result<> check_offset_fetch(std::optional<std::string_view> member_id,
                                            std::int32_t member_epoch) const override;
  [[nodiscard]] bool is_subscribed_to(std::string_view topic) const override;
  [[nodiscard]] Result<> check_delete() const override;
  [[nodiscard]] Result<> check_offset_delete() const override { return {}; }
  void append_tombstones(Turn& turn) const override;
  // Each offset's own age counts, with members or without: topics that are subscribed to are safe.
  [[nodiscard]] std::optional<Expiry> expiry() const override;

  [[nodiscard]] std::int32_t epoch() const { return epoch_; }
  [[nodiscard]] std::int64_t metadata_hash() const { return metadata_hash_; }
  [[nodiscard]] std::int32_t assignment_epoch() const { return assignment_epoch_; }
  [[nodiscard]] std::int64_t assignment_timestamp_ms() const { return assignment_timestamp_ms_; }
  [[nodiscard]] const Members& members() const { return members_; }
  // Null where there is none.
  [[nodiscard]] ConsumerMember* member(std::string_view id) const;
  [[nodiscard]] ConsumerMember* static_member(std::string_view instance_id) const;
  // The member of a request: UNKNOWN_MEMBER_ID where there is none.
  [[nodiscard]] Result<ConsumerMember*> known_member(std::string_view id) const;
  [[nodiscard]] const Targets& targets() const { return targets_; }
  [[nodiscard]] const PartitionSet& target_of(std::string_view member_id) const;
  // Who has a partition, or has not given it up yet; null for nobody.
  [[nodiscard]] const ConsumerMember* owner(const Uuid& topic, std::int32_t partition) const;
  // By name or by a resolved expression, ascending.
  [[nodiscard]] std::vector<std::string_view> subscribed_topics() const;
  // How many members use an expression.
  [[nodiscard]] std::uint32_t subscribers_of_regex(std::string_view regex) const;
  [[nodiscard]] const std::map<std::string, std::uint32_t, std::less<>>& regex_subscribers() const {
    return regex_subscribers_;
  }
  [[nodiscard]] const Regexes& resolved_regexes() const { return resolved_; }
  [[nodiscard]] bool has_partition_metadata_record() const { return has_partition_metadata_; }
  // What most members ask for; of several the first by name. Nothing where nobody asks.
  [[nodiscard]] std::optional<std::string_view> preferred_assignor() const;
  // Whether all members but this one (null: all) speak the classic protocol.
  [[nodiscard]] bool all_classic_but(const ConsumerMember* member) const;
  [[nodiscard]] std::size_t classic_members() const { return classic_members_; }
  // A classic JoinGroup belongs to it; without members it becomes a classic group instead.
  [[nodiscard]] bool wants_classic_join() const { return !members_.empty(); }
  // The members that a rebalance waits for: who have to give partitions up, or have not come yet
  // since the target changed; then who waits for them.
  [[nodiscard]] std::vector<std::string> holding_up() const;
  // The topics of the group are to be looked at again. Soft state.
  bool metadata_expired = true;

  // Soft state: a member was heard, and its session ends then. Classic members keep time in their
  // own way and do not count.
  void note_heard(ConsumerMember& member, env::TimePoint session_end);
  // The member that was heard longest ago; null for nobody.
  [[nodiscard]] const ConsumerMember* longest_silent() const {
    return heard_.empty() ? nullptr : heard_.front();
  }

  // For replay.
  void set_epoch(std::int32_t epoch, std::int64_t metadata_hash);
  void set_assignment_epoch(std::int32_t epoch, std::int64_t timestamp_ms);
  void set_target(std::string_view member_id, PartitionSet target);
  void erase_target(std::string_view member_id);
  void set_metadata(std::string_view member_id, MemberMetadata metadata);
  void set_current(std::string_view member_id, CurrentAssignment current);
  // What it owned is free; the member stays until erase_member().
  void erase_current(std::string_view member_id);
  void erase_member(std::string_view member_id);
  void set_regex(std::string_view regex, ResolvedRegex resolved);
  void erase_regex(std::string_view regex);
  void set_has_partition_metadata(bool has) { has_partition_metadata_ = has; }

  [[nodiscard]] ConsumerGroups& decisions() const { return decisions_; }

 private:
  ConsumerMember& member_or_new(std::string_view id);
  // Adds (1) or takes away (−1) what a member counts for.
  void count_metadata(const ConsumerMember& member, int by);
  void own(ConsumerMember& member, bool owns);
  void forget_heard(ConsumerMember& member);
  void own(ConsumerMember& member, const OwnedPartitions& partitions, bool owns);
  [[nodiscard]] Result<> check_epoch(const ConsumerMember& member, std::int32_t epoch) const;

  ConsumerGroups& decisions_;
  std::list<const ConsumerMember*> heard_;  // the longest silent first
  Members members_;
  std::map<std::string, ConsumerMember*, std::less<>> static_members_;  // by instance
  Targets targets_;
  std::map<std::string, std::uint32_t, std::less<>> topic_subscribers_;  // by name only
  std::map<std::string, std::uint32_t, std::less<>> regex_subscribers_;
  Regexes resolved_;
  std::map<Uuid, std::vector<const ConsumerMember*>> owners_;  // by partition
  std::int64_t metadata_hash_ = 0;
  std::int64_t assignment_timestamp_ms_ = 0;
  std::size_t classic_members_ = 0;
  std::int32_t epoch_ = first_epoch;
  std::int32_t assignment_epoch_ = first_epoch;
  bool has_partition_metadata_ = false;
};

}  // namespace arus::coordinator
