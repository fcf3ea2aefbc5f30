#include "replication/append.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "replication/batch_work.h"

namespace arus::replication {
namespace {

// All items of one request on one loop. Shared with the tasks that finish appends which had to
// wait for their turn; those may outlive the request when its time is up.
class AppendGroup : public std::enable_shared_from_this<AppendGroup> {
 public:
  AppendGroup(LoopPartitions& partitions, std::vector<AppendItem> items,
              const AppendRequest& request)
      : partitions_(partitions),
        request_(request),
        items_(std::move(items)),
        waits_(std::make_unique<Wait[]>(items_.size())),
        results_(items_.size()),
        pending_(items_.size()) {
    for (std::size_t i = 0; i < items_.size(); ++i) waits_[i].attach(*this, i);
  }

  void begin() {
    for (std::size_t i = 0; i < items_.size(); ++i) begin_one(i);
  }

  env::Task<std::vector<AppendResult>> finish() {
    while (pending_ > 0) {
      if (!co_await decided_.wait_until(request_.deadline) && pending_ > 0) give_up();
    }
    // Tasks that still wait for their turn look at the results of an abandoned request.
    if (abandoned_) co_return results_;
    co_return std::move(results_);
  }

 private:
  class Wait final : public AppendWait {
   public:
    void attach(AppendGroup& group, std::size_t index) {
      group_ = &group;
      index_ = index;
    }
    void on_decided(const Result<>& outcome) override { group_->decide(index_, outcome); }
    bool decided = false;

   private:
    AppendGroup* group_ = nullptr;
    std::size_t index_ = 0;
  };

  void decide(std::size_t index, const Result<>& outcome) {
    if (waits_[index].decided) return;
    waits_[index].decided = true;
    if (!outcome) results_[index].error = outcome.error();
    if (--pending_ == 0) decided_.notify_all();
  }
  void refuse(std::size_t index, Error error) { decide(index, std::unexpected(std::move(error))); }

  void give_up() {
    abandoned_ = true;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      waits_[i].unlink();
      refuse(i, {ErrorCode::request_timed_out, "The records are not yet durable", 0});
    }
  }

  void begin_one(std::size_t index) {
    auto partition = partitions_.find(items_[index].id);
    if (!partition) {
      refuse(index, partition.error());
      return;
    }
    Partition& target = **partition;
    if (const auto leads = target.check_leader(); !leads) {
      results_[index].leadership = target.leadership();
      refuse(index, leads.error());
      return;
    }
    if (target.is_open() && target.append_is_free() && fits_loop(target, index)) {
      auto outcome = validate_here(target, index);
      const bool small = !BatchWork::too_much_for_loop(outcome, items_[index].records.view());
      if (small && !accept(outcome, index)) return;
      if (small && !outcome->recompress_to) {
        append_now(target, index, std::move(items_[index].records), *outcome);
        return;
      }
    }
    env::spawn(partitions_.gate(),
               append_in_turn(shared_from_this(), *partition, index, target.take_append_ticket()));
  }

  [[nodiscard]] record::ValidationOptions options_for(const Partition& partition) const {
    const config::TopicConfig& config = partition.config();
    std::optional<record::Compression> target;
    if (config.compression_type != config::CompressionType::producer) {
      target = static_cast<record::Compression>(config.compression_type);
    }
    return {.now_ms = partitions_.environment().clock().wall_ms(),
            .header_only = config.batch_validation == config::BatchValidation::header,
            .max_message_bytes = static_cast<std::size_t>(std::max(config.max_message_bytes, 0)),
            .timestamp_type = static_cast<record::TimestampType>(config.message_timestamp_type),
            .timestamp_before_max_ms = config.message_timestamp_before_max_ms,
            .timestamp_after_max_ms = config.message_timestamp_after_max_ms,
            .compacted = config.cleanup_compact,
            .target_compression = target,
            .zstd_allowed = request_.zstd_allowed};
  }

  [[nodiscard]] bool fits_loop(const Partition& partition, std::size_t index) const {
    return partition.config().batch_validation == config::BatchValidation::header ||
           BatchWork::fits_loop(items_[index].records.view());
  }

  record::Validation validate_here(const Partition& partition, std::size_t index) {
    const std::string name = partition.name().to_string();
    record::ValidationOptions options = BatchWork::on_loop(options_for(partition));
    options.partition = name;
    return partitions_.batch_validator().validate(items_[index].records.view(), options);
  }

  env::Task<record::Validation> validate_late(const Partition& partition, std::size_t index) {
    if (fits_loop(partition, index)) {
      auto outcome = validate_here(partition, index);
      if (!BatchWork::too_much_for_loop(outcome, items_[index].records.view())) co_return outcome;
    }
    co_return co_await partitions_.batch_work().validate(
        items_[index].records, options_for(partition), partition.name().to_string());
  }

  // False when the item was refused.
  bool accept(record::Validation& outcome, std::size_t index) {
    if (outcome) return true;
    results_[index].record_errors = std::move(outcome.error().record_errors);
    refuse(index, std::move(outcome.error().error));
    return false;
  }

