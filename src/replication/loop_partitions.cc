#include "replication/loop_partitions.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "env/os_error.h"
#include "replication/log_move.h"
#include "storage/full_disk.h"

namespace arus::replication {
namespace {

const LogComponent loop_partitions_log{"replication.partitions"};
constexpr std::size_t recoveries_at_once = 16;
const Error topic_deleted{ErrorCode::unknown_topic_or_partition, "The topic was deleted", 0};

metadata::ConfigResource broker_resource(std::string name) {
  return {metadata::ConfigResourceType::broker, std::move(name)};
}

}  // namespace

// FNV-1a: the same on every machine, so that a simulation repeats.
std::size_t loop_index_of(std::string_view topic, std::int32_t partition, std::size_t loop_count) {
  if (loop_count == 1) return 0;
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : topic) hash = (hash ^ static_cast<std::uint8_t>(c)) * 1099511628211ULL;
  hash = (hash ^ static_cast<std::uint32_t>(partition)) * 1099511628211ULL;
  return static_cast<std::size_t>((hash >> 32) % loop_count);
}

LoopPartitions::LoopPartitions(env::Environment& environment, env::Loop& loop,
                               std::size_t loop_count, const PartitionSettings& settings,
                               const Directories& directories, metadata::ImagePublisher& images)
    : environment_(environment),
      loop_(loop),
      loop_count_(loop_count),
      settings_(settings),
      directories_(directories),
      images_(images),
      batch_work_(environment.pool(), settings.decompression_bytes / loop_count),
      upkeep_(*this, settings.upkeep) {}

LoopPartitions::~LoopPartitions() { ARUS_ASSERT(!started_); }

void LoopPartitions::start() {
  started_ = true;
  images_.subscribe(*this);
}

env::Task<void> LoopPartitions::stop() {
  if (!started_) co_return;
  images_.unsubscribe(*this);
  started_ = false;
  co_await preparation_.stop();
  co_await upkeep_.stop();
  for (const auto& [id, move] : moves_) move->cancel(true);
  const Error why{ErrorCode::not_leader_or_follower, "The broker is stopping", 0};
  const auto all = std::exchange(partitions_, {});
  for (const auto& [id, partition] : all) co_await partition->close(why);
  co_await gate_.close();
}

bool LoopPartitions::is_mine(std::string_view topic, std::int32_t partition) const {
  return loop_index_of(topic, partition, loop_count_) == loop_.index();
}

const metadata::PartitionImage* LoopPartitions::assigned(const metadata::MetadataImage& image,
                                                         const TopicIdPartition& id,
                                                         std::size_t* replica) const {
  const metadata::PartitionImage* const partition = image.partition(id.topic_id, id.partition);
  if (partition == nullptr) return nullptr;
  const auto at = std::ranges::find(partition->replicas, settings_.node_id);
  if (at == partition->replicas.end()) return nullptr;
  *replica = static_cast<std::size_t>(at - partition->replicas.begin());
  return partition;
}

storage::LogDirectory* LoopPartitions::place(const TopicPartition& name, const Uuid& topic_id,
                                             const metadata::PartitionImage& assignment,
                                             std::size_t replica) const {
  const auto& directories = assignment.directories;
  return directories_.place(
      name, topic_id, replica < directories.size() ? directories[replica] : directory_unassigned);
}

env::Task<Result<bool>> LoopPartitions::prepare(TopicIdPartition id) {
  const auto topic = image()->topic(id.topic_id);
  if (!topic || !is_mine(topic->name, id.partition)) co_return false;
  co_await removal_of(topic->name, [this, &id] { return !image()->topic(id.topic_id); });
  std::size_t replica = 0;
  const metadata::PartitionImage* const assignment = assigned(*image(), id, &replica);
  if (assignment == nullptr || partitions_.contains(id)) co_return false;
  const TopicPartition name{topic->name, id.partition};
  storage::LogDirectory* const directory = place(name, id.topic_id, *assignment, replica);
  if (directory == nullptr) co_return false;
  co_return co_await directory->prepare_log(name, id.topic_id, assignment->leader_epoch);
}

