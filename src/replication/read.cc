#include "replication/read.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "env/file_range.h"
#include "record/batch.h"
#include "replication/late_reads.h"
#include "replication/patience.h"
#include "storage/batch_scanner.h"

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

struct Records {
  Chain batches;
  std::size_t size_bytes = 0;
  std::vector<storage::AbortedTransaction> aborted;
};

using RecordsRead = DiskRead<Records>;

Error needs_disk() { return {ErrorCode::kafka_storage_error, "This needs the disk", EAGAIN}; }

// Those that begin behind what was read come with what follows it. What is handed on as a range
// of a file is not looked at: a few too many do no harm.
void drop_aborted_behind(Offset from, Records& records) {
  if (records.aborted.empty()) return;
  Offset next = from;
  for (const Slice& piece : records.batches) {
    if (env::file_range_of(piece) != nullptr) return;
    record::BatchReader batches(piece.view());
    while (const auto batch = batches.next()) next = batch->last_offset() + 1;
  }
  std::erase_if(records.aborted, [next](const storage::AbortedTransaction& transaction) {
    return transaction.first_offset >= next;
  });
}

env::Task<void> read_records(std::shared_ptr<RecordsRead> read, Offset from,
                             storage::FetchBound bound, bool committed) {
  const Partition::Use use(read->partition());
  storage::Log& log = read->partition().log();
  Records records;
  auto fetched = co_await log.read(from, bound);
  if (!fetched) co_return read->finish(std::unexpected(std::move(fetched).error()));
  records.batches = std::move(fetched->records);
  records.size_bytes = fetched->size_bytes;
  if (committed && records.size_bytes > 0) {
    // A transaction index may need the disk.
    if (bound.cached_only) co_return read->finish(std::unexpected(needs_disk()));
    auto aborted = co_await log.aborted_transactions(from, bound.end);
    if (!aborted) co_return read->finish(std::unexpected(std::move(aborted).error()));
    records.aborted = std::move(*aborted);
    drop_aborted_behind(from, records);
  }
  read->finish(std::move(records));
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

  [[nodiscard]] bool is_hurried(LateReads& late_reads, env::TimePoint deadline) const {
    return late_reads.full(item_.id) || env::Loop::current()->now() >= deadline;
  }
  // Begins to read: what is cached is there when this returns.
  [[nodiscard]] std::shared_ptr<RecordsRead> begin(LateReads& late_reads,
                                                   storage::FetchBound bound) const {
    auto read = std::make_shared<RecordsRead>(late_reads, partition_);
    env::spawn_detached(read_records(read, item_.offset, bound, request_.committed));
    return read;
  }

  // While the disk stalls, or once it has taken the request's time: what is cached.
  env::Task<Result<>> read_cached(LateReads& late_reads, storage::FetchBound bound,
                                  env::TimePoint deadline) {
    const bool in_time = env::Loop::current()->now() < deadline;
    bound.cached_only = true;
    auto read = co_await begin(late_reads, bound)->wait_until(deadline);
    if (read || !storage::would_block(read.error())) co_return end(std::move(read));
    // Others of this request have had its time: this one comes first the next time.
    if (!in_time) co_return Result<>{};
    const Partition::Use use(*partition_);
    ARUS_CO_TRY(co_await late_reads.wait_for_room(item_.id, deadline));
    ARUS_CO_TRY(partition_->check_leader(item_.leader_epoch));
    bound.cached_only = false;
    co_return end(co_await begin(late_reads, bound)->wait_until(deadline));
  }

  Result<> end(Result<Records> read) {
    if (!read) return std::unexpected(std::move(read).error());
    result_.records = std::move(read->batches);
    result_.size_bytes = read->size_bytes;
    result_.aborted = std::move(read->aborted);
    // What was read while the partition changed hands is not said in the new leader's name.
    return partition_->check_leader(item_.leader_epoch);
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
  const env::TimePoint deadline = env::Loop::current()->now() + disk_patience;
  LateReads& late_reads = partitions.late_reads();
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
      } else if (!*bound) {
        continue;
      } else if (reading.is_hurried(late_reads, deadline)) {
        done = co_await reading.read_cached(late_reads, **bound, deadline);
      } else {
        const auto read = reading.begin(late_reads, **bound);
        done = reading.end(read->finished() ? read->take() : co_await read->wait_until(deadline));
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
