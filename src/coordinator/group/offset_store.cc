#include "coordinator/group/offset_store.h"

#include <algorithm>

namespace arus::coordinator {

namespace {

// Where a topic of this name is in a group's list, or would be.
template <class List>
auto topic_place(List& list, std::string_view name) {
  return std::ranges::lower_bound(
      list, name, {}, [](const auto& one) { return std::string_view(one.topic->name); });
}

// The run that holds a partition, or would: the last one that begins at or before it.
template <class Runs>
auto run_place(Runs& runs, std::int32_t partition) {
  const auto above = std::ranges::upper_bound(
      runs, partition, {}, [](const auto& run) { return run.front().partition; });
  return above == runs.begin() ? above : above - 1;
}

}  // namespace

OffsetStore::Entry& OffsetStore::place(std::vector<Run>& runs, std::int32_t partition,
                                       bool& is_new) {
  if (runs.empty()) runs.emplace_back();
  auto run = runs.size() == 1 ? runs.begin() : run_place(runs, partition);
  auto at = std::ranges::lower_bound(*run, partition, {}, &Entry::partition);
  is_new = at == run->end() || at->partition != partition;
  if (!is_new) return *at;
  if (run->size() == longest_run) {
    // What arrives in order, as when a log is read, fills its runs.
    const std::size_t keep = at == run->end() ? longest_run : longest_run / 2;
    const auto index = run - runs.begin();
    Run upper(std::make_move_iterator(run->begin() + static_cast<std::ptrdiff_t>(keep)),
              std::make_move_iterator(run->end()));
    run->resize(keep);
    const auto next = runs.insert(run + 1, std::move(upper));
    const bool goes_up = next->empty() || partition > next->front().partition;
    run = goes_up ? next : runs.begin() + index;
    at = std::ranges::lower_bound(*run, partition, {}, &Entry::partition);
  }
  const auto made = run->emplace(at);
  made->partition = partition;
  return *made;
}

void OffsetStore::put(std::string_view group, std::string_view topic, std::int32_t partition,
                      OffsetValue value) {
  auto found = groups_.find(group);
  if (found == groups_.end()) found = groups_.try_emplace(std::string(group)).first;
  GroupOffsets& list = found->second;
  auto offsets = topic_place(list, topic);
  if (offsets == list.end() || offsets->topic->name != topic) {
    offsets = list.insert(offsets, TopicOffsets{&intern(topic), {}});
  }
  bool is_new = false;
  Entry& entry = place(offsets->runs, partition, is_new);
  if (is_new) {
    ++size_;
    ++offsets->topic->offsets;
  }
  entry.offset = value.offset;
  entry.leader_epoch = value.leader_epoch;
  entry.commit_timestamp_ms = value.commit_timestamp_ms;
  entry.id = id_index(*offsets->topic, value.topic_id);
  if (value.metadata.empty() && value.expire_timestamp_ms < 0) {
    entry.rare = nullptr;
  } else {
    entry.rare = std::make_unique<Rare>(std::move(value.metadata), value.expire_timestamp_ms);
  }
}

bool OffsetStore::remove(std::string_view group, std::string_view topic, std::int32_t partition) {
  const auto found = groups_.find(group);
  if (found == groups_.end()) return false;
  GroupOffsets& list = found->second;
  const auto offsets = topic_place(list, topic);
  if (offsets == list.end() || offsets->topic->name != topic) return false;
  const auto run = run_place(offsets->runs, partition);
  const auto at = std::ranges::lower_bound(*run, partition, {}, &Entry::partition);
  if (at == run->end() || at->partition != partition) return false;
  run->erase(at);
  --size_;
  Topic& of = *offsets->topic;
  if (run->empty()) offsets->runs.erase(run);
  if (offsets->runs.empty()) list.erase(offsets);
  if (list.empty()) groups_.erase(found);
  release(of);
  return true;
}

OffsetStore::View OffsetStore::find(std::string_view group, std::string_view topic,
                                    std::int32_t partition) const {
  const TopicOffsets* const offsets = find_topic(group, topic);
  if (offsets == nullptr) return {};
  const auto run = run_place(offsets->runs, partition);
  const auto at = std::ranges::lower_bound(*run, partition, {}, &Entry::partition);
  if (at == run->end() || at->partition != partition) return {};
  return {*offsets->topic, *at};
}

std::vector<std::string> OffsetStore::groups_with(std::string_view topic) const {
  std::vector<std::string> names;
  if (!has_topic(topic)) return names;
  for (const auto& [name, list] : groups_) {
    const auto at = topic_place(list, topic);
    if (at != list.end() && at->topic->name == topic) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

const OffsetStore::TopicOffsets* OffsetStore::find_topic(std::string_view group,
                                                         std::string_view topic) const {
  const auto found = groups_.find(group);
  if (found == groups_.end()) return nullptr;
  const auto at = topic_place(found->second, topic);
  if (at == found->second.end() || at->topic->name != topic) return nullptr;
  return &*at;
}

OffsetStore::Topic& OffsetStore::intern(std::string_view name) {
  const auto found = topics_.find(name);
  if (found != topics_.end()) return *found->second;
  auto topic = std::make_unique<Topic>(std::string(name));
  Topic& made = *topic;
  topics_.emplace(std::string_view(made.name), std::move(topic));
  return made;
}

void OffsetStore::release(Topic& topic) {
  if (--topic.offsets == 0) topics_.erase(std::string_view(topic.name));
}

std::uint32_t OffsetStore::id_index(Topic& topic, const Uuid& id) {
  if (id.is_zero()) return 0;
  // The newest id is the one that most commits carry.
  for (std::size_t i = topic.ids.size(); i > 0; --i) {
    if (topic.ids[i - 1] == id) return static_cast<std::uint32_t>(i);
  }
  topic.ids.push_back(id);
  return static_cast<std::uint32_t>(topic.ids.size());
}

}  // namespace arus::coordinator
