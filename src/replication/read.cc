#include "replication/read.h"

#include <algorithm>
#include <utility>

#include "env/file_range.h"
#include "record/batch.h"
#include "replication/patience.h"

namespace arus::replication {
namespace {

// Then others of the loop go on before the next partition is read.
constexpr std::size_t most_read_in_a_row = std::size_t{256} << 10;

// Where the client's history and this log part: nothing when they agree so far.
Result<std::optional<storage::EpochEnd>> divergence(const Partition& partition,
                                                    const ReadItem& item) {
  if (item.last_fetched_epoch < 0) return std::optional<storage::EpochEnd>{};
  const storage::EpochEnd end = partition.log().end_of_epoch(LeaderEpoch{item.last_fetched_epoch});
  if (end.epoch == no_leader_epoch) {
    return fail(ErrorCode::offset_out_of_range, "The log begins after that epoch");
  }
  if (end.epoch.value() < item.last_fetched_epoch || end.end < item.offset) {
    return std::optional{end};
  }
  return std::optional<storage::EpochEnd>{};
}

Result<> check_offset(const Partition& partition, Offset offset) {
  if (offset < partition.log().log_start() || offset > partition.log().log_end()) {
    return fail(ErrorCode::offset_out_of_range, "The offset is outside the log");
  }
  return {};
}

void describe(const Partition& partition, ReadResult& result) {
  result.high_watermark = partition.high_watermark();
  result.last_stable_offset = partition.last_stable_offset();
  result.log_start = partition.log().log_start();
}

// One item on its way. Everything that does not wait is done by plain functions, so that a
// partition with nothing new costs no coroutine.
class Reading {
 public:
  Reading(const ReadItem& item, const ReadRequest& request, ReadResult& result)
      : item_(item), request_(request), result_(result) {}

  // Finds the partition and who leads it.
  Result<> find(LoopPartitions& partitions) {
    auto found = partitions.find(item_.id);
    if (!found) return std::unexpected(std::move(found).error());
    partition_ = std::move(*found);
    result_.leadership = partition_->leadership();
    return partition_->check_leader(item_.leader_epoch);
  }
  [[nodiscard]] const std::shared_ptr<Partition>& partition() const { return partition_; }

  // What is to be read of an open partition; nothing where there is nothing for this client.
  Result<std::optional<storage::FetchBound>> bound(std::int64_t room, bool first) {
    auto diverging = divergence(*partition_, item_);
    if (!diverging) return std::unexpected(std::move(diverging).error());
    describe(*partition_, result_);
    result_.diverging = *diverging;
    if (*diverging) return std::nullopt;
    ARUS_TRY(check_offset(*partition_, item_.offset));
    const storage::FetchBound bound{
        .end = request_.committed ? result_.last_stable_offset : result_.high_watermark,
        .max_bytes = static_cast<std::int32_t>(std::min<std::int64_t>(item_.max_bytes, room)),
        .at_least_one_batch = first,
        .as_file = true};
    if (item_.offset >= bound.end || (bound.max_bytes <= 0 && !first)) return std::nullopt;
    return bound;
  }

  env::Task<Result<>> read(storage::FetchBound bound) {
    const Partition::Use use(*partition_);
    auto fetched = co_await partition_->log().read(item_.offset, bound);
    if (!fetched) co_return std::unexpected(std::move(fetched).error());
    result_.records = std::move(fetched->records);
    result_.size_bytes = fetched->size_bytes;
    if (request_.committed && result_.size_bytes > 0) {
      auto aborted = co_await partition_->log().aborted_transactions(item_.offset, bound.end);
      if (!aborted) co_return std::unexpected(std::move(aborted).error());
      result_.aborted = std::move(*aborted);
      drop_aborted_behind();
    }
    // What was read while the partition changed hands is not said in the new leader's name.
    co_return partition_->check_leader(item_.leader_epoch);
  }

