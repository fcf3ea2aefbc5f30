#include "simulation/requests.h"

#include <algorithm>

#include "base/endian.h"
#include "protocol/api/create_topics.h"
#include "protocol/api/list_offsets.h"
#include "protocol/api/offset_fetch.h"
#include "protocol/api/produce.h"

namespace arus::simulation {
namespace {

constexpr std::int16_t newest_by_name = 12;       // of Produce and Fetch
constexpr std::size_t first_passing_key = 100;    // of compacted topics
constexpr env::Duration slack = env::seconds(8);  // of the node, beyond a request's own timeout

std::int16_t highest(const World& world) {
  return world.plan.topics_by_id ? INT16_MAX : newest_by_name;
}

Slice build(const World& world, const BatchPlan& batch) {
  record::BatchBuilder builder(batch.options);
  for (const RecordId id : batch.ids) {
    const SentRecord& sent = world.model.record(id);
    Bytes number(sizeof id);
    store_big(number.data(), id);
    const record::Header header{"id", ByteView(number)};
    const std::string key = Model::key_of(sent.key);
    const Bytes value = Model::value_of(id);
    builder.append(sent.timestamp_ms,
                   sent.key < 0 ? std::nullopt : std::optional<ByteView>(as_bytes(key)),
                   sent.tombstone ? std::nullopt : std::optional<ByteView>(value), {&header, 1});
  }
  return Slice(builder.build());
}

protocol::ProduceRequest request_of(World& world, const BatchPlan& batch) {
  const Track& track = world.model.track(batch.track);
  protocol::ProduceRequest request;
  request.transactional_id = batch.transactional_id;
  request.acks = -1;
  request.timeout_ms = static_cast<std::int32_t>(1'000 + world.random.below(3'000));
  auto& topic = request.topic_data.emplace_back();
  if (world.plan.topics_by_id) {
    topic.topic_id = track.topic_id;
  } else {
    topic.name = track.topic;
  }
  auto& data = topic.partition_data.emplace_back();
  data.index = track.partition;
  data.records = build(world, batch);
  return request;
}

std::string list_of(const std::vector<RecordId>& ids) {
  return ids.size() == 1 ? std::to_string(ids.front())
                         : fmt::format("{}..{}", ids.front(), ids.back());
}

// Aborted transactions of an answer, by producer: where they begin.
bool is_aborted(std::vector<protocol::FetchResponse::AbortedTransaction>& aborted,
                const record::BatchView& batch) {
  const auto belongs = [&batch](const auto& transaction) {
    return transaction.producer_id == batch.producer_id() &&
           transaction.first_offset <= batch.base_offset().value();
  };
  if (!batch.is_control()) return std::ranges::any_of(aborted, belongs);
  // The marker ends the first of them.
  const auto ended = std::ranges::find_if(aborted, belongs);
  if (ended != aborted.end()) aborted.erase(ended);
  return false;
}

}  // namespace

bool passes(ErrorCode code) {
  switch (code) {
    case ErrorCode::network_exception:
    case ErrorCode::request_timed_out:
    case ErrorCode::kafka_storage_error:
    case ErrorCode::not_leader_or_follower:
    case ErrorCode::leader_not_available:
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::unknown_topic_id:
    case ErrorCode::coordinator_not_available:
    case ErrorCode::coordinator_load_in_progress:
    case ErrorCode::not_coordinator:
    case ErrorCode::concurrent_transactions:
    case ErrorCode::unstable_offset_commit:
    case ErrorCode::not_controller:
    case ErrorCode::not_enough_replicas:
    case ErrorCode::not_enough_replicas_after_append:
    case ErrorCode::broker_not_available:
      return true;
    default:
      return false;
  }
}

std::vector<RecordId> draw_records(World& world, SentRecord sent) {
  const Track& track = world.model.track(sent.track);
  std::vector<RecordId> ids;
  const std::size_t count = 1 + world.random.below(5);
  for (std::size_t i = 0; i < count; ++i) {
    SentRecord record = sent;
    record.timestamp_ms = world.environment.clock().wall_ms();
    if (track.kind == TopicKind::compacted) {
      // Keys that are always in use, and such that are for a while and never again: nothing newer
      // hides what becomes of their last values.
      const bool lasts = world.random.below(2) == 0;
      const std::size_t passing = first_passing_key + world.model.record_count() / 60;
      record.key = static_cast<std::int32_t>(lasts ? world.random.below(20) : passing);
      record.tombstone = world.random.below(lasts ? 6 : 3) == 0;
    }
    ids.push_back(world.model.send(record));
  }
  return ids;
}

