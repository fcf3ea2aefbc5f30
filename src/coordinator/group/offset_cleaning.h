// Takes away offsets that nobody wants any more: those that expire, and those of deleted topics.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "coordinator/group/group_settings.h"
#include "coordinator/group/groups.h"
#include "coordinator/group/offset_store.h"
#include "coordinator/group/pending_offsets.h"
#include "coordinator/runtime/timers.h"
#include "metadata/image.h"

namespace arus::coordinator {

// Every offsets.retention.check.interval.ms it looks at all groups: offsets that are older than
// offsets.retention.minutes, counted as the kind of group says (Group::expiry), become tombstones,
// and so does a group that then has neither members nor offsets. What members subscribe to stays,
// and so does what an open transaction has touched.
//
// Works in pieces of at most `records_per_turn` tombstones and `groups_per_turn` groups, one each
// turn, so that requests come between. Owner: the offsets of one group machine.
class OffsetCleaning {
 public:
  static constexpr std::size_t records_per_turn = 512;
  static constexpr std::size_t groups_per_turn = 256;

  OffsetCleaning(const GroupSurroundings& surroundings, Groups& groups, Timers& timers,
                 const OffsetStore& stored, const PendingOffsets& pending);

  // From now on it looks for what expires.
  void start(Turn& turn);
  void on_image(Turn& turn, const metadata::MetadataDelta& delta);

 private:
  class Alarm final : public Timer {
   public:
    Alarm(OffsetCleaning& cleaning, void (OffsetCleaning::*ring)(Turn&))
        : cleaning_(cleaning), ring_(ring) {}
    void fire(Turn& turn) override { (cleaning_.*ring_)(turn); }

   private:
    OffsetCleaning& cleaning_;
    void (OffsetCleaning::*ring_)(Turn&);
  };
  struct DeletedTopic {
    std::string name;
    Uuid id;
    std::vector<std::string> groups;  // that may have offsets of it, the next one last
  };

  void begin_check(Turn& turn);
  void work(Turn& turn);
  bool remove_topic(Turn& turn, const DeletedTopic& topic, const std::string& group) const;
  bool expire(Turn& turn, const std::string& id) const;
  [[nodiscard]] static std::size_t room(Turn& turn);

  const GroupSurroundings& surroundings_;
  Groups& groups_;
  Timers& timers_;
  const OffsetStore& stored_;
  const PendingOffsets& pending_;
  Alarm check_;
  Alarm piece_;
  std::deque<DeletedTopic> deleted_;
  std::vector<std::string> to_check_;  // groups, the next one last
};

}  // namespace arus::coordinator