env::Task<void> LoopPartitions::sync_prepared() {
  for (const auto& directory : directories_.all()) {
    const auto synced = co_await directory->sync_prepared();
    if (!synced && env::is_device_failure(synced.error())) directory->fail_offline(synced.error());
  }
}

// The order of the map is that of hashes, which a simulation must not depend on.
std::vector<std::shared_ptr<Partition>> LoopPartitions::open_ones(bool only_compacted) const {
  std::vector<std::shared_ptr<Partition>> found;
  for (const auto& [id, partition] : partitions_) {
    if (!partition->is_open() || partition->closed()) continue;
    if (only_compacted && !partition->config().cleanup_compact) continue;
    found.push_back(partition);
  }
  std::ranges::sort(found, {}, [](const auto& partition) { return partition->name(); });
  return found;
}

std::vector<TopicIdPartition> LoopPartitions::unopened() const {
  std::vector<TopicIdPartition> unopened;
  for (const auto& found : directories_.found()) {
    const TopicPartition& name = found.log.name;
    if (!is_mine(name.topic, name.partition)) continue;
    const auto topic = image()->topic(name.topic);
    if (!topic || (found.log.topic_id && *found.log.topic_id != topic->id)) continue;
    const TopicIdPartition id{topic->id, name.partition};
    std::size_t replica = 0;
    if (partitions_.contains(id) || assigned(*image(), id, &replica) == nullptr) continue;
    unopened.push_back(id);
  }
  return unopened;
}

Result<std::shared_ptr<Partition>> LoopPartitions::find(const TopicIdPartition& id) {
  if (const auto known = partitions_.find(id); known != partitions_.end()) return known->second;
  const auto topic = image()->topic(id.topic_id);
  std::size_t replica = 0;
  if (!topic || image()->partition(id.topic_id, id.partition) == nullptr) {
    return fail(ErrorCode::unknown_topic_or_partition, "There is no such partition");
  }
  const metadata::PartitionImage* const assignment = assigned(*image(), id, &replica);
  if (assignment == nullptr || !started_) {
    return fail(ErrorCode::not_leader_or_follower, "This broker holds no replica of the partition");
  }
  const TopicPartition name{topic->name, id.partition};
  storage::LogDirectory* const directory = place(name, id.topic_id, *assignment, replica);
  if (directory == nullptr) {
    return fail(ErrorCode::kafka_storage_error, "The log directory of the partition is offline");
  }
  auto partition = std::make_shared<Partition>(id, name);
  partitions_.emplace(id, partition);
  follow(*partition, *image());
  env::spawn(gate_, open(partition, directory, config_of(*topic)));
  return partition;
}

env::Task<void> LoopPartitions::open(std::shared_ptr<Partition> partition,
                                     storage::LogDirectory* directory,
                                     std::shared_ptr<const config::TopicConfig> config) {
  const TopicPartition name = partition->name();
  // Its own removal waits for it.
  co_await removal_of(name.topic, [&partition] { return partition->closed(); });
  if (partition->closed()) {
    partition->end_append_turn();
    co_return;
  }
  const Partition::Use use(*partition);
  auto log = co_await directory->open_log(name, partition->id().topic_id, config);
  if (!log) {
    loop_partitions_log.error("{}: {}", name.to_string(), log.error().message);
    // Once there is space, whoever asks for it has it opened again.
    if (storage::is_full_disk(log.error())) partitions_.erase(partition->id());
    partition->fail_to_open(log.error());
    co_return;
  }
  if (partition->closed()) {
    log->reset();
    partition->end_append_turn();
    co_return;
  }
  // Where there is another directory, it may be moved.
  if (directories_.all().size() > 1) *log = std::make_unique<MovableLog>(std::move(*log));
  // The settings may have changed meanwhile.
  const auto topic = image()->topic(partition->id().topic_id);
  const auto newest = topic ? config_of(*topic) : config;
  partition->open(std::move(*log), config);
  if (newest != config) partition->configure(newest);
}

env::Task<void> LoopPartitions::removal_of(std::string topic, std::function<bool()> given_up) {
  for (auto under_way = removals_.find(topic); under_way != removals_.end();
       under_way = removals_.find(topic)) {
    if (given_up && given_up()) co_return;
    const auto removed = under_way->second;
    co_await removed->wait();
  }
}