env::Task<Produced> produce(World* world, Caller* caller, BatchPlan batch) {
  const std::string name = world->model.track(batch.track).name();
  auto request = request_of(*world, batch);
  const env::TimePoint sent_at = world->now();
  const env::Duration due = env::milliseconds(request.timeout_ms) + slack;
  world->story.note(name, "record {} of producer {} is sent", list_of(batch.ids),
                    world->model.record(batch.ids.front()).producer);
  const auto answer = co_await caller->ask(std::move(request), patience, highest(*world));
  const bool lost = !answer && answer.error().code != ErrorCode::request_timed_out;
  if (!lost && world->now() - sent_at > due) {
    world->story.fail(name, "no answer to record {} within {} ms", list_of(batch.ids),
                      std::chrono::duration_cast<env::milliseconds>(due).count());
  }
  if (!answer) co_return Produced{.code = ErrorCode::network_exception};
  const auto& part = answer->responses.front().partition_responses.front();
  world->story.note(name, "record {}: {}, offset {}", list_of(batch.ids),
                    error_name(part.error_code), part.base_offset);
  const Track& track = world->model.track(batch.track);
  if (part.error_code == ErrorCode::none) {
    if (world->must_not_acknowledge && world->must_not_acknowledge(track, sent_at)) {
      world->story.fail(name, "record {} is acknowledged after a failed flush", list_of(batch.ids));
    }
    if (!track.gone) world->model.acknowledge(batch.ids, part.base_offset);
    ++world->acknowledged;
  } else if (part.error_code == ErrorCode::duplicate_sequence_number) {
    world->model.acknowledge_somewhere(batch.ids);
  } else if (part.error_code == ErrorCode::unknown_server_error ||
             part.error_code == ErrorCode::corrupt_message) {
    world->story.fail(name, "record {} is answered with {}", list_of(batch.ids),
                      error_name(part.error_code));
  }
  co_return Produced{part.error_code, part.base_offset};
}

env::Task<Result<Fetched>> fetch(World* world, Caller* caller, std::size_t index,
                                 std::int64_t offset, bool committed_only,
                                 std::int32_t max_wait_ms) {
  const Track& track = world->model.track(index);
  protocol::FetchRequest request;
  request.isolation_level = committed_only ? 1 : 0;
  request.max_wait_ms = max_wait_ms;
  request.min_bytes = 1;
  request.max_bytes = static_cast<std::int32_t>(1'000 + world->random.below(30'000));
  auto& topic = request.topics.emplace_back();
  if (world->plan.topics_by_id) {
    topic.topic_id = track.topic_id;
  } else {
    topic.topic = track.topic;
  }
  auto& partition = topic.partitions.emplace_back();
  partition.partition = track.partition;
  partition.fetch_offset = offset;
  partition.partition_max_bytes = request.max_bytes;
  const env::TimePoint asked_at = world->now();
  auto answer = co_await caller->ask(std::move(request), patience, highest(*world));
  const bool lost = !answer && answer.error().code != ErrorCode::request_timed_out;
  if (!lost && world->now() - asked_at > env::milliseconds(max_wait_ms) + slack &&
      !world->reads_fail) {
    const auto late = std::chrono::duration_cast<env::milliseconds>(world->now() - asked_at);
    world->story.fail(world->model.track(index).name(),
                      "the answer to a fetch at {} took {} ms: {}", offset, late.count(),
                      answer ? error_name(answer->responses.front().partitions.front().error_code)
                             : answer.error().message);
  }
  if (!answer) co_return fail(answer.error());
  if (answer->error_code != ErrorCode::none) co_return fail(answer->error_code, "fetch");
  co_return std::move(answer->responses.front().partitions.front());
}

