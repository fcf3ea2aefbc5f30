// A hash map whose copies share what they have in common.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <unordered_map>
#include <utility>

namespace arus::security {

// Copying costs one pointer per shard; changing a copy copies one shard. Values are read through
// pointers that stay valid as long as the map that gave them.
template <class Key, class Value>
class ShardedMap {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const Value* find(const Key& key) const {
    const auto& shard = shards_[shard_of(key)];
    if (!shard) return nullptr;
    const auto found = shard->find(key);
    return found == shard->end() ? nullptr : &found->second;
  }
  void set(const Key& key, Value value) {
    auto& shard = shards_[shard_of(key)];
    auto changed = shard ? std::make_shared<Shard>(*shard) : std::make_shared<Shard>();
    size_ += changed->insert_or_assign(key, std::move(value)).second ? 1 : 0;
    shard = std::move(changed);
  }
  void erase(const Key& key) {
    auto& shard = shards_[shard_of(key)];
    if (!shard || !shard->contains(key)) return;
    auto changed = std::make_shared<Shard>(*shard);
    changed->erase(key);
    --size_;
    shard = std::move(changed);
  }
  // In hash order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& shard : shards_) {
      if (!shard) continue;
      for (const auto& [key, value] : *shard) visit(key, value);
    }
  }

 private:
  using Shard = std::unordered_map<Key, Value>;
  static constexpr std::size_t shard_count = 128;
  static std::size_t shard_of(const Key& key) { return std::hash<Key>{}(key) % shard_count; }

  std::array<std::shared_ptr<const Shard>, shard_count> shards_{};
  std::size_t size_ = 0;
};

}  // namespace arus::security
