// The partitions that a member of a group owns: given, begun where the group has committed, read,
// taken away.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "client/consumer.h"
#include "client/coordinator.h"
#include "client/group_consumer.h"

namespace arus::client {

// Holds: the consumer's partitions are the owned ones that have begun; none begins before its
// committed offset is known, unless the application chose a place with seek().
// Owner: a GroupConsumer.
class GroupPartitions {
 public:
  GroupPartitions(Cluster& cluster, Coordinator& coordinator, ConsumerOptions options,
                  std::function<GroupMetadata()> member);

  void listen(RebalanceListener* listener) { listener_ = listener; }
  [[nodiscard]] Consumer& consumer() { return consumer_; }
  [[nodiscard]] const Consumer& consumer() const { return consumer_; }

  [[nodiscard]] std::set<TopicPartition> owned() const;
  [[nodiscard]] bool empty() const { return owned_.empty(); }
  // Each tells the listener; taking away does so before it takes, and not at all with nothing.
  env::Task<void> give(std::vector<TopicPartition> names);
  env::Task<void> take(std::vector<TopicPartition> names);
  env::Task<void> take_all();
  env::Task<void> lose_all();

  // Looks up where owned partitions begin, if any waits for it.
  void begin_waiting();
  // What the application must hear of, once.
  [[nodiscard]] std::optional<Error> take_failure() { return std::exchange(failure_, {}); }

  Result<> seek(const TopicPartition& name, StartPosition start);
  Result<> pause(const TopicPartition& name, bool paused);
  [[nodiscard]] std::optional<Offset> position(const TopicPartition& name) const {
    return consumer_.position(name);
  }
  [[nodiscard]] OffsetsToCommit consumed() const;
  env::Task<void> close();

 private:
  struct Owned {
    std::uint64_t number = 0;  // another one each time that it is given
    bool begun = false;
    bool paused = false;
  };

  env::Task<void> look_up();
  void begin(const TopicPartition& name, Owned& owned, StartPosition start, LeaderEpoch epoch);
  [[nodiscard]] std::optional<StartPosition> reset_position() const;

  Cluster& cluster_;
  Coordinator& coordinator_;
  ConsumerOptions options_;
  std::function<GroupMetadata()> member_;
  Consumer consumer_;
  RebalanceListener* listener_ = nullptr;
  std::map<TopicPartition, Owned> owned_;
  std::uint64_t last_number_ = 0;
  bool looking_up_ = false;
  bool stopping_ = false;
  std::optional<Error> failure_;
  env::Gate gate_;
};

}  // namespace arus::client
