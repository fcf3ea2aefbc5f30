// Committed offsets by themselves: a machine with groups that a test makes as it likes.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "coordinator/group/offsets.h"
#include "coordinator/runtime/machine_testing.h"
#include "protocol/record/group_metadata_key.h"

namespace arus::coordinator {

// A group that says what a test has set. Its one record is a GroupMetadata key.
class FakeGroup final : public Group {
 public:
  using Group::Group;
  GroupKind kind() const override { return kind_of_group; }
  std::string_view state_name() const override { return members ? "Stable" : "Empty"; }
  std::string protocol_type() const override { return {}; }
  bool has_members() const override { return members; }
  Result<> check_offset_commit(const OffsetCommitter& committer) const override {
    if (committer.generation_or_epoch < 0 && !members) return {};
    if (commit_error != ErrorCode::none) return fail(commit_error);
    return {};
  }
  Result<> check_partition_commit(const OffsetCommitter&, const Uuid&,
                                  std::int32_t partition) const override {
    if (partition == refused_partition) return fail(ErrorCode::stale_member_epoch);
    return {};
  }
  Result<> check_offset_fetch(std::optional<std::string_view> member_id,
                              std::int32_t member_epoch) const override {
    if (!member_id && member_epoch < 0) return {};
    if (fetch_error != ErrorCode::none) return fail(fetch_error);
    return {};
  }
  bool is_subscribed_to(std::string_view topic) const override { return topics.contains(topic); }
  Result<> check_delete() const override {
    if (members) return fail(ErrorCode::non_empty_group);
    return {};
  }
  Result<> check_offset_delete() const override {
    if (delete_error != ErrorCode::none) return fail(delete_error);
    return {};
  }
  void append_tombstones(Turn& turn) const override {
    protocol::GroupMetadataKey key;
    key.group = id();
    turn.append(Record::tombstone(key));
  }
  std::optional<Expiry> expiry() const override { return expiry_of_group; }
  void on_offset_commit(Turn&, std::string_view member_id) override { last_committer = member_id; }

  GroupKind kind_of_group = GroupKind::classic;
  bool members = false;
  ErrorCode commit_error = ErrorCode::none;
  ErrorCode fetch_error = ErrorCode::none;
  ErrorCode delete_error = ErrorCode::none;
  std::int32_t refused_partition = -1;
  std::set<std::string, std::less<>> topics;
  std::optional<Expiry> expiry_of_group = Expiry{.since_ms = -1, .by_commit_time = true};
  std::string last_committer;
};

class OffsetMachine final : public Machine {
 public:
  OffsetMachine()
      : timers_(env::TimePoint{}),
        offsets(surroundings, groups, timers_, [this](std::string_view id) -> Group& {
          return groups.put(std::make_unique<FakeGroup>(std::string(id)));
        }) {}

  Result<> replay(const ReplayedRecord& record) override {
    const auto type = protocol::coordinator_prefix(record.key);
    if (!type) return fail(type.error());
    auto done = offsets.replay(*type, record);
    if (!done) return fail(std::move(done).error());
    if (*done) return {};
    const auto key = protocol::decode_coordinator_key<protocol::GroupMetadataKey>(record.key);
    if (!key) return fail(key.error());
    groups.erase(key->group);
    return {};
  }
  void replay_end(ProducerId producer_id, std::int16_t, bool committed) override {
    offsets.replay_end(producer_id, committed);
  }
  void loaded(Turn& turn, metadata::ImagePointer) override { offsets.loaded(turn); }
  void on_image(Turn& turn, const metadata::ImagePointer&,
                const metadata::MetadataDelta& delta) override {
    offsets.on_image(turn, delta);
  }
  Timers& timers() override { return timers_; }

  FakeGroup& group(std::string_view id) {
    if (auto* const found = groups.find_as<FakeGroup>(id)) return *found;
    return static_cast<FakeGroup&>(groups.put(std::make_unique<FakeGroup>(std::string(id))));
  }

 private:
  Timers timers_;

 public:
  GroupSurroundings surroundings;
  Groups groups;
  Offsets offsets;
};

}  // namespace arus::coordinator
