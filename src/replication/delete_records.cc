#include "replication/delete_records.h"

#include <memory>

#include "env/event.h"

namespace arus::replication {
namespace {

env::Task<Result<Offset>> delete_below(LoopPartitions& partitions, const Deletion& deletion) {
  const auto found = partitions.find(deletion.id);
  if (!found) co_return std::unexpected(found.error());
  const std::shared_ptr<Partition>& partition = *found;
  ARUS_CO_TRY(partition->check_leader());
  if (!partition->is_open()) ARUS_CO_TRY(co_await partition->opened());
  const config::TopicConfig& config = partition->config();
  if (config.cleanup_compact && !config.cleanup_delete) {
    co_return fail(ErrorCode::policy_violation,
                   partition->name().to_string() + " is compacted, its records are not deleted");
  }
  const Offset start = deletion.offset == delete_to_high_watermark ? partition->high_watermark()
                                                                   : Offset{deletion.offset};
  if (start < Offset{0} || start > partition->high_watermark()) {
    co_return fail(ErrorCode::offset_out_of_range);
  }
  const Partition::Use use(*partition);
  ARUS_CO_TRY(co_await partition->log().advance_log_start(start));
  co_return partition->log().log_start();
}

// All of them at once, so that they share what makes them durable. Lives on one loop.
struct UnderWay {
  std::vector<Deletion> deletions;
  std::vector<DeletionResult> results;
  std::size_t pending = 0;
  env::Event finished;
};

env::Task<void> run(LoopPartitions* partitions, std::shared_ptr<UnderWay> all, std::size_t i) {
  const auto done = co_await delete_below(*partitions, all->deletions[i]);
  if (done) {
    all->results[i] = {.low_watermark = *done};
  } else {
    all->results[i].error = done.error().code;
  }
  if (--all->pending == 0) all->finished.notify_all();
}

}  // namespace

env::Task<std::vector<DeletionResult>> delete_records(LoopPartitions& partitions,
                                                      std::vector<Deletion> deletions,
                                                      DeletionOptions options) {
  const auto all = std::make_shared<UnderWay>();
  all->deletions = std::move(deletions);
  all->results.resize(all->deletions.size(), {.error = ErrorCode::request_timed_out});
  all->pending = all->deletions.size();
  for (std::size_t i = 0; i < all->deletions.size(); ++i) {
    env::spawn_detached(run(&partitions, all, i));
  }
  while (all->pending > 0 && co_await all->finished.wait_until(options.deadline)) {
  }
  co_return all->results;
}

}  // namespace arus::replication
