#include "coordinator/runtime/shard_set.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace arus::coordinator {
namespace {

const LogComponent shard_set_log{"coordinator.shards"};

env::Task<void> outlive(std::shared_ptr<Shard> shard) { co_await shard->stopped(); }

}  // namespace

ShardSet::ShardSet(const CoordinatorParts& parts, env::Loop& loop)
    : parts_(parts), surroundings_{.parts = parts, .loop = loop, .scratch = {}} {}

ShardSet::~ShardSet() { ARUS_ASSERT(!started_); }

void ShardSet::start() {
  started_ = true;
  parts_.images.subscribe(*this);
  follow(*parts_.images.current());
}

env::Task<void> ShardSet::stop() {
  if (!started_) co_return;
  started_ = false;
  parts_.images.unsubscribe(*this);
  while (!shards_.empty()) {
    close(shards_.begin()->first, {ErrorCode::not_coordinator, "The broker is stopping", 0});
  }
  co_await gate_.close();
}

Result<std::shared_ptr<Shard>> ShardSet::ready(std::int32_t partition) const {
  const auto found = shards_.find(partition);
  if (found == shards_.end()) {
    if (started_ && !parts_.images.current()->topic(parts_.topic)) {
      return fail(ErrorCode::coordinator_not_available, parts_.topic + " does not exist yet");
    }
    return fail(ErrorCode::not_coordinator, "This broker is not the coordinator");
  }
  if (auto ready = found->second->check(); !ready) return std::unexpected(std::move(ready).error());
  return found->second;
}

env::Task<void> ShardSet::settled(std::int32_t partition, env::TimePoint deadline) {
  const auto found = shards_.find(partition);
  if (found != shards_.end()) co_await Shard::settled(found->second, deadline);
}

void ShardSet::on_image(const metadata::ImagePointer& image, const metadata::MetadataDelta& delta) {
  if (concerns_topic(*image, delta)) follow(*image);
  // A machine may have been dropped by what another one's turn set off.
  std::vector<std::shared_ptr<Shard>> told;
  told.reserve(shards_.size());
  for (const auto& [partition, shard] : shards_) told.push_back(shard);
  for (const auto& shard : told) shard->on_image(image, delta);
}

bool ShardSet::concerns_topic(const metadata::MetadataImage& image,
                              const metadata::MetadataDelta& delta) const {
  const bool deleted = std::ranges::any_of(
      delta.deleted_topics,
      [this](const metadata::TopicImage& topic) { return topic.name == parts_.topic; });
  if (deleted) return true;
  const auto topic = image.topic(parts_.topic);
  return topic && std::ranges::find(delta.created_or_changed_topics, topic->id) !=
                      delta.created_or_changed_topics.end();
}

void ShardSet::follow(const metadata::MetadataImage& image) {
  const auto topic = image.topic(parts_.topic);
  std::map<std::int32_t, LeaderEpoch> led;
  for (std::size_t i = 0; topic && i < topic->partitions.size(); ++i) {
    const auto partition = static_cast<std::int32_t>(i);
    const metadata::PartitionImage& state = *topic->partitions[i];
    const bool here =
        parts_.partitions.loop_index(parts_.topic, partition) == surroundings_.loop.index();
    if (here && state.leader == parts_.partitions.settings().node_id) {
      led.emplace(partition, state.leader_epoch);
    }
  }
  std::vector<std::int32_t> gone;
  for (const auto& [partition, shard] : shards_) {
    const auto still = led.find(partition);
    if (still == led.end() || still->second != shard->leader_epoch() ||
        shard->topic_id() != topic->id) {
      gone.push_back(partition);
    }
  }
  for (const std::int32_t partition : gone) {
    close(partition, {ErrorCode::not_coordinator, "The coordinator has moved", 0});
  }
  for (const auto& [partition, epoch] : led) {
    if (shards_.contains(partition)) continue;
    auto log = parts_.partitions.here().find({topic->id, partition});
    if (!log) {
      shard_set_log.error("{}-{} cannot be loaded: {}", parts_.topic, partition,
                          log.error().message);
      continue;
    }
    const auto shard = std::make_shared<Shard>(surroundings_, std::move(*log), epoch);
    shards_.emplace(partition, shard);
    shard->start();
  }
}

void ShardSet::close(std::int32_t partition, const Error& why) {
  const auto shard = shards_.extract(partition).mapped();
  shard->close(why);
  env::spawn(gate_, outlive(shard));
}

}  // namespace arus::coordinator