config::TopicConfig LoopPartitions::compute_config(const metadata::MetadataImage& image,
                                                   const metadata::TopicImage& topic) const {
  const auto& defaults = image.configs(broker_resource(""));
  const auto& own = image.configs(broker_resource(std::to_string(settings_.node_id.value())));
  const config::ConfigMap overrides = config::topic_overrides(
      image.configs({metadata::ConfigResourceType::topic, topic.name}), defaults, topic.id);
  const config::Layers layers{.overrides = &overrides,
                              .dynamic_broker = &own,
                              .dynamic_default = &defaults,
                              .static_broker = &settings_.static_config};
  return config::make_topic_config(layers, topic.name);
}

CleanerSettings LoopPartitions::cleaner_settings() const {
  const auto& defaults = image()->configs(broker_resource(""));
  const auto& own = image()->configs(broker_resource(std::to_string(settings_.node_id.value())));
  return make_cleaner_settings({.overrides = nullptr,
                                .dynamic_broker = &own,
                                .dynamic_default = &defaults,
                                .static_broker = &settings_.static_config});
}

std::shared_ptr<const config::TopicConfig> LoopPartitions::config_of(
    const metadata::TopicImage& topic) {
  auto& known = configs_[topic.id];
  if (!known) {
    known = std::make_shared<const config::TopicConfig>(compute_config(*image(), topic));
  }
  return known;
}

void LoopPartitions::follow(Partition& partition, const metadata::MetadataImage& image) const {
  std::size_t replica = 0;
  const metadata::PartitionImage* const assignment = assigned(image, partition.id(), &replica);
  if (assignment == nullptr) return;
  partition.set_leadership({.leader = assignment->leader,
                            .epoch = assignment->leader_epoch,
                            .here = assignment->leader == settings_.node_id,
                            .in_sync = assignment->isr.size(),
                            .replicas = assignment->replicas.size()});
}

void LoopPartitions::on_image(const metadata::ImagePointer& image,
                              const metadata::MetadataDelta& delta) {
  for (const auto& topic : delta.deleted_topics) forget(topic);
  for (const auto& id : delta.created_or_changed_topics) {
    const auto topic = image->topic(id);
    if (!topic) continue;
    preparation_.note(*topic);
    for (std::size_t i = 0; i < topic->partitions.size(); ++i) {
      const auto known = partitions_.find({id, static_cast<std::int32_t>(i)});
      if (known != partitions_.end()) follow(*known->second, *image);
    }
  }
  if (!delta.changed_configs.empty()) reconfigure(*image, delta);
}

void LoopPartitions::reconfigure(const metadata::MetadataImage& image,
                                 const metadata::MetadataDelta& delta) {
  const bool all = std::ranges::any_of(delta.changed_configs, [](const auto& resource) {
    return resource.type == metadata::ConfigResourceType::broker;
  });
  std::vector<std::shared_ptr<const metadata::TopicImage>> topics;
  if (all) {
    for (const auto& [id, config] : configs_) {
      if (auto topic = image.topic(id)) topics.push_back(std::move(topic));
    }
  } else {
    for (const auto& resource : delta.changed_configs) {
      if (resource.type != metadata::ConfigResourceType::topic) continue;
      if (auto topic = image.topic(resource.name)) topics.push_back(std::move(topic));
    }
  }
  for (const auto& topic : topics) {
    const auto known = configs_.find(topic->id);
    if (known == configs_.end()) continue;
    config::TopicConfig fresh = compute_config(image, *topic);
    if (fresh == *known->second) continue;
    known->second = std::make_shared<const config::TopicConfig>(fresh);
    for (std::size_t i = 0; i < topic->partitions.size(); ++i) {
      const auto partition = partitions_.find({topic->id, static_cast<std::int32_t>(i)});
      if (partition != partitions_.end() && partition->second->is_open()) {
        partition->second->configure(known->second);
      }
    }
  }
}

