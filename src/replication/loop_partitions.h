// The partitions that live on one loop.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/broker_config.h"
#include "env/environment.h"
#include "metadata/image_publisher.h"
#include "record/compression.h"
#include "record/validator.h"
#include "replication/batch_work.h"
#include "replication/directories.h"
#include "replication/late_reads.h"
#include "replication/log_preparation.h"
#include "replication/log_upkeep.h"
#include "replication/partition.h"

namespace arus::replication {

class LogMove;

// Writes to the metadata in which directory a partition of this node is. Callable from any loop.
class DirectoryAssigner {
 public:
  virtual ~DirectoryAssigner() = default;
  virtual env::Task<Result<>> assign_directory(TopicIdPartition partition, Uuid directory) = 0;
};

// What all loops need to know to open logs. Outlives them.
struct PartitionSettings {
  BrokerId node_id;
  config::ConfigMap static_config;  // server.properties, for effective topic configs
  // arus.memory.decompression.bytes, for all loops together.
  std::size_t decompression_bytes = std::size_t{128} << 20;
  UpkeepSettings upkeep;
  DirectoryAssigner* assigner = nullptr;  // for moves between directories
};

// How far the copy of a partition is that is moved to another directory.
struct MoveProgress {
  TopicPartition name;
  std::string directory;  // where it goes
  std::int64_t size_bytes = 0;
  std::int64_t lag = 0;  // offsets
};

// Opens logs when they are first asked for, so that neither starting nor creating topics costs
// anything for partitions that nobody uses; follows the metadata image: leader epochs, configs,
// deletions.
//
// Holds: a partition is in the map only while the image assigns it to this node. Owner: its loop.
class LoopPartitions final : private metadata::ImageSubscriber {
 public:
  LoopPartitions(env::Environment& environment, env::Loop& loop, std::size_t loop_count,
                 const PartitionSettings& settings, const Directories& directories,
                 metadata::ImagePublisher& images);
  ~LoopPartitions() override;

  // On the loop, once, before anything else. Follows the image from now on.
  void start();
  // Opens what was found on disk after an unclean stop and belongs to this loop, several at once;
  // what it recovers is not visible before the directory was synced. Sets strays aside.
  env::Task<Result<>> recover();
  // Retention and compaction begin, in the background; stop() ends it.
  void start_upkeep() {
    upkeep_.start();
    preparation_.start();
  }
  // Closes every log.
  env::Task<void> stop();

  // The partition, perhaps still opening. UNKNOWN_TOPIC_OR_PARTITION where the image has none,
  // NOT_LEADER_OR_FOLLOWER where this node holds no replica.
  [[nodiscard]] Result<std::shared_ptr<Partition>> find(const TopicIdPartition& id);

  [[nodiscard]] const metadata::ImagePointer& image() const { return images_.current(); }
  // Effective settings of a topic, shared by its partitions here.
  [[nodiscard]] std::shared_ptr<const config::TopicConfig> config_of(
      const metadata::TopicImage& topic);
  [[nodiscard]] CleanerSettings cleaner_settings() const;
  [[nodiscard]] record::BatchValidator& batch_validator() { return batch_validator_; }
  [[nodiscard]] BatchWork& batch_work() { return batch_work_; }
  [[nodiscard]] LateReads& late_reads() { return late_reads_; }
  [[nodiscard]] env::Environment& environment() { return environment_; }
  [[nodiscard]] env::Loop& loop() { return loop_; }
  // For tasks that finish appends; closed by stop().
  [[nodiscard]] env::Gate& gate() { return gate_; }
  [[nodiscard]] std::size_t open_count() const { return partitions_.size(); }
  // Those that are open, or only those of them that are compacted, by name.
  [[nodiscard]] std::vector<std::shared_ptr<Partition>> open_ones(bool only_compacted) const;
  // Those that were on disk at the start and nobody has asked for yet.
  [[nodiscard]] std::vector<TopicIdPartition> unopened() const;

  // Makes the files of a partition that nobody has asked for yet; false where that is not due.
  env::Task<Result<bool>> prepare(TopicIdPartition id);
  env::Task<void> sync_prepared();

  // Begins to move a partition to this directory; ends a move to another one. Moving it to where it
  // is only ends one.
  env::Task<Result<>> move(TopicIdPartition id, storage::LogDirectory* target);
  [[nodiscard]] std::vector<MoveProgress> moves() const;
  // Goes on with the moves that a stop has interrupted.
  void resume_moves();
  [[nodiscard]] const PartitionSettings& settings() const { return settings_; }
  // This loop's share of replica.alter.log.dirs.io.max.bytes.per.second.
  [[nodiscard]] double move_bytes_per_second() const;
  // From a move.
  void move_ended(const TopicIdPartition& id);

 private:
  void on_image(const metadata::ImagePointer& image, const metadata::MetadataDelta& delta) override;
  void follow(Partition& partition, const metadata::MetadataImage& image) const;
  void reconfigure(const metadata::MetadataImage& image, const metadata::MetadataDelta& delta);
  void forget(const metadata::TopicImage& topic);
  [[nodiscard]] config::TopicConfig compute_config(const metadata::MetadataImage& image,
                                                   const metadata::TopicImage& topic) const;
  env::Task<void> open(std::shared_ptr<Partition> partition, storage::LogDirectory* directory,
                       std::shared_ptr<const config::TopicConfig> config);
  env::Task<void> remove(metadata::TopicImage topic,
                         std::vector<std::shared_ptr<Partition>> partitions);
  [[nodiscard]] storage::LogDirectory* directory_of(const Partition& partition) const;
  // Where this node's replica goes, as the image and what was found say; null when that is offline.
  [[nodiscard]] storage::LogDirectory* place(const TopicPartition& name, const Uuid& topic_id,
                                             const metadata::PartitionImage& assignment,
                                             std::size_t replica) const;
  env::Task<void> resume_move(TopicIdPartition id, storage::LogDirectory* target);
  env::Task<void> recover_some(std::vector<const Directories::Found*>* work, Result<>* outcome);
  // Completes when no files of an earlier topic of this name are left to remove, or when whoever
  // waits for that has given up.
  env::Task<void> removal_of(std::string topic, std::function<bool()> given_up = nullptr);
  [[nodiscard]] bool is_mine(std::string_view topic, std::int32_t partition) const;
  [[nodiscard]] const metadata::PartitionImage* assigned(const metadata::MetadataImage& image,
                                                         const TopicIdPartition& id,
                                                         std::size_t* replica) const;

  env::Environment& environment_;
  env::Loop& loop_;
  std::size_t loop_count_;
  const PartitionSettings& settings_;
  const Directories& directories_;
  metadata::ImagePublisher& images_;
  record::CodecScratch codec_scratch_;
  record::BatchValidator batch_validator_{codec_scratch_};
  BatchWork batch_work_;
  LateReads late_reads_;
  std::unordered_map<TopicIdPartition, std::shared_ptr<Partition>> partitions_;
  std::unordered_map<Uuid, std::shared_ptr<const config::TopicConfig>> configs_;
  // Topics by name whose files are being removed; a new one of that name waits.
  std::unordered_map<std::string, std::shared_ptr<env::Event>> removals_;
  std::map<TopicIdPartition, std::shared_ptr<LogMove>> moves_;
  env::Gate gate_;
  LogUpkeep upkeep_;
  LogPreparation preparation_{*this};
  bool started_ = false;
};

// Which loop a partition lives on.
[[nodiscard]] std::size_t loop_index_of(std::string_view topic, std::int32_t partition,
                                        std::size_t loop_count);

}  // namespace arus::replication