  // Those that begin behind what was read come with what follows it. What is handed on as a range
  // of a file is not looked at: a few too many do no harm.
  void drop_aborted_behind() {
    if (result_.aborted.empty()) return;
    Offset next = item_.offset;
    for (const Slice& piece : result_.records) {
      if (env::file_range_of(piece) != nullptr) return;
      record::BatchReader batches(piece.view());
      while (const auto batch = batches.next()) next = batch->last_offset() + 1;
    }
    std::erase_if(result_.aborted, [next](const storage::AbortedTransaction& transaction) {
      return transaction.first_offset >= next;
    });
  }

  void refuse(ErrorCode code) {
    const Leadership leadership = result_.leadership;
    result_ = ReadResult{.error = code, .leadership = leadership};
  }

 private:
  const ReadItem& item_;
  const ReadRequest& request_;
  ReadResult& result_;
  std::shared_ptr<Partition> partition_;
};

}  // namespace

env::Task<std::vector<ReadResult>> read(LoopPartitions& partitions, std::vector<ReadItem> items,
                                        ReadRequest request) {
  std::vector<ReadResult> results(items.size());
  std::int64_t room = request.max_bytes;
  bool first = request.at_least_one_batch;
  const env::TimePoint deadline = env::Loop::current()->now() + open_patience;
  std::size_t in_a_row = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (in_a_row >= most_read_in_a_row) {
      in_a_row = 0;
      co_await env::yield();
    }
    Reading reading(items[i], request, results[i]);
    Result<> done = reading.find(partitions);
    if (done && !reading.partition()->is_open()) {
      done = co_await reading.partition()->opened(deadline);
    }
    if (done) {
      const auto bound = reading.bound(room, first);
      if (!bound) {
        done = std::unexpected(bound.error());
      } else if (*bound) {
        done = co_await reading.read(**bound);
      }
    }
    if (!done) {
      reading.refuse(done.error().code);
      continue;
    }
    room -= static_cast<std::int64_t>(results[i].size_bytes);
    first = first && results[i].size_bytes == 0;
    in_a_row += results[i].size_bytes;
  }
  co_return results;
}

class ReadWatch::Watch final : public ProgressWatch {
 public:
  void attach(ReadWatch& owner, std::shared_ptr<Partition> partition) {
    owner_ = &owner;
    partition_ = std::move(partition);
    epoch_ = partition_->leadership().epoch;
    size_bytes_ = partition_->is_open() ? partition_->log().size_bytes() : 0;
    partition_->watch(*this);
  }
  void on_partition_changed() override {
    if (!partition_->check_leader(epoch_.value()) || !partition_->is_open()) {
      owner_->wake_now();
      return;
    }
    const std::int64_t size_bytes = partition_->log().size_bytes();
    // A log that became shorter has lost its beginning or its tail: look again.
    if (size_bytes <= size_bytes_) {
      owner_->wake_now();
      return;
    }
    owner_->grown(size_bytes - std::exchange(size_bytes_, size_bytes));
  }

 private:
  ReadWatch* owner_ = nullptr;
  std::shared_ptr<Partition> partition_;
  LeaderEpoch epoch_;
  std::int64_t size_bytes_ = 0;
};

ReadWatch::ReadWatch(LoopPartitions& partitions, const std::vector<Seen>& seen,
                     std::int64_t missing_bytes, env::Work wake)
    : watches_(std::make_unique<Watch[]>(seen.size())),
      missing_bytes_(missing_bytes),
      wake_(std::move(wake)) {
  for (std::size_t i = 0; i < seen.size(); ++i) {
    auto partition = partitions.find(seen[i].id);
    if (!partition || (*partition)->closed()) {
      wake_now();
      return;
    }
    const bool moved =
        (*partition)->is_open() && (*partition)->high_watermark() != seen[i].high_watermark;
    watches_[i].attach(*this, std::move(*partition));
    if (moved) {
      wake_now();
      return;
    }
  }
}

ReadWatch::~ReadWatch() = default;

void ReadWatch::grown(std::int64_t bytes) {
  missing_bytes_ -= bytes;
  if (missing_bytes_ <= 0) wake_now();
}

void ReadWatch::wake_now() {
  if (!wake_) return;
  std::exchange(wake_, env::Work{})();
}

}  // namespace arus::replication
