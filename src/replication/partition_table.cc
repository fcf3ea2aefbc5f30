#include "replication/partition_table.h"

#include <algorithm>
#include <utility>

namespace arus::replication {

PartitionTable::PartitionTable(env::Environment& environment, PartitionSettings settings,
                               std::vector<std::unique_ptr<storage::LogDirectory>> directories,
                               metadata::ImagePublisher& images,
                               std::vector<Directories::Failed> failed)
    : settings_(std::move(settings)),
      directories_(std::move(directories), std::move(failed)),
      images_(images) {
  const std::size_t count = environment.loop_count();
  for (std::size_t i = 0; i < count; ++i) {
    loops_.push_back(std::make_unique<LoopPartitions>(environment, environment.loop(i), count,
                                                      settings_, directories_, images));
  }
}

namespace {

env::Task<Result<>> start_one(LoopPartitions* partitions) {
  partitions->start();
  co_return co_await partitions->recover();
}

}  // namespace

env::Task<Result<>> PartitionTable::start() {
  std::optional<storage::BrokerRegistration> newest;
  if (const auto before = images_.current()->broker(settings_.node_id); before != nullptr) {
    newest = {.incarnation_id = before->incarnation_id, .broker_epoch = before->epoch};
  }
  for (const auto& directory : directories_.all()) {
    ARUS_CO_TRY(unless_others_serve(*directory, co_await directory->check_commit_log(newest)));
  }
  for (const auto& partitions : loops_) {
    LoopPartitions* const here = partitions.get();
    ARUS_CO_TRY(co_await env::call(here->loop(),
                                   [here] [[clang::coro_wrapper]] { return start_one(here); }));
  }
  for (const auto& directory : directories_.all()) {
    if (directory->clean_shutdown_epoch()) continue;
    ARUS_CO_TRY(unless_others_serve(*directory, co_await directory->sync_recovered()));
  }
  for (const auto& partitions : loops_) {
    LoopPartitions* const here = partitions.get();
    co_await env::call(here->loop(), [here] {
      here->start_upkeep();
      here->resume_moves();
    });
  }
  co_return Result<>{};
}

// A directory that fails at the start is offline, where there are others.
Result<> PartitionTable::unless_others_serve(storage::LogDirectory& directory, Result<> result) {
  if (result || directories_.all().size() + directories_.failed().size() == 1) return result;
  directory.fail_offline(result.error());
  const bool any = std::ranges::any_of(directories_.all(), [&directory](const auto& other) {
    return other.get() != &directory && !other->offline();
  });
  return any ? Result<>{} : result;
}

std::vector<std::pair<TopicIdPartition, Uuid>> PartitionTable::unassigned() const {
  std::vector<std::pair<TopicIdPartition, Uuid>> found;
  if (directories_.all().size() < 2) return found;
  const auto image = images_.current();
  for (const auto& [name, topic] : image->topics) {
    for (std::size_t i = 0; i < topic->partitions.size(); ++i) {
      const metadata::PartitionImage& partition = *topic->partitions[i];
      const auto at = std::ranges::find(partition.replicas, settings_.node_id);
      if (at == partition.replicas.end()) continue;
      const Uuid& assigned =
          partition.directories[static_cast<std::size_t>(at - partition.replicas.begin())];
      const TopicIdPartition id{topic->id, static_cast<std::int32_t>(i)};
      const auto* const holder = directories_.holder({name, id.partition}, topic->id, assigned);
      if (holder == nullptr || holder->identity()->directory_id == assigned) continue;
      found.emplace_back(id, holder->identity()->directory_id);
    }
  }
  return found;
}

void PartitionTable::set_registration(const storage::BrokerRegistration& registration) {
  for (const auto& directory : directories_.all()) directory->set_registration(registration);
}

env::Task<void> PartitionTable::stop() {
  for (const auto& directory : directories_.all()) directory->begin_closing();
  for (const auto& partitions : loops_) {
    LoopPartitions* const here = partitions.get();
    co_await env::call(here->loop(), [here] [[clang::coro_wrapper]] { return here->stop(); });
  }
}

}  // namespace arus::replication