  void append_now(Partition& partition, std::size_t index, Slice batch,
                  const record::ValidatedBatch& facts) {
    if (request_.all_replicas) {
      if (const auto enough = partition.check_in_sync(); !enough) {
        refuse(index, enough.error());
        return;
      }
    }
    if (request_.verify_transactions && facts.transactional &&
        !is_verified(partition, index, facts)) {
      return;
    }
    const storage::AppendOptions options{.leader_epoch = partition.leadership().epoch,
                                         .now_ms = partitions_.environment().clock().wall_ms(),
                                         .transaction_version = request_.transaction_version};
    if (batch.size() > facts.size_bytes) batch = batch.sub(0, facts.size_bytes);
    const auto appended = partition.log().append(std::move(batch), facts, options);
    AppendResult& result = results_[index];
    if (!appended) {
      refuse(index, appended.error());
      return;
    }
    if (facts.transactional) {
      partition.transaction_guards().appended(facts.producer_id, facts.producer_epoch,
                                              facts.base_sequence);
    }
    result.base_offset = appended->base_offset;
    result.log_append_time_ms = appended->log_append_time_ms;
    result.log_start = partition.log().log_start();
    if (request_.wait_until_visible && !waits_[index].decided) {
      partition.when_visible(waits_[index], appended->last_offset + 1);
    } else {
      decide(index, {});
    }
  }

  // Whether the batch belongs to a transaction that is open here, or may open it.
  bool is_verified(Partition& partition, std::size_t index, const record::ValidatedBatch& facts) {
    TransactionGuards& guards = partition.transaction_guards();
    const std::uint64_t guard = items_[index].guard;
    const bool overtakes = guard == TransactionGuards::no_guard &&
                           guards.holds_back(facts.producer_id, facts.producer_epoch);
    if (!overtakes &&
        partition.log().has_open_transaction(facts.producer_id, facts.producer_epoch)) {
      return true;
    }
    if (guard == TransactionGuards::no_guard) {
      results_[index].unverified =
          guards.begin(facts.producer_id, facts.producer_epoch, facts.base_sequence);
      decide(index, {});
      return false;
    }
    // In protocol 2 the log itself sees that a transaction begins at sequence 0.
    const auto verified = guards.check(facts.producer_id, guard, facts.base_sequence,
                                       request_.transaction_version < 2);
    if (!verified) refuse(index, verified.error());
    return verified.has_value();
  }

  static env::Task<void> append_in_turn(std::shared_ptr<AppendGroup> group,
                                        std::shared_ptr<Partition> partition, std::size_t index,
                                        std::uint64_t ticket) {
    const Partition::Use use(*partition);
    co_await partition->wait_for_append_turn(ticket);
    co_await group->append_late(*partition, index);
    partition->end_append_turn();
  }

  // The batch is appended even when the request's time is up by now: the order of the producer's
  // batches must not have holes.
  env::Task<void> append_late(Partition& partition, std::size_t index) {
    if (const auto leads = partition.check_leader(); !leads) {
      results_[index].leadership = partition.leadership();
      refuse(index, leads.error());
      co_return;
    }
    auto facts = co_await validate_late(partition, index);
    if (!accept(facts, index)) co_return;
    Slice batch = std::move(items_[index].records);
    if (facts->recompress_to) {
      auto fresh = co_await recompress(partition.config(), batch, *facts);
      if (!fresh) {
        refuse(index, fresh.error());
        co_return;
      }
      batch = Slice(std::move(*fresh));
      facts->size_bytes = batch.size();
      facts->compression = *facts->recompress_to;
      facts->recompress_to.reset();
    }
    if (const auto leads = partition.check_leader(); !leads) {
      refuse(index, leads.error());
      co_return;
    }
    append_now(partition, index, std::move(batch), *facts);
  }

  env::Task<Result<Bytes>> recompress(const config::TopicConfig& config, Slice batch,
                                      const record::ValidatedBatch& facts) {
    const record::RecompressOptions options{
        .compression = *facts.recompress_to,
        .level = level_of(config, *facts.recompress_to),
        .max_batch_bytes = static_cast<std::size_t>(std::max(config.max_message_bytes, 0))};
    co_return co_await partitions_.batch_work().recompress(std::move(batch), options);
  }

  static std::optional<std::int32_t> level_of(const config::TopicConfig& config,
                                              record::Compression compression) {
    switch (compression) {
      case record::Compression::gzip:
        return config.compression_gzip_level;
      case record::Compression::lz4:
        return config.compression_lz4_level;
      case record::Compression::zstd:
        return config.compression_zstd_level;
      default:
        return std::nullopt;
    }
  }

  LoopPartitions& partitions_;
  AppendRequest request_;
  std::vector<AppendItem> items_;
  std::unique_ptr<Wait[]> waits_;
  std::vector<AppendResult> results_;
  std::size_t pending_;
  env::Event decided_;
  bool abandoned_ = false;
};

}  // namespace

env::Task<std::vector<AppendResult>> append(LoopPartitions& partitions,
                                            std::vector<AppendItem> items, AppendRequest request) {
  const auto group = std::make_shared<AppendGroup>(partitions, std::move(items), request);
  group->begin();
  co_return co_await group->finish();
}

}  // namespace arus::replication
