// Committed offsets, those of open transactions among them.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "coordinator/group/group_settings.h"
#include "coordinator/group/groups.h"
#include "coordinator/group/offset_cleaning.h"
#include "coordinator/group/offset_store.h"
#include "coordinator/group/pending_offsets.h"
#include "coordinator/runtime/machine.h"
#include "protocol/api/offset_commit.h"
#include "protocol/api/offset_delete.h"
#include "protocol/api/offset_fetch.h"
#include "protocol/api/txn_offset_commit.h"

namespace arus::coordinator {

// Makes the group that offsets are committed to without members: ClassicGroups::group_for_offsets.
using GroupForOffsets = std::function<Group&(std::string_view id)>;

// What groups have committed, by group, topic and partition. A part of the group machine.
//
// Holds: a group with an offset, or with one in an open transaction, exists; it is made when the
// first such record is replayed. A partition that is in an open transaction does not expire.
class Offsets {
 public:
  // Of the records of one request. Kafka refuses what does not fit one batch, 1 MiB by default.
  static constexpr std::size_t longest_commit_bytes = 1'048'576;

  Offsets(GroupSurroundings& surroundings, Groups& groups, Timers& timers,
          GroupForOffsets group_for_offsets);

  void commit(Turn& turn, const GroupCaller& caller, protocol::OffsetCommitRequest request,
              Reply<protocol::OffsetCommitResponse> reply);
  // The transaction has been verified to hold this partition.
  void commit_transactional(Turn& turn, const GroupCaller& caller,
                            protocol::TxnOffsetCommitRequest request,
                            Reply<protocol::TxnOffsetCommitResponse> reply);
  // No list of topics: every topic of the group.
  [[nodiscard]] protocol::OffsetFetchResponse::OffsetFetchResponseGroup fetch(
      const protocol::OffsetFetchRequest::OffsetFetchRequestGroup& request,
      bool require_stable) const;
  void remove(Turn& turn, protocol::OffsetDeleteRequest request,
              Reply<protocol::OffsetDeleteResponse> reply);

  // Adds tombstones for all offsets of a group that is being deleted.
  void append_tombstones(Turn& turn, std::string_view group);
  // Those of open transactions among them.
  [[nodiscard]] bool has_offsets(std::string_view group) const;

  // Of the keys 0 and 1; false for any other.
  Result<bool> replay(std::int16_t type, const ReplayedRecord& record);
  void replay_end(ProducerId producer_id, bool committed);
  // Arms the check for what expires.
  void loaded(Turn& turn);
  // Offsets of deleted topics go.
  void on_image(Turn& turn, const metadata::MetadataDelta& delta);

  [[nodiscard]] const OffsetStore& stored() const { return stored_; }
  [[nodiscard]] const PendingOffsets& pending() const { return pending_; }

 private:
  [[nodiscard]] Result<> check_committer(const OffsetCommitter& committer,
                                         std::string_view group) const;
  [[nodiscard]] bool is_too_long(const std::optional<std::string>& metadata) const;
  [[nodiscard]] protocol::OffsetFetchResponse::OffsetFetchResponsePartitions fetch_one(
      const OffsetKey& key, const Uuid& topic_id, bool group_is_known, bool require_stable) const;
  template <class Request, class Response, class Write>
  void decide(const Turn& turn, const OffsetCommitter& committer, Request& request,
              std::int64_t expire_ms, Write write) const;

  GroupSurroundings& surroundings_;
  Groups& groups_;
  const GroupForOffsets group_for_offsets_;
  OffsetStore stored_;
  PendingOffsets pending_;
  OffsetCleaning cleaning_;
};

}  // namespace arus::coordinator