void LoopPartitions::forget(const metadata::TopicImage& topic) {
  configs_.erase(topic.id);
  std::vector<std::shared_ptr<Partition>> open_ones;
  for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
    const auto index = static_cast<std::int32_t>(i);
    upkeep_.forget({topic.id, index});
    if (const auto move = moves_.find({topic.id, index}); move != moves_.end()) {
      move->second->cancel();
    }
    if (auto node = partitions_.extract({topic.id, index})) {
      open_ones.push_back(std::move(node.mapped()));
    }
  }
  // One that waits for an earlier removal to be opened must not wait for this one.
  for (const auto& partition : open_ones) partition->refuse(topic_deleted);
  env::spawn(gate_, remove(topic, std::move(open_ones)));
}

// Closes the logs of a deleted topic and removes its directories.
env::Task<void> LoopPartitions::remove(metadata::TopicImage topic,
                                       std::vector<std::shared_ptr<Partition>> partitions) {
  co_await removal_of(topic.name);
  const auto done = std::make_shared<env::Event>();
  removals_[topic.name] = done;
  co_await preparation_.forget(topic.id);
  for (const auto& partition : partitions) co_await partition->close(topic_deleted);
  partitions.clear();
  for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
    const auto index = static_cast<std::int32_t>(i);
    if (!is_mine(topic.name, index)) continue;
    const TopicPartition name{topic.name, index};
    const metadata::PartitionImage& image = *topic.partitions[i];
    const auto at = std::ranges::find(image.replicas, settings_.node_id);
    const auto replica = static_cast<std::size_t>(at - image.replicas.begin());
    storage::LogDirectory* const directory = place(name, topic.id, image, replica);
    if (directory == nullptr) continue;
    if (const auto removed = co_await directory->remove_log(name, topic.id); !removed) {
      loop_partitions_log.warning("{} cannot be removed: {}", name.to_string(),
                                  removed.error().message);
    }
  }
  removals_.erase(topic.name);
  done->notify_all();
}

env::Task<Result<>> LoopPartitions::recover() {
  std::vector<const Directories::Found*> work;
  for (const auto& found : directories_.found()) {
    const TopicPartition& name = found.log.name;
    if (!is_mine(name.topic, name.partition)) continue;
    const auto topic = image()->topic(name.topic);
    std::size_t replica = 0;
    const bool belongs = topic && (!found.log.topic_id || *found.log.topic_id == topic->id) &&
                         assigned(*image(), {topic->id, name.partition}, &replica) != nullptr;
    // The name may be there twice: of a topic that was deleted, whose end the power or a kill has
    // kept from the disk or from the commit log, and of the one that was made again. Only what has
    // the old id goes.
    const bool deleted = topic && found.log.topic_id && *found.log.topic_id != topic->id;
    if (deleted) {
      const auto removed = co_await found.directory->remove_log(name, *found.log.topic_id);
      if (!removed && !found.directory->offline()) co_return removed;
    } else if (!belongs || found.log.unfinished) {
      loop_partitions_log.warning(
          "{} in {} {} and is set aside", name.to_string(), found.directory->path(),
          belongs ? "does not say of which topic it is" : "belongs to no partition of this broker");
      const auto aside = co_await found.directory->set_aside(name);
      if (!aside && !found.directory->offline()) co_return aside;
    } else if (!found.directory->clean_shutdown_epoch()) {
      work.push_back(&found);
    }
  }
  std::ranges::reverse(work);
  Result<> outcome;
  env::Gate workers;
  for (std::size_t i = 0; i < recoveries_at_once && !work.empty(); ++i) {
    env::spawn(workers, recover_some(&work, &outcome));
  }
  co_await workers.close();
  co_return outcome;
}

env::Task<void> LoopPartitions::recover_some(std::vector<const Directories::Found*>* work,
                                             Result<>* outcome) {
  while (!work->empty()) {
    const Directories::Found& found = *work->back();
    work->pop_back();
    const auto topic = image()->topic(found.log.name.topic);
    if (!topic) continue;
    auto partition = find({topic->id, found.log.name.partition});
    if (!partition) continue;
    const auto opened = co_await (*partition)->opened();
    if (opened || storage::is_full_disk(opened.error())) continue;
    // A disk that fails is that directory's failure only, and damage that partition's.
    const bool others_serve = directories_.all().size() + directories_.failed().size() > 1;
    if (others_serve && opened.error().os_error != 0) {
      found.directory->fail_offline(opened.error());
    } else if (*outcome) {
      *outcome = opened;
    }
  }
}

}  // namespace arus::replication
