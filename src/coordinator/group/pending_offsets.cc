#include "coordinator/group/pending_offsets.h"

#include <algorithm>
#include <limits>

namespace arus::coordinator {

void PendingOffsets::add(ProducerId producer_id, OffsetKey key, OffsetValue value) {
  auto& entries = by_key_[key];
  std::erase_if(entries, [&](const Entry& entry) { return entry.producer_id == producer_id; });
  entries.push_back({producer_id, std::move(value)});
  by_producer_[producer_id].insert(std::move(key));
}

void PendingOffsets::overtake(const OffsetKey& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  for (Entry& entry : found->second) entry.overtaken = true;
}

void PendingOffsets::forget(const OffsetKey& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  for (const Entry& entry : found->second) {
    const auto producer = by_producer_.find(entry.producer_id);
    producer->second.erase(key);
    if (producer->second.empty()) by_producer_.erase(producer);
  }
  by_key_.erase(found);
}

std::vector<std::pair<OffsetKey, OffsetValue>> PendingOffsets::end(ProducerId producer_id,
                                                                   bool committed) {
  std::vector<std::pair<OffsetKey, OffsetValue>> counting;
  auto producer = by_producer_.extract(producer_id);
  if (producer.empty()) return counting;
  for (const OffsetKey& key : producer.mapped()) {
    const auto found = by_key_.find(key);
    auto& entries = found->second;
    const auto mine = std::ranges::find(entries, producer_id, &Entry::producer_id);
    if (committed && !mine->overtaken) {
      for (auto before = entries.begin(); before != mine; ++before) before->overtaken = true;
      counting.emplace_back(key, std::move(mine->value));
    }
    entries.erase(mine);
    if (entries.empty()) by_key_.erase(found);
  }
  return counting;
}

std::map<OffsetKey, std::vector<PendingOffsets::Entry>>::const_iterator PendingOffsets::first_of(
    std::string_view group, std::string_view topic) const {
  return by_key_.lower_bound(
      {std::string(group), std::string(topic), std::numeric_limits<std::int32_t>::min()});
}

bool PendingOffsets::has_group(std::string_view group) const {
  if (by_key_.empty()) return false;
  const auto first = first_of(group);
  return first != by_key_.end() && first->first.group == group;
}

std::vector<OffsetKey> PendingOffsets::keys_of(std::string_view group) const {
  std::vector<OffsetKey> keys;
  if (by_key_.empty()) return keys;
  for (auto at = first_of(group); at != by_key_.end() && at->first.group == group; ++at) {
    keys.push_back(at->first);
  }
  return keys;
}

std::vector<OffsetKey> PendingOffsets::keys_of(std::string_view group, std::string_view topic,
                                               const Uuid& id) const {
  std::vector<OffsetKey> keys;
  if (by_key_.empty()) return keys;
  for (auto at = first_of(group, topic);
       at != by_key_.end() && at->first.group == group && at->first.topic == topic; ++at) {
    const bool is_of_it = std::ranges::any_of(at->second, [&](const Entry& entry) {
      return entry.value.topic_id.is_zero() || entry.value.topic_id == id;
    });
    if (is_of_it) keys.push_back(at->first);
  }
  return keys;
}

std::vector<std::string> PendingOffsets::groups_with(std::string_view topic) const {
  std::vector<std::string> groups;
  for (const auto& [key, entries] : by_key_) {
    if (key.topic == topic && (groups.empty() || groups.back() != key.group)) {
      groups.push_back(key.group);
    }
  }
  return groups;
}

}  // namespace arus::coordinator
