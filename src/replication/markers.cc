#include "replication/markers.h"

#include <memory>
#include <utility>

#include "record/builder.h"

namespace arus::replication {
namespace {

// One marker on its way.
class Marking final : public AppendWait {
 public:
  void on_decided(const Result<>& outcome) override {
    decided_ = true;
    if (!outcome) error_ = outcome.error().code;
    event_.notify_all();
  }

  env::Task<void> begin(LoopPartitions& partitions, const MarkerItem& item) {
    const auto begun = co_await append(partitions, item);
    if (!begun) on_decided(std::unexpected(begun.error()));
  }

  env::Task<MarkerResult> finish(env::TimePoint deadline) {
    while (!decided_) {
      if (co_await event_.wait_until(deadline) || decided_) continue;
      unlink();
      co_return MarkerResult{ErrorCode::request_timed_out};
    }
    co_return MarkerResult{error_};
  }

 private:
  env::Task<Result<>> append(LoopPartitions& partitions, const MarkerItem& item) {
    const auto found = partitions.find(item.id);
    if (!found) co_return std::unexpected(found.error());
    const std::shared_ptr<Partition>& partition = *found;
    ARUS_CO_TRY(partition->check_leader());
    if (partition->is_open() && partition->append_is_free()) {
      co_return append_now(partitions, *partition, item);
    }
    const Partition::Use use(*partition);
    const std::uint64_t ticket = partition->take_append_ticket();
    co_await partition->wait_for_append_turn(ticket);
    auto appended = append_now(partitions, *partition, item);
    partition->end_append_turn();
    co_return appended;
  }

  Result<> append_now(LoopPartitions& partitions, Partition& partition, const MarkerItem& item) {
    ARUS_TRY(partition.check_leader());
    ARUS_TRY(partition.check_in_sync());
    const std::int64_t now_ms = partitions.environment().clock().wall_ms();
    Slice batch(record::build_end_transaction(
        {.producer_id = item.producer_id, .producer_epoch = item.producer_epoch}, item.committed,
        item.coordinator_epoch, now_ms));
    const record::ValidatedBatch facts{.size_bytes = batch.size(),
                                       .count = 1,
                                       .timestamp_type = static_cast<record::TimestampType>(
                                           partition.config().message_timestamp_type),
                                       .max_timestamp_ms = now_ms,
                                       .producer_id = item.producer_id,
                                       .producer_epoch = item.producer_epoch,
                                       .transactional = true,
                                       .control = true};
    const auto appended = partition.log().append(std::move(batch), facts,
                                                 {.leader_epoch = partition.leadership().epoch,
                                                  .now_ms = now_ms,
                                                  .from_coordinator = true,
                                                  .transaction_version = item.transaction_version});
    if (!appended) return std::unexpected(appended.error());
    partition.transaction_guards().clear(item.producer_id);
    partition.when_visible(*this, appended->last_offset + 1);
    return {};
  }

  bool decided_ = false;
  ErrorCode error_ = ErrorCode::none;
  env::Event event_;
};

}  // namespace

env::Task<std::vector<MarkerResult>> append_markers(LoopPartitions& partitions,
                                                    std::vector<MarkerItem> items,
                                                    MarkerRequest request) {
  const auto markings = std::make_unique<Marking[]>(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    co_await markings[i].begin(partitions, items[i]);
  }
  std::vector<MarkerResult> results;
  results.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    results.push_back(co_await markings[i].finish(request.deadline));
  }
  co_return results;
}

}  // namespace arus::replication
