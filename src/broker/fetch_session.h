// Fetch sessions (KIP-227): what a consumer asks for again and again, remembered between requests.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/topic_partition.h"
#include "env/environment.h"

namespace arus::broker {

// How a fetch names a partition: by topic id from version 13 on, by name before.
struct FetchKey {
  Uuid topic_id;
  std::string topic;
  std::int32_t partition = 0;
  friend bool operator==(const FetchKey&, const FetchKey&) = default;
};

struct FetchKeyHash {
  std::size_t operator()(const FetchKey& key) const {
    return std::hash<Uuid>{}(key.topic_id) ^ (std::hash<std::string>{}(key.topic) << 1) ^
           (static_cast<std::size_t>(key.partition) * 0x9e3779b97f4a7c15ULL);
  }
};

// One partition that is fetched, and what the client was told of it last.
struct FetchTarget {
  FetchKey key;
  Offset offset;
  std::int32_t max_bytes = 0;
  std::int32_t leader_epoch = -1;
  std::int32_t last_fetched_epoch = -1;
  Offset told_high_watermark = no_offset;
  Offset told_log_start = no_offset;
  bool told_error = false;
};

// The partitions of one consumer, in the order in which they are served. Those that gave records
// go to the end, so that all get their share of a limited answer. Owner: its loop.
class FetchSession {
 public:
  using Targets = std::list<FetchTarget>;

  FetchSession(std::int32_t id, bool uses_topic_ids, env::TimePoint now)
      : id_(id), uses_topic_ids_(uses_topic_ids), created_(now), used_(now) {}

  [[nodiscard]] std::int32_t id() const { return id_; }
  [[nodiscard]] std::int32_t epoch() const { return epoch_; }
  [[nodiscard]] bool uses_topic_ids() const { return uses_topic_ids_; }
  [[nodiscard]] std::size_t size() const { return targets_.size(); }
  [[nodiscard]] env::TimePoint created() const { return created_; }
  [[nodiscard]] env::TimePoint used() const { return used_; }

  // Adds a target or changes it; what the client was told stays.
  void set(const FetchTarget& target);
  void forget(const FetchKey& key);
  [[nodiscard]] Targets& targets() { return targets_; }
  void move_to_end(Targets::iterator target) { targets_.splice(targets_.end(), targets_, target); }
  // While a request of this session is under way: nothing else may change the targets then.
  void set_busy(bool busy) { busy_ = busy; }
  [[nodiscard]] bool busy() const { return busy_; }
  // A request has been taken: the next one must carry the next epoch.
  void advance(env::TimePoint now) {
    epoch_ = epoch_ == INT32_MAX ? 1 : epoch_ + 1;
    used_ = now;
  }

 private:
  std::int32_t id_;
  std::int32_t epoch_ = 0;
  bool uses_topic_ids_;
  bool busy_ = false;
  env::TimePoint created_;
  env::TimePoint used_;
  Targets targets_;
  std::unordered_map<FetchKey, Targets::iterator, FetchKeyHash> by_key_;
};

// The sessions of one loop. A session belongs to the loop of the connection that opened it; asked
// for on another loop it is not found, and the client begins again.
//
// Holds: at most `max_sessions` and `max_targets` partitions in all. A session gives way to a new
// one when it was not used for eviction_age, or when it is that old and smaller. Owner: its loop.
class FetchSessions {
 public:
  static constexpr env::Duration eviction_age = env::milliseconds(120'000);
  static constexpr std::size_t max_targets = 1'000'000;

  FetchSessions(env::Random& random, std::size_t max_sessions)
      : random_(random), max_sessions_(max_sessions) {}

  // A new session with these partitions, or null where there is no room.
  std::shared_ptr<FetchSession> open(const std::vector<FetchTarget>& targets, bool uses_topic_ids,
                                     env::TimePoint now);
  // FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH, FETCH_SESSION_TOPIC_ID_ERROR.
  Result<std::shared_ptr<FetchSession>> find(std::int32_t id, std::int32_t epoch,
                                             bool uses_topic_ids);
  void close(std::int32_t id);
  [[nodiscard]] std::size_t size() const { return sessions_.size(); }
  [[nodiscard]] std::size_t targets() const { return targets_; }
  // What a session's size has become after set() and forget().
  void note_size(std::size_t before, std::size_t after) { targets_ = targets_ - before + after; }

 private:
  bool make_room(std::size_t wanted_targets, env::TimePoint now);
  std::int32_t free_id();

  env::Random& random_;
  std::size_t max_sessions_;
  std::size_t targets_ = 0;
  std::unordered_map<std::int32_t, std::shared_ptr<FetchSession>> sessions_;
};

}  // namespace arus::broker
