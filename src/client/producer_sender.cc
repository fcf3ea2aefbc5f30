#include <fmt/core.h>

#include "base/log.h"
#include "client/producer_state.h"
#include "protocol/api/init_producer_id.h"
#include "protocol/api/produce.h"
#include "record/batch.h"

namespace arus::client {
namespace {

const LogComponent log_{"client.producer"};

// Gives a batch that was built before another producer's identity and place in its sequence.
void restamp(MutableByteView batch, ProducerId id, std::int16_t epoch, std::int32_t sequence) {
  store_big(batch.data() + record::format::producer_id_at, id.value());
  store_big(batch.data() + record::format::producer_epoch_at, epoch);
  store_big(batch.data() + record::format::base_sequence_at, sequence);
  const auto view = record::BatchView::parse(batch);
  ARUS_ASSERT(view);
  store_big(batch.data() + record::format::crc_at, view->compute_crc());
}

// From the next version on, a produce request itself adds the partition to the transaction.
constexpr std::int16_t last_produce_before_version_2 = 11;

// What asking anew, perhaps another broker, cannot cure.
bool is_final(ErrorCode code) {
  return !is_retriable(code) && code != ErrorCode::request_timed_out &&
         code != ErrorCode::broker_not_available && code != ErrorCode::unknown_server_error;
}

}  // namespace

void Producer::State::wake() {
  news_ = true;
  wake_.notify_all();
}

env::Task<void> Producer::State::run() {
  while (!stopping_ || !outstanding_.empty() || requests_ > 0) {
    news_ = false;
    expire();
    fail_doomed();
    if (identity_wanted_ && requests_ == 0 && !acquiring_ && !outstanding_.empty()) {
      acquiring_ = true;
      env::spawn(gate_, acquire_identity());
    }
    std::map<BrokerId, std::vector<TravellingBatch>> ready;
    const env::TimePoint next = collect(ready);
    for (auto& [leader, batches] : ready) {
      ++requests_;
      ++leaders_[leader].requests;
      env::spawn(gate_, travel(leader, std::move(batches)));
    }
    if (!news_) co_await wake_.wait_until(next);
  }
}

void Producer::State::expire() {
  const env::TimePoint now = cluster_.now();
  for (auto& [name, partition] : partitions_) {
    while (!partition.queue.empty() && partition.queue.front()->deadline <= now) {
      const BatchPointer batch = std::move(partition.queue.front());
      partition.queue.pop_front();
      fail_batch(
          partition, batch,
          {ErrorCode::request_timed_out, fmt::format("{} records for {} were not delivered in time",
                                                     batch->count(), name.to_string())});
    }
  }
}

bool Producer::State::may_send(const ProducerPartition& partition) const {
  if (partition.queue.empty() || partition.recovering ||
      partition.in_flight >= options_.max_in_flight)
    return false;
  return !options_.idempotent || (!identity_wanted_ && producer_id_ != no_producer);
}

env::TimePoint Producer::State::collect(std::map<BrokerId, std::vector<TravellingBatch>>& ready) {
  const env::TimePoint now = cluster_.now();
  env::TimePoint next = env::never;
  std::map<BrokerId, std::size_t> sizes;
  for (auto& [name, partition] : partitions_) {
    if (partition.recovering && partition.in_flight == 0 && !identity_wanted_) {
      partition.recovering = false;
    }
    if (partition.queue.empty()) continue;
    ProducerBatch& batch = *partition.queue.front();
    next = std::min(next, batch.deadline);
    if (!may_send(partition)) continue;
    const bool open = batch.encoded.empty();
    const bool hurried =
        open && (batch.full || batch.number < hurry_below_ || partition.queue.size() > 1);
    if (!hurried && batch.ready_at > now) {
      next = std::min(next, batch.ready_at);
      continue;
    }
    const auto topic = topics_.find(name.topic);
    const PartitionInfo* info =
        topic == topics_.end() ? nullptr : topic->second->partition(name.partition);
    if (info == nullptr || info->leader == no_broker) {
      if (looking_up_.insert(name.topic).second) env::spawn(gate_, look_up(name.topic));
      continue;
    }
    if (leaders_[info->leader].requests >= options_.max_in_flight) continue;
    if (!admitted(name)) continue;
    const std::size_t plain_bytes = open ? batch.builder.size_bytes() : batch.encoded.size();
    std::size_t& size = sizes[info->leader];
    if (size > 0 && size + plain_bytes > options_.max_request_bytes) {
      news_ = true;  // the rest goes into another request at once
      continue;
    }
    size += plain_bytes;
    seal(partition, batch);
    ready[info->leader].push_back({&partition, partition.queue.front()});
    partition.queue.pop_front();
    ++partition.in_flight;
    if (!partition.queue.empty()) news_ = true;
  }
  return next;
}

void Producer::State::seal(ProducerPartition& partition, ProducerBatch& batch) {
  const bool numbered =
      batch.base_sequence != record::no_sequence && batch.producer_id == producer_id_;
  if (options_.idempotent && !numbered) {
    batch.producer_id = producer_id_;
    batch.base_sequence = partition.next_sequence;
    partition.next_sequence = record::add_to_sequence(partition.next_sequence, batch.count());
    if (batch.encoded.empty()) {
      batch.builder.set_producer(producer_id_, producer_epoch_, batch.base_sequence);
    } else {
      restamp(batch.encoded.mutable_view(), producer_id_, producer_epoch_, batch.base_sequence);
    }
  }
  if (batch.encoded.empty()) batch.encoded = Slice(batch.builder.build(scratch_));
}

env::Task<void> Producer::State::travel(BrokerId leader, std::vector<TravellingBatch> batches) {
  co_await exchange(leader, batches);
  --requests_;
  --leaders_[leader].requests;
  progress_.notify_all();
  wake();
}

env::Task<void> Producer::State::exchange(BrokerId leader, std::vector<TravellingBatch>& batches) {
  const env::TimePoint deadline = cluster_.now() + options_.request_timeout;
  protocol::ProduceRequest request;
  request.acks = options_.acks;
  request.transactional_id = options_.transactional_id;
  request.timeout_ms = static_cast<std::int32_t>(
      std::chrono::duration_cast<env::milliseconds>(options_.request_timeout).count());
  for (const auto& travelling : batches) {
    const auto& name = travelling.partition->name;
    if (request.topic_data.empty() || request.topic_data.back().name != name.topic) {
      auto& data = request.topic_data.emplace_back();
      data.name = name.topic;
      const auto topic = topics_.find(name.topic);
      if (topic != topics_.end()) data.topic_id = topic->second->id;
    }
    auto& data = request.topic_data.back().partition_data.emplace_back();
    data.index = name.partition;
    data.records = travelling.batch->encoded;
  }
  auto connection = co_await cluster_.connect(Route::one(leader), deadline);
  if (!connection) {
    for (const auto& travelling : batches) settle(travelling, fail(connection.error()));
    co_return;
  }
  if (options_.acks == 0) {
    auto written = co_await (*connection)->tell(std::move(request), deadline);
    for (const auto& travelling : batches) {
      settle(travelling, written
                             ? Result<Delivered>(Delivered{travelling.partition->name.partition})
                             : Result<Delivered>(fail(written.error())));
    }
    co_return;
  }
  const bool old_transaction = transaction_ && !transaction_->version2();
  auto answer = co_await (*connection)
                    ->ask(std::move(request), deadline,
                          old_transaction ? last_produce_before_version_2 : INT16_MAX);
  for (const auto& travelling : batches) {
    settle(travelling,
           answer ? outcome_of(travelling, *answer) : Result<Delivered>(fail(answer.error())));
  }
}

Result<Delivered> Producer::State::outcome_of(const TravellingBatch& travelling,
                                              const protocol::ProduceResponse& answer) const {
  const auto& name = travelling.partition->name;
  const auto topic = topics_.find(name.topic);
  for (const auto& response : answer.responses) {
    const bool same =
        response.name == name.topic ||
        (response.name.empty() && topic != topics_.end() && response.topic_id == topic->second->id);
    if (!same) continue;
    for (const auto& partition : response.partition_responses) {
      if (partition.index != name.partition) continue;
      if (partition.error_code == ErrorCode::none) {
        return Delivered{name.partition, Offset{partition.base_offset},
                         partition.log_append_time_ms};
      }
      std::string message = partition.error_message.value_or("");
      for (const auto& record : partition.record_errors) {
        if (message.empty()) message = record.batch_index_error_message.value_or("");
      }
      if (message.empty()) message = error_name(partition.error_code);
      return fail(partition.error_code, std::move(message));
    }
  }
  return fail(ErrorCode::corrupt_message,
              fmt::format("The answer does not mention {}", name.to_string()));
}

void Producer::State::settle(const TravellingBatch& travelling, const Result<Delivered>& outcome) {
  ProducerPartition& partition = *travelling.partition;
  const BatchPointer& batch = travelling.batch;
  --partition.in_flight;
  if (outcome) {
    finish(*batch, outcome);
    return;
  }
  const ErrorCode code = outcome.error().code;
  log_.debug("a batch came back partition={} sequence={} error={}", partition.name.to_string(),
             batch->base_sequence, error_name(code));
  if (code == ErrorCode::duplicate_sequence_number) {
    finish(*batch, Delivered{partition.name.partition, no_offset, -1});
  } else if (code == ErrorCode::message_too_large && batch->count() > 1 && batch->span > 1) {
    split(partition, batch);
  } else if (transaction_ && is_final(code) && !partition.recovering) {
    fail_batch(partition, batch, outcome.error());
  } else if (options_.idempotent && (code == ErrorCode::out_of_order_sequence_number ||
                                     code == ErrorCode::unknown_producer_id ||
                                     code == ErrorCode::invalid_producer_epoch)) {
    // Behind a batch that failed this is to be expected; otherwise the broker has lost count.
    if (!partition.recovering && !transaction_) identity_wanted_ = true;
    retry(travelling);
  } else if (!is_final(code)) {
    cluster_.forget(partition.name.topic);
    topics_.erase(partition.name.topic);
    retry(travelling);
  } else {
    fail_batch(partition, batch, outcome.error());
  }
}

void Producer::State::retry(const TravellingBatch& travelling) {
  ProducerPartition& partition = *travelling.partition;
  const BatchPointer& batch = travelling.batch;
  const env::TimePoint now = cluster_.now();
  if (stopping_ || batch->tries >= options_.retries || batch->deadline <= now) {
    fail_batch(
        partition, batch,
        {ErrorCode::request_timed_out, fmt::format("{} records for {} were not delivered in time",
                                                   batch->count(), partition.name.to_string())});
    return;
  }
  auto pause = cluster_.options().retry_backoff;
  for (int i = 0; i < batch->tries && pause < cluster_.options().retry_backoff_max; ++i) pause *= 2;
  batch->ready_at = now + std::min(pause, cluster_.options().retry_backoff_max);
  ++batch->tries;
  if (options_.idempotent) partition.recovering = true;
  const auto place = std::ranges::find_if(
      partition.queue, [&](const BatchPointer& other) { return other->number > batch->number; });
  partition.queue.insert(place, batch);
}

// The broker takes no batch of this size: each half travels alone. Both count as the batch that
// they were, the second half right behind the first.
void Producer::State::split(ProducerPartition& partition, const BatchPointer& batch) {
  const auto view = record::BatchView::parse(batch->encoded.view());
  ARUS_ASSERT(view);
  record::RecordReader reader{*view, scratch_};
  const std::int32_t half = batch->count() / 2;
  BatchPointer parts[2];
  for (auto& part : parts) {
    part = std::make_shared<ProducerBatch>(batch_options(options_), batch->number);
    part->deadline = batch->deadline;
    part->full = true;
    part->tries = batch->tries;
    part->producer_id = batch->producer_id;
  }
  for (std::int32_t i = 0; i < batch->count(); ++i) {
    const auto record = reader.next();
    ARUS_ASSERT(record);
    std::vector<record::Header> headers;
    auto header_reader = record->headers();
    while (auto header = header_reader.next()) headers.push_back(*header);
    ProducerBatch& part = *parts[i < half ? 0 : 1];
    const auto at = static_cast<std::size_t>(i);
    part.builder.append(record->timestamp_ms, record->key, record->value, headers);
    part.reports.push_back(std::move(batch->reports[at]));
    part.timestamps_ms.push_back(batch->timestamps_ms[at]);
  }
  parts[0]->charged_bytes = batch->charged_bytes / 2;
  parts[1]->charged_bytes = batch->charged_bytes - parts[0]->charged_bytes;
  for (auto& part : parts) part->span = batch->span / 2;
  parts[1]->number = batch->number + batch->span / 2;
  outstanding_.insert(parts[1]->number);
  if (batch->base_sequence != record::no_sequence) {
    std::int32_t sequence = batch->base_sequence;
    for (auto& part : parts) {
      part->base_sequence = sequence;
      part->builder.set_producer(producer_id_, producer_epoch_, sequence);
      sequence = record::add_to_sequence(sequence, part->count());
    }
    partition.recovering = true;
  }
  const auto place = std::ranges::find_if(
      partition.queue, [&](const BatchPointer& other) { return other->number > batch->number; });
  partition.queue.insert(place, {parts[0], parts[1]});
}

env::Task<void> Producer::State::look_up(std::string topic) {
  const env::TimePoint deadline = cluster_.now() + cluster_.options().request_timeout;
  cluster_.forget(topic);
  auto found = co_await cluster_.topic(topic, deadline, true);
  if (found) {
    topics_[topic] = *found;
    const bool complete = std::ranges::none_of(
        (*found)->partitions, [](const auto& partition) { return partition.leader == no_broker; });
    if (!complete) co_await cluster_.back_off(0, deadline);
  } else if (is_final(found.error().code)) {
    for (auto& [name, partition] : partitions_) {
      if (name.topic != topic) continue;
      while (!partition.queue.empty()) {
        const BatchPointer batch = std::move(partition.queue.front());
        partition.queue.pop_front();
        fail_batch(partition, batch, found.error());
      }
    }
  } else {
    co_await cluster_.back_off(0, deadline);
  }
  looking_up_.erase(topic);
  wake();
}

env::Task<void> Producer::State::acquire_identity() {
  protocol::InitProducerIdRequest request;
  request.transactional_id.reset();
  request.transaction_timeout_ms = INT32_MAX;
  const env::TimePoint deadline = cluster_.now() + options_.request_timeout;
  auto answer = co_await cluster_.ask(std::move(request), Route::any(), deadline);
  const ErrorCode code = answer ? answer->error_code : answer.error().code;
  if (code == ErrorCode::none) {
    producer_id_ = ProducerId{answer->producer_id};
    producer_epoch_ = answer->producer_epoch;
    identity_wanted_ = false;
    for (auto& [name, partition] : partitions_) {
      partition.next_sequence = 0;
      partition.recovering = false;
      for (const auto& batch : partition.queue) batch->base_sequence = record::no_sequence;
    }
  } else if (is_final(code)) {
    fail_everything(answer ? Error{code, fmt::format("No producer id: {}", error_name(code))}
                           : answer.error());
    co_await cluster_.back_off(0, deadline);
  } else {
    co_await cluster_.back_off(0, deadline);
  }
  acquiring_ = false;
  wake();
}

}  // namespace arus::client
