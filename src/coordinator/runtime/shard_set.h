// The shards of one loop.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "coordinator/runtime/shard.h"

namespace arus::coordinator {

// Follows the image: partitions of the topic that this node leads are loaded, others are dropped.
//
// Holds: between start() and stop() there is a shard for exactly the partitions of this loop that
// this node leads by its image. Owner: its loop.
class ShardSet final : private metadata::ImageSubscriber {
 public:
  ShardSet(const CoordinatorParts& parts, env::Loop& loop);
  ~ShardSet() override;

  void start();
  env::Task<void> stop();

  // COORDINATOR_NOT_AVAILABLE while the topic does not exist, NOT_COORDINATOR where its partition
  // is not led here; see Shard::check() for the rest.
  [[nodiscard]] Result<std::shared_ptr<Shard>> ready(std::int32_t partition) const;
  // Completes when the partition is not loading, or at the deadline.
  env::Task<void> settled(std::int32_t partition, env::TimePoint deadline);
  template <class Function>
  void for_each(Function function) const {
    for (const auto& [partition, shard] : shards_) function(*shard);
  }

 private:
  void on_image(const metadata::ImagePointer& image, const metadata::MetadataDelta& delta) override;
  [[nodiscard]] bool concerns_topic(const metadata::MetadataImage& image,
                                    const metadata::MetadataDelta& delta) const;
  void follow(const metadata::MetadataImage& image);
  void close(std::int32_t partition, const Error& why);

  const CoordinatorParts& parts_;
  ShardSurroundings surroundings_;
  std::map<std::int32_t, std::shared_ptr<Shard>> shards_;
  env::Gate gate_;  // shards that are closed and not yet done
  bool started_ = false;
};

}  // namespace arus::coordinator
