// Committed offsets in memory, by group, topic and partition.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/uuid.h"

namespace arus::coordinator {

// What a commit says of one partition. Times in milliseconds since 1970.
struct OffsetValue {
  std::int64_t offset = -1;
  std::int32_t leader_epoch = -1;
  std::string metadata;
  std::int64_t commit_timestamp_ms = -1;
  std::int64_t expire_timestamp_ms = -1;  // only of commits that said how long they are to be kept
  Uuid topic_id;                          // zero where the commit named the topic only
  friend bool operator==(const OffsetValue&, const OffsetValue&) = default;
};

// A node with many groups keeps millions of these, so they are small: a topic's name is held once
// for all groups, an offset takes 40 bytes in a sorted run, and what few offsets have (metadata, a
// time of expiry) is apart. Owner: the offsets of one group machine.
class OffsetStore {
 private:
  struct Rare {
    std::string metadata;
    std::int64_t expire_timestamp_ms = -1;
  };
  struct Topic {
    std::string name;
    std::uint64_t offsets = 0;  // of all groups
    std::vector<Uuid> ids;      // that commits to this name have carried
  };
  struct Entry {
    std::int32_t partition = -1;
    std::int32_t leader_epoch = -1;
    std::int64_t offset = -1;
    std::int64_t commit_timestamp_ms = -1;
    std::unique_ptr<Rare> rare;
    std::uint32_t id = 0;  // index in the topic's ids + 1; 0 without one
  };
  // Not empty and ascending, at most `longest_run`; so inserting moves few entries.
  using Run = std::vector<Entry>;
  static constexpr std::size_t longest_run = 128;
  struct TopicOffsets {
    Topic* topic;
    std::vector<Run> runs;
  };
  using GroupOffsets = std::vector<TopicOffsets>;  // ascending by name, none without runs

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

 public:
  OffsetStore() = default;
  OffsetStore(const OffsetStore&) = delete;
  OffsetStore& operator=(const OffsetStore&) = delete;

  // One stored offset. Valid until the store changes.
  class View {
   public:
    View() = default;
    [[nodiscard]] explicit operator bool() const { return entry_ != nullptr; }
    [[nodiscard]] std::int32_t partition() const { return entry_->partition; }
    [[nodiscard]] std::int64_t offset() const { return entry_->offset; }
    [[nodiscard]] std::int32_t leader_epoch() const { return entry_->leader_epoch; }
    [[nodiscard]] std::string_view metadata() const {
      return entry_->rare ? std::string_view(entry_->rare->metadata) : std::string_view();
    }
    [[nodiscard]] std::int64_t commit_timestamp_ms() const { return entry_->commit_timestamp_ms; }
    [[nodiscard]] std::int64_t expire_timestamp_ms() const {
      return entry_->rare ? entry_->rare->expire_timestamp_ms : -1;
    }
    [[nodiscard]] Uuid topic_id() const {
      return entry_->id == 0 ? Uuid{} : topic_->ids[entry_->id - 1];
    }
    [[nodiscard]] OffsetValue value() const {
      return {offset(),
              leader_epoch(),
              std::string(metadata()),
              commit_timestamp_ms(),
              expire_timestamp_ms(),
              topic_id()};
    }

   private:
    friend class OffsetStore;
    View(const Topic& topic, const Entry& entry) : topic_(&topic), entry_(&entry) {}
    const Topic* topic_ = nullptr;
    const Entry* entry_ = nullptr;
  };

  // In place of what was there.
  void put(std::string_view group, std::string_view topic, std::int32_t partition,
           OffsetValue value);
  // False where there was nothing.
  bool remove(std::string_view group, std::string_view topic, std::int32_t partition);
  // An empty view where there is nothing.
  [[nodiscard]] View find(std::string_view group, std::string_view topic,
                          std::int32_t partition) const;
  [[nodiscard]] bool has_group(std::string_view group) const { return groups_.contains(group); }
  [[nodiscard]] bool has_topic(std::string_view topic) const { return topics_.contains(topic); }
  [[nodiscard]] std::size_t size() const { return size_; }

  // function(topic, View) for every offset of a group, ascending by topic and partition, while it
  // gives true.
  template <class Function>
  void for_each(std::string_view group, Function function) const {
    const auto found = groups_.find(group);
    if (found == groups_.end()) return;
    for (const TopicOffsets& topic : found->second) {
      for (const Run& run : topic.runs) {
        for (const Entry& entry : run) {
          if (!function(std::string_view(topic.topic->name), View(*topic.topic, entry))) return;
        }
      }
    }
  }
  // The same of one topic.
  template <class Function>
  void for_each(std::string_view group, std::string_view topic, Function function) const {
    const TopicOffsets* const found = find_topic(group, topic);
    if (found == nullptr) return;
    for (const Run& run : found->runs) {
      for (const Entry& entry : run) {
        if (!function(View(*found->topic, entry))) return;
      }
    }
  }
  // Names of the groups with an offset of this topic, ascending. Looks at every group.
  [[nodiscard]] std::vector<std::string> groups_with(std::string_view topic) const;

 private:
  using Topics = std::unordered_map<std::string_view, std::unique_ptr<Topic>, Hash>;

  [[nodiscard]] const TopicOffsets* find_topic(std::string_view group,
                                               std::string_view topic) const;
  Topic& intern(std::string_view name);
  void release(Topic& topic);
  static std::uint32_t id_index(Topic& topic, const Uuid& id);
  static Entry& place(std::vector<Run>& runs, std::int32_t partition, bool& is_new);

  std::unordered_map<std::string, GroupOffsets, Hash, std::equal_to<>> groups_;
  Topics topics_;  // the keys are the names in the values
  std::size_t size_ = 0;
};

}  // namespace arus::coordinator
