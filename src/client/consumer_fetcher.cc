#include <fmt/core.h>

#include "client/admin.h"
#include "client/consumer_state.h"
#include "protocol/api/fetch.h"

namespace arus::client {
namespace {

// Opening a session again starts from this epoch; −1 would end it.
constexpr std::int32_t initial_epoch = 0;
constexpr std::int32_t session_slack_ms = 500;  // of the answer beyond the broker's own wait

bool may_pass(ErrorCode code) {
  return is_retriable(code) || code == ErrorCode::request_timed_out ||
         code == ErrorCode::broker_not_available || code == ErrorCode::unknown_server_error;
}

}  // namespace

// Starts what is due: lookups of topics and positions, and a fetch for every idle leader.
void Consumer::State::start_work() {
  const env::TimePoint now = cluster_.now();
  std::set<BrokerId> leaders;
  for (auto& [name, partition] : partitions_) {
    if (partition->paused || partition->fetched || partition->failure) continue;
    if (partition->pause_until > now) continue;
    const auto topic = topics_.find(name.topic);
    if (topic == topics_.end()) {
      if (learning_.insert(name.topic).second) env::spawn(gate_, learn_topic(name.topic));
      continue;
    }
    const PartitionInfo* info = topic->second->partition(name.partition);
    if (info == nullptr || info->leader == no_broker) {
      fail_partition(*partition, info == nullptr ? ErrorCode::unknown_topic_or_partition
                                                 : ErrorCode::leader_not_available);
      continue;
    }
    if (!partition->position) {
      if (!partition->locating && locating_.insert(name.topic).second) {
        env::spawn(gate_, locate(name.topic));
      }
      continue;
    }
    if (!partition->fetching) leaders.insert(info->leader);
  }
  for (const BrokerId leader : leaders) {
    FetchSession& session = sessions_[leader];
    if (session.busy) continue;
    session.busy = true;
    env::spawn(gate_, fetch(leader));
  }
}

std::optional<StartPosition> Consumer::State::reset_position() const {
  if (options_.reset_age) {
    const auto age = std::chrono::duration_cast<env::milliseconds>(*options_.reset_age);
    return StartPosition::at_time(cluster_.environment().clock().wall_ms() - age.count());
  }
  if (!options_.reset_timestamp) return std::nullopt;
  return StartPosition::at_time(*options_.reset_timestamp);
}

void Consumer::State::fail_partition(ConsumerPartition& partition, ErrorCode code) {
  if (code == ErrorCode::offset_out_of_range && reset_position()) {
    partition.start = *reset_position();
    partition.position.reset();
    return;
  }
  // Producers may try again with other bytes; what is stored stays damaged.
  if (may_pass(code) && code != ErrorCode::corrupt_message) {
    cluster_.forget(partition.name.topic);
    topics_.erase(partition.name.topic);
    partition.pause_until = cluster_.now() + cluster_.options().retry_backoff;
    return;
  }
  partition.failure =
      Error{code, fmt::format("{} of {}{}", error_name(code), partition.name.to_string(),
                              partition.position
                                  ? fmt::format(" at offset {}", partition.position->value())
                                  : std::string())};
}

env::Task<void> Consumer::State::learn_topic(std::string topic) {
  auto found = co_await cluster_.topic(topic, cluster_.now() + cluster_.options().request_timeout);
  learning_.erase(topic);
  if (found) {
    topics_[topic] = *found;
  } else {
    for (auto& [name, partition] : partitions_) {
      if (name.topic == topic) fail_partition(*partition, found.error().code);
    }
  }
  news_ = true;
  arrived_.notify_all();
}

env::Task<void> Consumer::State::locate(std::string topic) {
  std::map<TopicPartition, std::int64_t> wanted;
  std::map<TopicPartition, std::uint64_t> generations;
  for (auto& [name, partition] : partitions_) {
    if (name.topic != topic || partition->position || partition->pause_until > cluster_.now()) {
      continue;
    }
    partition->locating = true;
    wanted[name] = partition->start.timestamp_ms;
    generations[name] = partition->generation;
  }
  Admin admin{cluster_};
  auto listed = co_await admin.list_offsets(wanted, options_.isolation,
                                            cluster_.now() + cluster_.options().request_timeout);
  // A timestamp beyond the last record means the end, where the next record will be.
  std::map<TopicPartition, std::int64_t> ends;
  if (listed) {
    for (const auto& [name, offset] : *listed) {
      if (offset && offset->offset == no_offset) ends[name] = latest_timestamp;
    }
  }
  if (!ends.empty()) {
    auto more = co_await admin.list_offsets(ends, options_.isolation,
                                            cluster_.now() + cluster_.options().request_timeout);
    for (const auto& [name, timestamp] : ends) {
      (*listed).insert_or_assign(name,
                                 more ? more->at(name) : Result<ListedOffset>(fail(more.error())));
    }
  }
  for (const auto& [name, generation] : generations) {
    const auto found = partitions_.find(name);
    if (found == partitions_.end() || found->second->generation != generation) continue;
    auto& partition = *found->second;
    partition.locating = false;
    const auto& offset = listed ? listed->at(name) : Result<ListedOffset>(fail(listed.error()));
    if (offset) {
      partition.position = std::max(offset->offset, Offset{0});
    } else {
      fail_partition(partition, offset.error().code);
    }
  }
  locating_.erase(topic);
  news_ = true;
  arrived_.notify_all();
}

protocol::FetchRequest Consumer::State::next_request(
    FetchSession& session, const std::map<TopicPartition, FetchSession::Asked>& wanted) {
  protocol::FetchRequest request;
  request.replica_id = no_broker;
  request.max_wait_ms = static_cast<std::int32_t>(
      std::chrono::duration_cast<env::milliseconds>(options_.fetch_max_wait).count());
  request.min_bytes = options_.fetch_min_bytes;
  request.max_bytes = options_.fetch_max_bytes;
  request.isolation_level = static_cast<std::int8_t>(options_.isolation);
  request.rack_id = options_.rack;
  request.session_id = session.id;
  request.session_epoch = session.epoch;
  const bool whole = session.epoch == initial_epoch;
  for (const auto& [name, asked] : wanted) {
    const auto known = session.asked.find(name);
    if (!whole && known != session.asked.end() && known->second == asked) continue;
    if (request.topics.empty() || request.topics.back().topic != name.topic) {
      auto& topic = request.topics.emplace_back();
      topic.topic = name.topic;
      topic.topic_id = asked.topic_id;
    }
    auto& partition = request.topics.back().partitions.emplace_back();
    partition.partition = name.partition;
    partition.current_leader_epoch = asked.leader_epoch.value();
    partition.fetch_offset = asked.offset.value();
    partition.partition_max_bytes = options_.partition_fetch_bytes;
  }
  for (const auto& [name, asked] : session.asked) {
    const auto still = wanted.find(name);
    if (whole || (still != wanted.end() && still->second.topic_id == asked.topic_id)) continue;
    auto& topic = request.forgotten_topics_data.emplace_back();
    topic.topic = name.topic;
    topic.topic_id = asked.topic_id;
    topic.partitions.push_back(name.partition);
  }
  session.asked = wanted;
  return request;
}

env::Task<void> Consumer::State::fetch(BrokerId leader) {
  FetchSession& session = sessions_[leader];
  std::map<TopicPartition, FetchSession::Asked> wanted;
  std::map<TopicPartition, std::uint64_t> generations;
  for (auto& [name, partition] : partitions_) {
    if (partition->paused || partition->fetched || partition->failure || partition->fetching ||
        !partition->position || partition->pause_until > cluster_.now())
      continue;
    const auto topic = topics_.find(name.topic);
    const PartitionInfo* info =
        topic == topics_.end() ? nullptr : topic->second->partition(name.partition);
    if (info == nullptr || info->leader != leader) continue;
    wanted[name] = {*partition->position, info->leader_epoch, topic->second->id};
    generations[name] = partition->generation;
    partition->fetching = true;
  }
  // Kept alive: an assignment may replace them meanwhile.
  const Partitions asked_of = partitions_;
  const env::TimePoint deadline = cluster_.now() + cluster_.options().request_timeout +
                                  options_.fetch_max_wait + env::milliseconds(session_slack_ms);
  Error failure;
  auto connection = co_await cluster_.connect(Route::one(leader), deadline);
  if (connection) {
    auto answer = co_await (*connection)->ask(next_request(session, wanted), deadline);
    if (answer) {
      take_answer(session, *answer, generations);
    } else {
      failure = std::move(answer).error();
    }
  } else {
    failure = std::move(connection).error();
  }
  for (const auto& [name, generation] : generations) {
    auto& partition = *asked_of.at(name);
    partition.fetching = false;
    if (failure.message.empty() || partition.generation != generation) continue;
    fail_partition(partition, failure.code);
  }
  if (!failure.message.empty()) session = {};
  session.busy = false;
  news_ = true;
  arrived_.notify_all();
}

void Consumer::State::take_answer(FetchSession& session, protocol::FetchResponse& answer,
                                  const std::map<TopicPartition, std::uint64_t>& generations) {
  if (answer.error_code != ErrorCode::none) {
    session.id = 0;
    session.epoch = initial_epoch;
    session.asked.clear();
    if (answer.error_code == ErrorCode::fetch_session_id_not_found ||
        answer.error_code == ErrorCode::invalid_fetch_session_epoch) {
      return;
    }
    for (const auto& [name, generation] : generations) {
      const auto found = partitions_.find(name);
      if (found != partitions_.end()) fail_partition(*found->second, answer.error_code);
    }
    return;
  }
  if (answer.session_id == 0) {
    session.id = 0;
    session.epoch = initial_epoch;
  } else {
    session.id = answer.session_id;
    session.epoch = session.epoch == INT32_MAX ? 1 : session.epoch + 1;
  }
  std::map<Uuid, std::string> names;
  for (const auto& [name, asked] : session.asked) names[asked.topic_id] = name.topic;
  for (auto& topic : answer.responses) {
    std::string name = topic.topic;
    if (name.empty()) {
      const auto found = names.find(topic.topic_id);
      if (found == names.end()) continue;
      name = found->second;
    }
    for (auto& data : topic.partitions) {
      const TopicPartition key{name, data.partition_index};
      const auto found = partitions_.find(key);
      const auto generation = generations.find(key);
      if (found == partitions_.end() || generation == generations.end() ||
          found->second->generation != generation->second)
        continue;
      take_partition(*found->second, data);
    }
  }
}

template <class PartitionData>
void Consumer::State::take_partition(ConsumerPartition& partition, PartitionData& data) {
  if (data.error_code != ErrorCode::none) {
    fail_partition(partition, data.error_code);
    return;
  }
  partition.high_watermark = Offset{data.high_watermark};
  if (!data.records || data.records->empty()) return;
  FetchedRecords fetched;
  fetched.records = *data.records;
  if (data.aborted_transactions) {
    for (const auto& aborted : *data.aborted_transactions) {
      fetched.aborted.push_back({ProducerId{aborted.producer_id}, Offset{aborted.first_offset}});
    }
    std::ranges::sort(fetched.aborted, {}, &AbortedRange::first_offset);
  }
  partition.fetched = std::move(fetched);
}

}  // namespace arus::client
