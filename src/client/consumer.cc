#include "client/consumer.h"

#include <fmt/core.h>

#include "client/consumer_state.h"
#include "record/control.h"

namespace arus::client {
namespace {

std::optional<Bytes> copy_of(const std::optional<ByteView>& view) {
  return view ? std::optional<Bytes>(std::in_place, view->begin(), view->end()) : std::nullopt;
}

ConsumerRecord record_of(const ConsumerPartition& partition, const record::BatchView& batch,
                         const record::RecordView& from) {
  ConsumerRecord record;
  record.topic = partition.topic;
  record.partition = partition.name.partition;
  record.offset = from.offset;
  record.leader_epoch = batch.leader_epoch();
  record.timestamp_ms = from.timestamp_ms;
  record.timestamp_type = batch.timestamp_type();
  record.key = copy_of(from.key);
  record.value = copy_of(from.value);
  auto headers = from.headers();
  while (const auto header = headers.next()) {
    record.headers.push_back({std::string(header->key), copy_of(header->value)});
  }
  return record;
}

}  // namespace

Consumer::State::State(Cluster& cluster, ConsumerOptions options)
    : cluster_(cluster), options_(std::move(options)) {}

Consumer::State::~State() { ARUS_ASSERT(gate_.running() == 0); }

std::shared_ptr<ConsumerPartition> Consumer::State::make_partition(
    const Assignment& assignment, std::shared_ptr<const std::string> topic) {
  auto partition = std::make_shared<ConsumerPartition>();
  partition->name = assignment.partition;
  partition->topic = std::move(topic);
  partition->start = assignment.start;
  partition->position = assignment.start.offset;
  partition->last_epoch = assignment.last_epoch;
  partition->generation = ++last_generation_;
  return partition;
}

Result<> Consumer::State::add(std::vector<Assignment> assignments) {
  for (const auto& assignment : assignments) {
    if (partitions_.contains(assignment.partition)) {
      return fail(ErrorCode::invalid_request,
                  fmt::format("{} is assigned twice", assignment.partition.to_string()));
    }
    // Partitions of one topic share its name.
    const auto near = partitions_.lower_bound({assignment.partition.topic, 0});
    auto topic = near != partitions_.end() && near->first.topic == assignment.partition.topic
                     ? near->second->topic
                     : std::make_shared<const std::string>(assignment.partition.topic);
    partitions_.emplace(assignment.partition, make_partition(assignment, std::move(topic)));
  }
  news_ = true;
  arrived_.notify_all();
  return {};
}

void Consumer::State::remove(const std::vector<TopicPartition>& names) {
  for (const auto& name : names) {
    const auto found = partitions_.find(name);
    if (found == partitions_.end()) continue;
    found->second->generation = ++last_generation_;
    partitions_.erase(found);
  }
}

void Consumer::State::interrupt() {
  interrupted_ = true;
  arrived_.notify_all();
}

Result<> Consumer::State::assign(std::vector<Assignment> assignments) {
  Partitions partitions;
  std::map<std::string, std::shared_ptr<const std::string>> names;
  for (auto& assignment : assignments) {
    auto& name = names[assignment.partition.topic];
    if (!name) name = std::make_shared<const std::string>(assignment.partition.topic);
    if (!partitions.emplace(assignment.partition, make_partition(assignment, name)).second) {
      return fail(ErrorCode::invalid_request,
                  fmt::format("{} is assigned twice", assignment.partition.to_string()));
    }
  }
  // Tasks under way keep the partitions of before alive and find that nobody asks for them.
  for (auto& [name, partition] : partitions_) partition->generation = ++last_generation_;
  partitions_ = std::move(partitions);
  return {};
}

Result<> Consumer::State::seek(const TopicPartition& name, StartPosition start) {
  const auto found = partitions_.find(name);
  if (found == partitions_.end()) {
    return fail(ErrorCode::invalid_request, fmt::format("{} is not assigned", name.to_string()));
  }
  auto& partition = *found->second;
  partition.generation = ++last_generation_;
  partition.start = start;
  partition.position = start.offset;
  partition.fetched.reset();
  partition.failure.reset();
  partition.locating = false;
  return {};
}

Result<> Consumer::State::pause(const TopicPartition& name, bool paused) {
  const auto found = partitions_.find(name);
  if (found == partitions_.end()) {
    return fail(ErrorCode::invalid_request, fmt::format("{} is not assigned", name.to_string()));
  }
  found->second->paused = paused;
  return {};
}

const ConsumerPartition* Consumer::State::find(const TopicPartition& name) const {
  const auto found = partitions_.find(name);
  return found == partitions_.end() ? nullptr : found->second.get();
}

env::Task<Result<std::vector<ConsumerRecord>>> Consumer::State::poll(env::TimePoint deadline) {
  std::vector<ConsumerRecord> records;
  for (;;) {
    if (stopping_) co_return fail(ErrorCode::invalid_request, "The consumer is closed");
    news_ = false;
    auto drained = drain(records);
    // Records that were read before the failure are given first; it comes with the next call.
    if (!drained && records.empty()) co_return fail(std::move(drained).error());
    start_work();
    if (!records.empty() || cluster_.now() >= deadline || std::exchange(interrupted_, false)) {
      co_return records;
    }
    env::TimePoint wake = deadline;
    for (const auto& [name, partition] : partitions_) {
      if (partition->pause_until > cluster_.now()) wake = std::min(wake, partition->pause_until);
    }
    if (!news_) co_await arrived_.wait_until(wake);
  }
}

Result<> Consumer::State::drain(std::vector<ConsumerRecord>& records) {
  std::vector<ConsumerPartition*> order;
  for (auto& [name, partition] : partitions_) order.push_back(partition.get());
  if (last_drained_) {
    // Each partition gets its turn, whatever the others hold.
    const auto next = std::ranges::find_if(order, [&](const ConsumerPartition* partition) {
      return partition->name > *last_drained_;
    });
    std::ranges::rotate(order, next);
  }
  for (ConsumerPartition* partition : order) {
    if (partition->paused) continue;
    if (partition->failure) {
      if (!records.empty()) continue;
      return fail(*std::exchange(partition->failure, std::nullopt));
    }
    if (!partition->fetched) continue;
    last_drained_ = partition->name;
    if (auto read = read_batches(*partition, records); !read) {
      if (records.empty()) return read;
      partition->failure = read.error();
    }
    if (records.size() >= options_.max_poll_records) break;
  }
  return {};
}

Result<> Consumer::State::read_batches(ConsumerPartition& partition,
                                       std::vector<ConsumerRecord>& records) {
  FetchedRecords& fetched = *partition.fetched;
  while (records.size() < options_.max_poll_records) {
    record::BatchReader reader{fetched.records.view().subspan(fetched.position)};
    const auto batch = reader.next();
    if (!batch) {
      Result<> status = reader.status();
      partition.fetched.reset();
      return status;
    }
    if (auto read = read_batch(partition, *batch, records); !read) {
      partition.fetched.reset();
      return read;
    }
    fetched.position += batch->size_bytes();
    partition.position = std::max(*partition.position, batch->next_offset());
    if (batch->leader_epoch() != no_leader_epoch) partition.last_epoch = batch->leader_epoch();
  }
  return {};
}

Result<> Consumer::State::read_batch(ConsumerPartition& partition, const record::BatchView& batch,
                                     std::vector<ConsumerRecord>& records) {
  if (batch.next_offset() <= *partition.position && !batch.is_control()) return {};
  if (options_.check_crcs && !batch.crc_matches()) {
    return fail(ErrorCode::corrupt_message,
                fmt::format("The batch at offset {} of {} has a wrong checksum",
                            batch.base_offset().value(), partition.name.to_string()));
  }
  FetchedRecords& fetched = *partition.fetched;
  if (batch.is_control()) {
    note_marker(fetched, batch);
    return {};
  }
  if (options_.isolation == IsolationLevel::read_committed && is_aborted(fetched, batch)) return {};
  record::RecordReader reader{batch, scratch_};
  while (const auto record = reader.next()) {
    if (record->offset < *partition.position) continue;
    records.push_back(record_of(partition, batch, *record));
    partition.position = record->offset + 1;
  }
  if (!reader.status()) {
    return fail(
        reader.status().error().code,
        fmt::format("The batch at offset {} of {} does not decode: {}", batch.base_offset().value(),
                    partition.name.to_string(), reader.status().error().message));
  }
  return {};
}

void Consumer::State::begin_aborted(FetchedRecords& fetched, Offset up_to) {
  auto& aborted = fetched.aborted;
  while (!aborted.empty() && aborted.front().first_offset <= up_to) {
    fetched.aborting.insert(aborted.front().producer_id);
    aborted.pop_front();
  }
}

bool Consumer::State::is_aborted(FetchedRecords& fetched, const record::BatchView& batch) {
  begin_aborted(fetched, batch.last_offset());
  return !batch.is_legacy() && batch.is_transactional() &&
         fetched.aborting.contains(batch.producer_id());
}

void Consumer::State::note_marker(FetchedRecords& fetched, const record::BatchView& batch) {
  begin_aborted(fetched, batch.last_offset());
  record::RecordReader reader{batch};
  const auto record = reader.next();
  if (!record || !record->key) return;
  if (record::parse_control_key(*record->key) == record::ControlType::abort) {
    fetched.aborting.erase(batch.producer_id());
  }
}

env::Task<void> Consumer::State::close() {
  stopping_ = true;
  arrived_.notify_all();
  co_await gate_.close();
}

Consumer::Consumer(Cluster& cluster, ConsumerOptions options)
    : state_(std::make_unique<State>(cluster, std::move(options))) {}
Consumer::~Consumer() = default;

Result<> Consumer::assign(std::vector<Assignment> assignments) {
  return state_->assign(std::move(assignments));
}
Result<> Consumer::add(std::vector<Assignment> assignments) {
  return state_->add(std::move(assignments));
}
void Consumer::remove(const std::vector<TopicPartition>& partitions) { state_->remove(partitions); }
void Consumer::interrupt() { state_->interrupt(); }
LeaderEpoch Consumer::last_epoch(const TopicPartition& partition) const {
  const auto* found = state_->find(partition);
  return found == nullptr ? no_leader_epoch : found->last_epoch;
}
Result<> Consumer::seek(const TopicPartition& partition, StartPosition start) {
  return state_->seek(partition, start);
}
Result<> Consumer::pause(const TopicPartition& partition, bool paused) {
  return state_->pause(partition, paused);
}
env::Task<Result<std::vector<ConsumerRecord>>> Consumer::poll(env::TimePoint deadline) {
  co_return co_await state_->poll(deadline);
}
std::optional<Offset> Consumer::position(const TopicPartition& partition) const {
  const auto* found = state_->find(partition);
  return found == nullptr ? std::nullopt : found->position;
}
std::optional<Offset> Consumer::high_watermark(const TopicPartition& partition) const {
  const auto* found = state_->find(partition);
  return found == nullptr ? std::nullopt : found->high_watermark;
}
env::Task<void> Consumer::close() { co_await state_->close(); }

}  // namespace arus::client