void take_in(World& world, std::size_t index, const Fetched& answer, bool committed_only,
             std::int64_t& next, std::vector<RecordId>& visible) {
  const std::string name = world.model.track(index).name();
  auto aborted = answer.aborted_transactions.value_or(
      std::vector<protocol::FetchResponse::AbortedTransaction>{});
  const std::int64_t bound = committed_only ? answer.last_stable_offset : answer.high_watermark;
  record::BatchReader batches(answer.records->view());
  bool first = true;
  while (const auto batch = batches.next()) {
    const std::int64_t base = batch->base_offset().value();
    if (!batch->crc_matches()) {
      world.story.fail(name, "the batch at {} has a wrong checksum", base);
      return;
    }
    const bool gap = first ? base > next : base != next;
    if (gap && world.model.track(index).kind != TopicKind::compacted) {
      world.story.fail(name, "the batch at {} comes where {} was expected", base, next);
      return;
    }
    if (batch->next_offset().value() > bound) {
      world.story.fail(name, "the batch at {} lies beyond {}", base, bound);
      return;
    }
    const std::int64_t from = std::exchange(next, batch->next_offset().value());
    const bool skipped_before = std::exchange(first, false);
    if (world.damaged != index) world.model.see_batch(index, *batch);
    const bool hidden = committed_only && is_aborted(aborted, *batch);
    if (hidden) world.story.note(name, "the answer says that the batch at {} was aborted", base);
    if (batch->is_control()) continue;
    record::RecordReader records(*batch);
    while (const auto record = records.next()) {
      const RecordId id = world.model.see(index, *record);
      if (world.story.failed()) return;
      const bool wanted = !skipped_before || record->offset.value() >= from;
      if (!hidden && wanted) visible.push_back(id);
    }
    if (!records.status()) world.story.fail(name, "the batch at {} does not decode", base);
  }
  if (!batches.status()) world.story.fail(name, "an answer does not decode");
}

env::Task<Result<std::int64_t>> list_offset(World* world, Caller* caller, std::size_t index,
                                            std::int64_t timestamp) {
  const Track& track = world->model.track(index);
  protocol::ListOffsetsRequest request;
  request.replica_id = no_broker;
  request.timeout_ms = 10'000;
  auto& topic = request.topics.emplace_back();
  topic.name = track.topic;
  auto& partition = topic.partitions.emplace_back();
  partition.partition_index = track.partition;
  partition.timestamp = timestamp;
  auto answer = co_await caller->ask(std::move(request), patience);
  if (!answer) co_return fail(answer.error());
  const auto& part = answer->topics.front().partitions.front();
  if (part.error_code != ErrorCode::none) co_return fail(part.error_code, "list offsets");
  co_return part.offset;
}

env::Task<Result<std::int64_t>> fetch_committed(Caller* caller, std::string group,
                                                std::string topic, std::int32_t partition) {
  protocol::OffsetFetchRequest request;
  request.require_stable = true;
  auto& asked = request.groups.emplace_back();
  asked.group_id = std::move(group);
  auto& one = asked.topics->emplace_back();
  one.name = std::move(topic);
  one.partition_indexes = {partition};
  constexpr std::int16_t by_name = 9;
  auto answer = co_await caller->ask(std::move(request), patience, by_name);
  if (!answer) co_return fail(answer.error());
  const auto& found = answer->groups.front();
  if (found.error_code != ErrorCode::none) co_return fail(found.error_code, "fetch offsets");
  const auto& part = found.topics.front().partitions.front();
  if (part.error_code != ErrorCode::none) co_return fail(part.error_code, "fetch offsets");
  co_return part.committed_offset;
}

env::Task<Result<std::vector<std::size_t>>> create_topic(World* world, Caller* caller,
                                                         TopicPlan plan) {
  protocol::CreateTopicsRequest request;
  request.timeout_ms = 10'000;
  auto& topic = request.topics.emplace_back();
  topic.name = plan.name;
  topic.num_partitions = plan.partitions;
  topic.replication_factor = 1;
  for (const auto& [key, value] : plan.configs) {
    auto& config = topic.configs.emplace_back();
    config.name = key;
    config.value = value;
  }
  auto answer = co_await caller->ask(std::move(request), patience);
  if (!answer) co_return fail(answer.error());
  const auto& made = answer->topics.front();
  if (made.error_code != ErrorCode::none) {
    co_return fail(made.error_code, made.error_message.value_or(""));
  }
  std::vector<std::size_t> tracks;
  for (std::int32_t i = 0; i < plan.partitions; ++i) {
    tracks.push_back(world->model.add_track({.topic = plan.name,
                                             .topic_id = made.topic_id,
                                             .partition = i,
                                             .kind = plan.kind,
                                             .synced = plan.synced,
                                             .at = {}}));
  }
  co_return tracks;
}

}  // namespace arus::simulation
