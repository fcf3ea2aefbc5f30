// Moving the partitions of one loop between log directories.
#include <algorithm>

#include "base/log.h"
#include "config/lookup.h"
#include "replication/log_move.h"
#include "replication/loop_partitions.h"
#include "storage/file_names.h"

namespace arus::replication {
namespace {

const LogComponent loop_moves_log{"replication.move"};

// Of a topic that is no more.
env::Task<void> drop_copy(storage::LogDirectory* directory, storage::FoundFuture future) {
  const auto dropped = co_await directory->drop_future(future.name, future.topic_id);
  if (!dropped) loop_moves_log.warning("{}: {}", future.path, dropped.error().message);
}

}  // namespace

storage::LogDirectory* LoopPartitions::directory_of(const Partition& partition) const {
  for (const auto& directory : directories_.all()) {
    if (storage::join_path(directory->path(), partition.name().to_string()) ==
        partition.log().directory()) {
      return directory.get();
    }
  }
  return nullptr;
}

env::Task<Result<>> LoopPartitions::move(TopicIdPartition id, storage::LogDirectory* target) {
  auto found = find(id);
  if (!found) co_return std::unexpected(found.error());
  const std::shared_ptr<Partition> partition = *found;
  ARUS_CO_TRY(co_await partition->opened());
  for (auto known = moves_.find(id); known != moves_.end(); known = moves_.find(id)) {
    const std::shared_ptr<LogMove> before = known->second;
    if (&before->target() == target) co_return Result<>{};
    before->cancel();
    co_await before->ended();
  }
  if (!partition->is_open() || partition->closed()) {
    co_return fail(ErrorCode::not_leader_or_follower, "The partition is gone");
  }
  storage::LogDirectory* const source = directory_of(*partition);
  if (source == target) co_return Result<>{};
  if (source == nullptr || source->offline() || target->offline()) {
    co_return fail(ErrorCode::kafka_storage_error, "The log directory is offline");
  }
  const auto move = std::make_shared<LogMove>(*this, partition, *source, *target);
  moves_.emplace(id, move);
  env::spawn(gate_, move->run());
  co_return Result<>{};
}

void LoopPartitions::move_ended(const TopicIdPartition& id) { moves_.erase(id); }

std::vector<MoveProgress> LoopPartitions::moves() const {
  std::vector<MoveProgress> all;
  for (const auto& [id, move] : moves_) {
    all.push_back({.name = move->partition().name(),
                   .directory = move->target().path(),
                   .size_bytes = move->size_bytes(),
                   .lag = move->lag()});
  }
  return all;
}

env::Task<void> LoopPartitions::resume_move(TopicIdPartition id, storage::LogDirectory* target) {
  const auto moved = co_await move(id, target);
  if (!moved) loop_moves_log.warning("a move cannot go on: {}", moved.error().message);
}

void LoopPartitions::resume_moves() {
  for (const auto& directory : directories_.all()) {
    for (const auto& future : directory->futures()) {
      if (!is_mine(future.name.topic, future.name.partition)) continue;
      const TopicIdPartition id{future.topic_id, future.name.partition};
      std::size_t replica = 0;
      if (assigned(*image(), id, &replica) == nullptr) {
        env::spawn(gate_, drop_copy(directory.get(), future));
        continue;
      }
      env::spawn(gate_, resume_move(id, directory.get()));
    }
  }
}

double LoopPartitions::move_bytes_per_second() const {
  constexpr std::string_view key = "replica.alter.log.dirs.io.max.bytes.per.second";
  const auto& defaults = image()->configs({metadata::ConfigResourceType::broker, ""});
  const auto& own = image()->configs(
      {metadata::ConfigResourceType::broker, std::to_string(settings_.node_id.value())});
  const auto rate = std::get<std::int64_t>(
      config::broker_value(key, {.overrides = nullptr,
                                 .dynamic_broker = &own,
                                 .dynamic_default = &defaults,
                                 .static_broker = &settings_.static_config}));
  return static_cast<double>(rate) / static_cast<double>(loop_count_);
}

}  // namespace arus::replication
