// Committed offsets, those of open transactions among them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "coordinator/group/group_settings.h"
#include "coordinator/group/groups.h"
#include "coordinator/runtime/machine.h"
#include "protocol/api/offset_commit.h"
#include "protocol/api/offset_delete.h"
#include "protocol/api/offset_fetch.h"
#include "protocol/api/txn_offset_commit.h"

namespace arus::coordinator {

class ClassicGroups;

// What groups have committed, by group, topic and partition. A group that was never anything but a
// place for offsets is made by ClassicGroups::group_for_offsets. A part of the group machine.
class Offsets {
 public:
  Offsets(GroupSurroundings& surroundings, Groups& groups, Timers& timers);
  ~Offsets();

  void commit(Turn& turn, const GroupCaller& caller, protocol::OffsetCommitRequest request,
              ClassicGroups& classic, Reply<protocol::OffsetCommitResponse> reply);
  void commit_transactional(Turn& turn, const GroupCaller& caller,
                            protocol::TxnOffsetCommitRequest request, ClassicGroups& classic,
                            Reply<protocol::TxnOffsetCommitResponse> reply);
  // Nothing named: every topic of the group.
  [[nodiscard]] protocol::OffsetFetchResponse::OffsetFetchResponseGroup fetch(
      const protocol::OffsetFetchRequest::OffsetFetchRequestGroup& request,
      bool require_stable) const;
  void remove(Turn& turn, protocol::OffsetDeleteRequest request,
              Reply<protocol::OffsetDeleteResponse> reply);

  // Adds tombstones for all offsets of a group that is being deleted.
  void append_tombstones(Turn& turn, std::string_view group);
  [[nodiscard]] bool has_offsets(std::string_view group) const;

  // Of the keys 0 and 1; false for any other.
  Result<bool> replay(std::int16_t type, const ReplayedRecord& record);
  void replay_end(ProducerId producer_id, bool committed);
  // Arms the check for what expires.
  void loaded(Turn& turn);
  // Offsets of deleted topics go.
  void on_image(Turn& turn, const metadata::MetadataDelta& delta);

 private:
  class Store;
  GroupSurroundings& surroundings_;
  Groups& groups_;
  Timers& timers_;
  std::unique_ptr<Store> store_;
};

}  // namespace arus::coordinator
