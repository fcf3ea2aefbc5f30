#include "coordinator/group/offset_cleaning.h"

#include <algorithm>

#include "coordinator/group/offset_records.h"
#include "coordinator/runtime/turn.h"

namespace arus::coordinator {

namespace {

// Groups of a directory that Kafka has used keep their offsets.
bool may_expire(const Group& group) {
  return group.kind() == GroupKind::classic || group.kind() == GroupKind::consumer;
}

bool is_expired(const OffsetStore::View& offset, const Group::Expiry& expiry, std::int64_t now_ms,
                std::int64_t retention_ms) {
  if (offset.expire_timestamp_ms() >= 0) return now_ms >= offset.expire_timestamp_ms();
  const std::int64_t since_ms =
      expiry.by_commit_time ? offset.commit_timestamp_ms() : expiry.since_ms;
  return now_ms - since_ms >= retention_ms;
}

}  // namespace

OffsetCleaning::OffsetCleaning(const GroupSurroundings& surroundings, Groups& groups,
                               Timers& timers, const OffsetStore& stored,
                               const PendingOffsets& pending)
    : surroundings_(surroundings),
      groups_(groups),
      timers_(timers),
      stored_(stored),
      pending_(pending),
      check_(*this, &OffsetCleaning::begin_check),
      piece_(*this, &OffsetCleaning::work) {}

void OffsetCleaning::start(Turn& turn) {
  timers_.arm(check_, turn.now() + env::milliseconds(
                                       surroundings_.settings.offsets_retention_check_interval_ms));
}

void OffsetCleaning::on_image(Turn& turn, const metadata::MetadataDelta& delta) {
  for (const metadata::TopicImage& topic : delta.deleted_topics) {
    std::vector<std::string> groups;
    std::ranges::set_union(stored_.groups_with(topic.name), pending_.groups_with(topic.name),
                           std::back_inserter(groups));
    if (groups.empty()) continue;
    std::ranges::reverse(groups);
    deleted_.push_back({topic.name, topic.id, std::move(groups)});
  }
  if (!deleted_.empty()) work(turn);
}

void OffsetCleaning::begin_check(Turn& turn) {
  start(turn);
  if (to_check_.empty()) {
    groups_.for_each([this](const Group& group) {
      if (may_expire(group)) to_check_.push_back(group.id());
    });
    std::ranges::sort(to_check_, std::ranges::greater{});
  }
  work(turn);
}

std::size_t OffsetCleaning::room(Turn& turn) {
  return records_per_turn - std::min(records_per_turn, turn.records().size());
}

void OffsetCleaning::work(Turn& turn) {
  std::size_t groups = 0;
  while (!deleted_.empty() && groups < groups_per_turn && room(turn) > 0) {
    DeletedTopic& topic = deleted_.front();
    ++groups;
    if (remove_topic(turn, topic, topic.groups.back())) topic.groups.pop_back();
    if (topic.groups.empty()) deleted_.pop_front();
  }
  while (!to_check_.empty() && groups < groups_per_turn && room(turn) > 0) {
    ++groups;
    if (expire(turn, to_check_.back())) to_check_.pop_back();
  }
  if (!deleted_.empty() || !to_check_.empty()) {
    timers_.arm(piece_, turn.now() + env::milliseconds(1));
  }
}

// True when there is nothing left to do.
bool OffsetCleaning::remove_topic(Turn& turn, const DeletedTopic& topic,
                                  const std::string& group) const {
  const std::size_t most = room(turn);
  std::vector<OffsetKey> gone;
  stored_.for_each(group, topic.name, [&](const OffsetStore::View& offset) {
    // A topic of the same name that came since has an id of its own.
    const Uuid id = offset.topic_id();
    if (id.is_zero() || id == topic.id) gone.push_back({group, topic.name, offset.partition()});
    return gone.size() < most;
  });
  if (gone.empty()) gone = pending_.keys_of(group, topic.name, topic.id);
  if (gone.size() > most) gone.resize(most);
  for (const OffsetKey& key : gone) turn.append(offset_tombstone(key));
  return gone.empty();
}

// True when there is nothing left to do for the group.
bool OffsetCleaning::expire(Turn& turn, const std::string& id) const {
  Group* const group = groups_.find(id);
  if (group == nullptr || !may_expire(*group)) return true;
  bool all_expired = true;
  bool full = false;
  if (stored_.has_group(id)) {
    const auto expiry = group->expiry();
    if (!expiry) return true;
    const std::size_t most = room(turn);
    std::vector<OffsetKey> gone;
    std::string_view topic_seen;
    bool subscribed = false;
    stored_.for_each(id, [&](std::string_view topic, const OffsetStore::View& offset) {
      if (topic_seen.data() != topic.data()) {
        topic_seen = topic;
        subscribed = group->is_subscribed_to(topic);
      }
      OffsetKey key{id, std::string(topic), offset.partition()};
      if (subscribed || pending_.has(key) ||
          !is_expired(offset, *expiry, turn.wall_ms(),
                      surroundings_.settings.offsets_retention_ms)) {
        all_expired = false;
        return true;
      }
      full = gone.size() == most;
      if (!full) gone.push_back(std::move(key));
      return !full;
    });
    for (const OffsetKey& key : gone) turn.append(offset_tombstone(key));
  }
  if (full) return false;
  // The tombstones take the group away while they are added.
  if (all_expired && !pending_.has_group(id) && !group->has_members()) {
    group->append_tombstones(turn);
  }
  return true;
}

}  // namespace arus::coordinator
