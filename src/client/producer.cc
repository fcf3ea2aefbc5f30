#include "client/producer.h"

#include <fmt/core.h>

#include "client/producer_state.h"

namespace arus::client {
namespace {

std::optional<ByteView> view_of(const std::optional<Bytes>& bytes) {
  return bytes ? std::optional<ByteView>(*bytes) : std::nullopt;
}

std::vector<record::Header> headers_of(const ProducerRecord& record) {
  std::vector<record::Header> headers;
  headers.reserve(record.headers.size());
  for (const auto& header : record.headers) headers.push_back({header.key, view_of(header.value)});
  return headers;
}

}  // namespace

Producer::State::State(Cluster& cluster, ProducerOptions options)
    : cluster_(cluster),
      options_(std::move(options)),
      identity_wanted_(options_.idempotent && !options_.transactional_id) {
  ARUS_ASSERT(!options_.idempotent || options_.acks == -1);
  ARUS_ASSERT(!options_.transactional_id || options_.idempotent);
  if (options_.transactional_id) {
    transaction_.emplace(cluster, *options_.transactional_id, options_.transaction_timeout);
  }
  if (options_.idempotent) options_.max_in_flight = std::min(options_.max_in_flight, 5);
  env::spawn(gate_, run());
}

Producer::State::~State() { ARUS_ASSERT(gate_.running() == 0 && unreported_ == 0); }

env::Task<Result<>> Producer::State::reserve(std::size_t bytes, env::TimePoint deadline) {
  while (!stopping_ && buffered_bytes_ > 0 && buffered_bytes_ + bytes > options_.buffer_bytes) {
    hurry_below_ = next_number_;
    wake();
    if (!co_await room_.wait_until(deadline)) {
      co_return fail(ErrorCode::request_timed_out,
                     fmt::format("No room for {} bytes in the buffer of {} bytes in time", bytes,
                                 options_.buffer_bytes));
    }
  }
  if (stopping_) co_return fail(ErrorCode::invalid_request, "The producer is closed");
  co_return Result<>{};
}

Result<std::int32_t> Producer::State::choose_partition(const ProducerRecord& record,
                                                       std::int32_t partition_count,
                                                       std::size_t record_bytes) {
  if (record.partition) {
    if (*record.partition < 0 || *record.partition >= partition_count) {
      return fail(ErrorCode::unknown_topic_or_partition,
                  fmt::format("Topic {} has no partition {}, it has {}", record.topic,
                              *record.partition, partition_count));
    }
    return *record.partition;
  }
  if (record.key) return partition_for_key(*record.key, partition_count);
  return sticky_[record.topic].choose(partition_count, record_bytes, options_.batch_bytes,
                                      cluster_.environment().random().next());
}

env::Task<Result<>> Producer::State::send(ProducerRecord record, DeliveryReport report) {
  if (transaction_) ARUS_CO_TRY(transaction_->check_open());
  const env::TimePoint deadline = cluster_.now() + options_.max_block;
  const auto headers = headers_of(record);
  const std::size_t bytes =
      record::max_record_bytes(view_of(record.key), view_of(record.value), headers);
  if (bytes + record::format::header_bytes > options_.max_request_bytes) {
    co_return fail(ErrorCode::message_too_large,
                   fmt::format("The record takes {} bytes, more than the largest request of {}",
                               bytes + record::format::header_bytes, options_.max_request_bytes));
  }
  // The request must reach a partition that exists, so the topic is looked up (and made) first.
  auto topic = co_await cluster_.topic(record.topic, deadline, true);
  if (!topic) co_return fail(std::move(topic).error());
  if ((*topic)->partitions.empty()) {
    co_return fail(ErrorCode::corrupt_message,
                   fmt::format("Topic {} has no partitions", record.topic));
  }
  ARUS_CO_TRY(co_await reserve(bytes, deadline));
  const auto partition =
      choose_partition(record, static_cast<std::int32_t>((*topic)->partitions.size()), bytes);
  if (!partition) co_return fail(partition.error());
  // Waiting may have taken longer than the transaction.
  if (transaction_) ARUS_CO_TRY(transaction_->check_open());
  if (!topics_.contains(record.topic)) topics_[record.topic] = *topic;
  append(record, *partition, bytes, std::move(report));
  co_return Result<>{};
}

void Producer::State::append(ProducerRecord& record, std::int32_t partition,
                             std::size_t record_bytes, DeliveryReport report) {
  const env::TimePoint now = cluster_.now();
  TopicPartition name{record.topic, partition};
  auto& queue = partitions_.try_emplace(name, ProducerPartition{name}).first->second.queue;
  const auto headers = headers_of(record);
  const auto key = view_of(record.key);
  const auto value = view_of(record.value);
  if (!queue.empty() && queue.back()->encoded.empty() && !queue.back()->full &&
      !queue.back()->builder.has_room(options_.batch_bytes, key, value, headers)) {
    queue.back()->full = true;
  }
  const bool fresh = queue.empty() || queue.back()->full || !queue.back()->encoded.empty();
  if (fresh) {
    auto batch = std::make_shared<ProducerBatch>(
        batch_options(options_), std::exchange(next_number_, next_number_ + number_span));
    batch->ready_at = now + options_.linger;
    batch->deadline = now + options_.delivery_timeout;
    outstanding_.insert(batch->number);
    queue.push_back(std::move(batch));
  }
  auto& batch = *queue.back();
  const std::int64_t timestamp_ms =
      record.timestamp_ms.value_or(cluster_.environment().clock().wall_ms());
  batch.builder.append(timestamp_ms, key, value, headers);
  batch.timestamps_ms.push_back(timestamp_ms);
  batch.reports.push_back(std::move(report));
  batch.charged_bytes += record_bytes;
  buffered_bytes_ += record_bytes;
  ++unreported_;
  if (batch.builder.size_bytes() >= options_.batch_bytes) batch.full = true;
  if (batch.full || fresh) wake();
}

void Producer::State::finish(ProducerBatch& batch, const Result<Delivered>& first) {
  auto reports = std::exchange(batch.reports, {});
  buffered_bytes_ -= batch.charged_bytes;
  outstanding_.erase(batch.number);
  unreported_ -= reports.size();
  for (std::size_t i = 0; i < reports.size(); ++i) {
    if (!first) {
      reports[i](fail(first.error()));
      continue;
    }
    Delivered delivered = *first;
    if (delivered.offset != no_offset) delivered.offset += static_cast<std::int64_t>(i);
    if (delivered.timestamp_ms < 0) delivered.timestamp_ms = batch.timestamps_ms[i];
    reports[i](delivered);
  }
  room_.notify_all();
  progress_.notify_all();
}

void Producer::State::fail_batch(ProducerPartition& partition, const BatchPointer& batch,
                                 const Error& error) {
  // Numbers that were given out leave a gap, which the broker would refuse to jump over.
  if (transaction_) {
    transaction_->note_failure(error, batch->base_sequence != record::no_sequence);
  } else if (batch->base_sequence != record::no_sequence && batch->producer_id == producer_id_) {
    identity_wanted_ = true;
    partition.recovering = true;
  }
  finish(*batch, fail(error));
}

void Producer::State::fail_everything(const Error& error) {
  for (auto& [name, partition] : partitions_) {
    while (!partition.queue.empty()) {
      const BatchPointer batch = std::move(partition.queue.front());
      partition.queue.pop_front();
      fail_batch(partition, batch, error);
    }
  }
}

env::Task<void> Producer::State::flush() {
  const std::uint64_t end = next_number_;
  hurry_below_ = std::max(hurry_below_, end);
  for (auto& [name, partition] : partitions_) {
    if (!partition.queue.empty()) partition.queue.back()->full = true;
  }
  wake();
  while (!outstanding_.empty() && *outstanding_.begin() < end) co_await progress_.wait();
}

env::Task<void> Producer::State::close(env::TimePoint deadline) {
  hurry_below_ = UINT64_MAX;
  wake();
  while (!outstanding_.empty()) {
    if (!co_await progress_.wait_until(deadline)) break;
  }
  if (transaction_) {
    if (transaction_->phase() == ProducerTransaction::Phase::open) {
      static_cast<void>(co_await end_transaction(false, deadline));
    }
    transaction_->abandon();
  }
  stopping_ = true;
  fail_everything({ErrorCode::request_timed_out, "The producer was closed before the record left"});
  room_.notify_all();
  wake();
  co_await gate_.close();
}

Producer::Producer(Cluster& cluster, ProducerOptions options)
    : state_(std::make_unique<State>(cluster, std::move(options))) {}

Producer::~Producer() = default;

env::Task<Result<>> Producer::send(ProducerRecord record, DeliveryReport report) {
  co_return co_await state_->send(std::move(record), std::move(report));
}

env::Task<Result<Delivered>> Producer::send_and_wait(ProducerRecord record) {
  const env::OneShot<Result<Delivered>> outcome;
  ARUS_CO_TRY(co_await state_->send(std::move(record), [outcome](Result<Delivered> delivered) {
    outcome.set(std::move(delivered));
  }));
  co_return co_await outcome.wait();
}

env::Task<void> Producer::flush() { co_await state_->flush(); }

env::Task<Result<>> Producer::init_transactions(env::TimePoint deadline) {
  co_return co_await state_->init_transactions(deadline);
}
Result<> Producer::begin_transaction() { return state_->begin_transaction(); }
env::Task<Result<>> Producer::send_offsets(std::map<TopicPartition, CommittedOffset> offsets,
                                           GroupMetadata group, env::TimePoint deadline) {
  co_return co_await state_->send_offsets(std::move(offsets), std::move(group), deadline);
}
env::Task<Result<>> Producer::commit_transaction(env::TimePoint deadline) {
  co_return co_await state_->end_transaction(true, deadline);
}
env::Task<Result<>> Producer::abort_transaction(env::TimePoint deadline) {
  co_return co_await state_->end_transaction(false, deadline);
}

env::Task<void> Producer::close(env::TimePoint deadline) { co_await state_->close(deadline); }

std::size_t Producer::buffered_bytes() const { return state_->buffered_bytes(); }
std::size_t Producer::unreported() const { return state_->unreported(); }

}  // namespace arus::client
