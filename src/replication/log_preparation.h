// Makes the files of new partitions before their first record comes.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <unordered_map>

#include "base/uuid.h"
#include "env/event.h"
#include "env/task.h"
#include "metadata/image.h"

namespace arus::replication {

class LoopPartitions;

// To make a folder and five files takes longer than to write a record and flush it. Done ahead, in
// the background class and a few partitions at a time, so that the directory's writer does not
// sleep between them, the first record finds them; where it comes sooner it has them made. A
// failure leaves the rest to the first records as well. Owner: the loop of the partitions.
class LogPreparation {
 public:
  explicit LogPreparation(LoopPartitions& partitions) : partitions_(partitions) {}

  void start();
  // Completes when what is under way has ended; nothing begins any more.
  env::Task<void> stop();
  // A topic is new or has changed: partitions that were not looked at before are prepared.
  void note(const metadata::TopicImage& topic);
  // The image has it no more. Completes when nothing is made for it.
  env::Task<void> forget(Uuid topic_id);

 private:
  env::Task<void> run();
  // False when it is over.
  env::Task<bool> prepare(Uuid topic_id);
  env::Task<void> prepare_some(Uuid topic_id);

  LoopPartitions& partitions_;
  std::deque<Uuid> topics_;                          // to be looked at
  std::unordered_map<Uuid, std::size_t> looked_at_;  // partitions, from the first on
  std::optional<Uuid> current_;
  env::Event changed_;
  env::Gate gate_;
  bool failed_ = false;  // for the topic that is looked at
  bool stopping_ = false;
};

}  // namespace arus::replication
