// Sends records: collected into batches per partition, retried, in order, written once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/topic_partition.h"
#include "client/cluster.h"
#include "client/offset_calls.h"
#include "client/partitioner.h"
#include "client/record.h"
#include "record/compression.h"

namespace arus::client {

struct ProducerOptions {
  std::int16_t acks = -1;  // −1: all in-sync replicas, 1: the leader, 0: nobody
  // The broker drops what a retry sends twice and keeps the order; needs acks −1.
  bool idempotent = true;
  record::Compression compression = record::Compression::none;
  std::optional<std::int32_t> compression_level;
  env::Duration linger = env::milliseconds(5);           // how long a batch waits for more records
  std::size_t batch_bytes = 16 * 1024;                   // a batch this large waits no longer
  std::size_t max_request_bytes = std::size_t{1} << 20;  // largest record, and largest request
  std::size_t buffer_bytes = std::size_t{32} << 20;      // records that are not answered yet
  env::Duration delivery_timeout = env::seconds(120);    // from send() to its outcome
  env::Duration max_block = env::seconds(60);            // of send() for metadata and room
  env::Duration request_timeout = env::seconds(30);
  std::int32_t retries = INT32_MAX;
  std::int32_t max_in_flight = 5;  // requests per broker; with idempotence at most 5
  // Records are sent in transactions under this id; needs idempotence.
  std::optional<std::string> transactional_id;
  env::Duration transaction_timeout = env::seconds(60);  // then the coordinator aborts it
};

// Called once per record on the producer's loop. It must not call the producer.
using DeliveryReport = std::move_only_function<void(Result<Delivered>)>;

// Records of one partition are written in the order of their send() calls as long as the producer
// is idempotent or max_in_flight is 1. Every record that send() took is reported exactly once:
// with where it went, or with why it did not; a failure reported after the delivery timeout may
// have been written nevertheless.
// Owner: the cluster's loop. close() is awaited before it is destroyed.
class Producer {
 public:
  Producer(Cluster& cluster, ProducerOptions options);
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  // Completes when the record is in the buffer, which it waits for up to max_block; then `report`
  // follows later. When it completes with an error, `report` is never called.
  env::Task<Result<>> send(ProducerRecord record, DeliveryReport report);
  // The same, up to the record's outcome.
  env::Task<Result<Delivered>> send_and_wait(ProducerRecord record);
  // Sends what is collected without lingering; completes when everything sent so far is reported.
  env::Task<void> flush();
  // Transactions, with a transactional id. The first of them once, before anything else: it fences
  // whoever had the id before. A failure inside a transaction fails everything but
  // abort_transaction(); PRODUCER_FENCED fails that too. What fails with REQUEST_TIMED_OUT may be
  // called again.
  env::Task<Result<>> init_transactions(env::TimePoint deadline);
  Result<> begin_transaction();
  // The offsets become the group's when the transaction is committed. `group` is a consumer's
  // group_metadata(), so that a member which the group has forgotten commits nothing.
  env::Task<Result<>> send_offsets(std::map<TopicPartition, CommittedOffset> offsets,
                                   GroupMetadata group, env::TimePoint deadline);
  env::Task<Result<>> commit_transaction(env::TimePoint deadline);
  env::Task<Result<>> abort_transaction(env::TimePoint deadline);

  // Flushes until the deadline, aborts an open transaction, fails the rest with REQUEST_TIMED_OUT,
  // and ends.
  env::Task<void> close(env::TimePoint deadline);

  [[nodiscard]] std::size_t buffered_bytes() const;
  [[nodiscard]] std::size_t unreported() const;  // records

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace arus::client
