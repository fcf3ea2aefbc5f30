// What a Producer is made of: batches that collect, wait, travel, and come back.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "client/producer.h"
#include "client/producer_transaction.h"
#include "record/builder.h"

namespace arus::protocol {
struct ProduceResponse;
}

namespace arus::client {

// Batches are numbered so far apart that the parts of a split one fit in between.
inline constexpr std::uint64_t number_span = 1 << 20;

// Records of one partition that travel together. Open until it is first sent; after that its bytes
// stay as they are, so that a broker recognises a repetition.
struct ProducerBatch {
  ProducerBatch(const record::BatchOptions& options, std::uint64_t batch_number)
      : builder(options), number(batch_number) {}

  record::BatchBuilder builder;
  std::uint64_t number;              // ascends over all partitions in the order of opening
  std::uint64_t span = number_span;  // numbers below number + span are its parts'
  std::vector<DeliveryReport> reports;
  std::vector<std::int64_t> timestamps_ms;
  std::size_t charged_bytes = 0;  // of the producer's buffer
  env::TimePoint ready_at;        // the end of its lingering, or of a pause before another try
  env::TimePoint deadline;        // of its delivery
  bool full = false;              // takes no more records
  std::int32_t tries = 0;
  Slice encoded;  // empty while open
  ProducerId producer_id = no_producer;
  std::int32_t base_sequence = record::no_sequence;

  [[nodiscard]] std::int32_t count() const { return static_cast<std::int32_t>(reports.size()); }
};
using BatchPointer = std::shared_ptr<ProducerBatch>;

// Batches that wait, in the order in which they must be written. Only the last may be open.
struct ProducerPartition {
  TopicPartition name;
  std::deque<BatchPointer> queue;
  std::int32_t in_flight = 0;
  std::int32_t next_sequence = 0;
  bool recovering = false;  // nothing is sent until what is under way has come back
};

[[nodiscard]] inline record::BatchOptions batch_options(const ProducerOptions& options) {
  return {.compression = options.compression,
          .level = options.compression_level,
          .transactional = options.transactional_id.has_value()};
}

// One partition's part of a request under way.
struct TravellingBatch {
  ProducerPartition* partition;
  BatchPointer batch;
};

// The sender is one task: it looks what is ready, gives each leader a request, and waits for news.
// Each request under way is a task of its own.
class Producer::State {
 public:
  State(Cluster& cluster, ProducerOptions options);
  ~State();

  env::Task<Result<>> send(ProducerRecord record, DeliveryReport report);
  env::Task<void> flush();
  // Transactions (producer_transactions.cc).
  [[nodiscard]] Result<> check_transactional() const;
  env::Task<Result<>> init_transactions(env::TimePoint deadline);
  Result<> begin_transaction();
  env::Task<Result<>> send_offsets(std::map<TopicPartition, CommittedOffset> offsets,
                                   GroupMetadata group, env::TimePoint deadline);
  env::Task<Result<>> end_transaction(bool commit, env::TimePoint deadline);
  env::Task<void> close(env::TimePoint deadline);
  [[nodiscard]] std::size_t buffered_bytes() const { return buffered_bytes_; }
  [[nodiscard]] std::size_t unreported() const { return unreported_; }

 private:
  struct Leader {
    std::int32_t requests = 0;
  };

  // Collecting (producer.cc).
  env::Task<Result<>> reserve(std::size_t bytes, env::TimePoint deadline);
  Result<std::int32_t> choose_partition(const ProducerRecord& record, std::int32_t partition_count,
                                        std::size_t record_bytes);
  void append(ProducerRecord& record, std::int32_t partition, std::size_t record_bytes,
              DeliveryReport report);
  void finish(ProducerBatch& batch, const Result<Delivered>& first);
  void fail_batch(ProducerPartition& partition, const BatchPointer& batch, const Error& error);
  void fail_everything(const Error& error);
  void adopt_identity();
  void fail_doomed();
  [[nodiscard]] bool admitted(const TopicPartition& name);
  env::Task<void> add_partitions();

  // Sending (producer_sender.cc).
  env::Task<void> run();
  void wake();
  void expire();
  env::TimePoint collect(std::map<BrokerId, std::vector<TravellingBatch>>& ready);
  [[nodiscard]] bool may_send(const ProducerPartition& partition) const;
  void seal(ProducerPartition& partition, ProducerBatch& batch);
  env::Task<void> travel(BrokerId leader, std::vector<TravellingBatch> batches);
  env::Task<void> exchange(BrokerId leader, std::vector<TravellingBatch>& batches);
  [[nodiscard]] Result<Delivered> outcome_of(const TravellingBatch& travelling,
                                             const protocol::ProduceResponse& answer) const;
  void settle(const TravellingBatch& travelling, const Result<Delivered>& outcome);
  void retry(const TravellingBatch& travelling);
  void split(ProducerPartition& partition, const BatchPointer& batch);
  env::Task<void> look_up(std::string topic);
  env::Task<void> acquire_identity();

  Cluster& cluster_;
  ProducerOptions options_;
  std::map<TopicPartition, ProducerPartition> partitions_;
  std::map<std::string, StickyPartition> sticky_;
  std::map<BrokerId, Leader> leaders_;
  std::map<std::string, TopicPointer> topics_;  // as the sender last learnt them
  std::set<std::string> looking_up_;
  std::set<std::uint64_t> outstanding_;  // numbers of batches that are not reported
  std::uint64_t next_number_ = 0;
  std::uint64_t hurry_below_ = 0;  // batches opened before this one do not linger
  std::size_t buffered_bytes_ = 0;
  std::size_t unreported_ = 0;
  std::int32_t requests_ = 0;  // under way, to all leaders
  ProducerId producer_id_ = no_producer;
  std::int16_t producer_epoch_ = record::no_producer_epoch;
  bool identity_wanted_;
  std::optional<ProducerTransaction> transaction_;
  bool adding_ = false;  // partitions to the transaction
  bool acquiring_ = false;
  bool stopping_ = false;
  bool news_ = false;  // something happened since the sender last looked
  record::CodecScratch scratch_;
  env::Event wake_;
  env::Event room_;
  env::Event progress_;
  env::Gate gate_;
};

}  // namespace arus::client
