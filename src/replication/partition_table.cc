#include "replication/partition_table.h"

#include <utility>

namespace arus::replication {

PartitionTable::PartitionTable(env::Environment& environment, PartitionSettings settings,
                               std::vector<std::unique_ptr<storage::LogDirectory>> directories,
                               metadata::ImagePublisher& images)
    : settings_(std::move(settings)), directories_(std::move(directories)), images_(images) {
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
    ARUS_CO_TRY(co_await directory->check_commit_log(newest));
  }
  for (const auto& partitions : loops_) {
    LoopPartitions* const here = partitions.get();
    ARUS_CO_TRY(co_await env::call(here->loop(),
                                   [here] [[clang::coro_wrapper]] { return start_one(here); }));
  }
  for (const auto& directory : directories_.all()) {
    if (directory->clean_shutdown_epoch()) continue;
    ARUS_CO_TRY(co_await directory->sync_recovered());
  }
  for (const auto& partitions : loops_) {
    LoopPartitions* const here = partitions.get();
    co_await env::call(here->loop(), [here] { here->start_upkeep(); });
  }
  co_return Result<>{};
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
