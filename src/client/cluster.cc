#include "client/cluster.h"

#include <fmt/core.h>

#include "protocol/api/metadata.h"

namespace arus::client {

const PartitionInfo* TopicInfo::partition(std::int32_t index) const {
  const auto found = std::ranges::lower_bound(partitions, index, {}, &PartitionInfo::index);
  return found != partitions.end() && found->index == index ? &*found : nullptr;
}

Cluster::Cluster(env::Environment& environment, ClientOptions options)
    : environment_(environment), options_(std::move(options)) {
  ARUS_ASSERT(!options_.bootstrap.empty());
}

Cluster::~Cluster() { ARUS_ASSERT(connections_.empty()); }

env::Task<void> Cluster::close() {
  closed_ = true;
  auto connections = std::exchange(connections_, {});
  for (const auto& [name, connection] : connections) co_await connection->shut();
  co_await gate_.close();
}

env::Task<void> Cluster::back_off(int attempt, env::TimePoint deadline) {
  auto pause = options_.retry_backoff;
  for (int i = 0; i < attempt && pause < options_.retry_backoff_max; ++i) pause *= 2;
  pause = std::min(pause, options_.retry_backoff_max);
  // Up to a fifth more or less, so that many clients do not come back at the same moment.
  const auto fifth = static_cast<std::uint64_t>(pause.count() / 5);
  if (fifth > 0) {
    pause += env::Duration(static_cast<std::int64_t>(environment_.random().below(2 * fifth)) -
                           static_cast<std::int64_t>(fifth));
  }
  pause = std::min(pause, std::max(deadline - now(), env::Duration::zero()));
  co_await env::sleep_for(pause);
}

void Cluster::drop_closed() {
  for (auto it = connections_.begin(); it != connections_.end();) {
    if (!it->second->closed()) {
      ++it;
      continue;
    }
    env::spawn(gate_, bury(std::move(it->second)));
    it = connections_.erase(it);
  }
}

env::Task<void> Cluster::bury(Pointer connection) { co_await connection->shut(); }

env::Task<Result<Cluster::Pointer>> Cluster::connect_address(env::Address address, Lane lane,
                                                             env::TimePoint deadline) {
  const Line name{lane, address.to_string()};
  for (;;) {
    if (closed_) co_return fail(ErrorCode::network_exception, "The client is closed");
    drop_closed();
    if (const auto found = connections_.find(name); found != connections_.end()) {
      co_return found->second;
    }
    if (!opening_.contains(name)) break;
    // Somebody else is at it; whatever comes of it is there afterwards.
    if (!co_await opened_.wait_until(deadline)) {
      co_return fail(ErrorCode::request_timed_out,
                     fmt::format("No connection to {} in time", name.second));
    }
  }
  opening_.insert(name);
  auto connection = co_await Connection::open(environment_, address, options_, deadline);
  opening_.erase(name);
  if (connection && !closed_) connections_[name] = *connection;
  opened_.notify_all();
  if (connection && closed_) {
    co_await (*connection)->shut();
    co_return fail(ErrorCode::network_exception, "The client is closed");
  }
  co_return connection;
}

env::Task<Result<Cluster::Pointer>> Cluster::connect_any(env::TimePoint deadline) {
  drop_closed();
  if (!connections_.empty() && connections_.begin()->first.first == Lane::shared) {
    co_return connections_.begin()->second;
  }
  std::vector<env::Address> addresses;
  for (const auto& [id, broker] : brokers_) addresses.push_back(broker.address);
  for (const auto& address : options_.bootstrap) {
    if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(address);
  }
  Error last{ErrorCode::network_exception, "No broker is known"};
  for (const auto& address : addresses) {
    auto connection = co_await connect_address(address, Lane::shared, deadline);
    if (connection) co_return connection;
    last = std::move(connection).error();
    if (now() >= deadline) break;
  }
  co_return fail(std::move(last));
}

void Cluster::hang_up(BrokerId coordinator) {
  const auto broker = brokers_.find(coordinator);
  if (broker == brokers_.end()) return;
  const auto found = connections_.find({Lane::coordinator, broker->second.address.to_string()});
  if (found == connections_.end()) return;
  found->second->close({ErrorCode::network_exception, "The request was given up"});
}

env::Task<Result<Cluster::Pointer>> Cluster::connect_broker(BrokerId id, Lane lane,
                                                            env::TimePoint deadline) {
  if (!brokers_.contains(id)) ARUS_CO_TRY(co_await refresh(deadline));
  const auto found = brokers_.find(id);
  if (found == brokers_.end()) {
    co_return fail(ErrorCode::broker_not_available,
                   fmt::format("There is no broker {} in the cluster", id.value()));
  }
  co_return co_await connect_address(found->second.address, lane, deadline);
}

env::Task<Result<Cluster::Pointer>> Cluster::connect(Route route, env::TimePoint deadline) {
  switch (route.to) {
    case Route::To::any:
      co_return co_await connect_any(deadline);
    case Route::To::broker:
      co_return co_await connect_broker(route.broker, Lane::shared, deadline);
    case Route::To::coordinator:
      co_return co_await connect_broker(route.broker, Lane::coordinator, deadline);
    case Route::To::controller:
      break;
  }
  if (controller_ == no_broker) ARUS_CO_TRY(co_await refresh(deadline));
  if (controller_ == no_broker) {
    co_return fail(ErrorCode::not_controller, "The cluster has no controller yet");
  }
  co_return co_await connect_broker(controller_, Lane::shared, deadline);
}

namespace {

TopicPointer topic_of(const protocol::MetadataResponse::MetadataResponseTopic& from) {
  auto topic = std::make_shared<TopicInfo>();
  topic->name = from.name.value_or("");
  topic->id = from.topic_id;
  topic->internal = from.is_internal;
  for (const auto& part : from.partitions) {
    auto& partition = topic->partitions.emplace_back();
    partition.index = part.partition_index;
    partition.error = part.error_code;
    partition.leader = part.leader_id;
    partition.leader_epoch = LeaderEpoch{part.leader_epoch};
    partition.replicas = part.replica_nodes;
    partition.isr = part.isr_nodes;
    partition.offline = part.offline_replicas;
  }
  std::ranges::sort(topic->partitions, {}, &PartitionInfo::index);
  return topic;
}

}  // namespace

void Cluster::learn_brokers(const protocol::MetadataResponse& answer) {
  std::map<BrokerId, BrokerInfo> brokers;
  for (const auto& broker : answer.brokers) {
    if (brokers.size() == max_brokers) break;
    if (broker.host.empty() || broker.port <= 0 || broker.port > UINT16_MAX) continue;
    brokers[broker.node_id] = {
        broker.node_id, {broker.host, static_cast<std::uint16_t>(broker.port)}, broker.rack};
  }
  if (!brokers.empty()) brokers_ = std::move(brokers);
  controller_ = answer.controller_id;
  cluster_id_ = answer.cluster_id.value_or("");
}

env::Task<Result<Cluster::Answered>> Cluster::ask_metadata(
    std::optional<std::vector<std::string>> names, bool create, env::TimePoint deadline) {
  protocol::MetadataRequest request;
  if (names) {
    request.topics.emplace();
    for (const auto& name : *names) request.topics->emplace_back().name = name;
  } else {
    request.topics.reset();
  }
  request.allow_auto_topic_creation = create;
  auto answer = co_await ask(std::move(request), Route::any(), deadline);
  if (!answer) co_return fail(std::move(answer).error());
  co_return take_metadata(*answer);
}

Cluster::Answered Cluster::take_metadata(const protocol::MetadataResponse& answer) {
  learn_brokers(answer);
  Answered answered;
  for (const auto& topic : answer.topics) {
    answered.failures[topic.name.value_or("")] = topic.error_code;
    if (topic.error_code != ErrorCode::none) continue;
    auto pointer = topic_of(topic);
    topics_[pointer->name] = {pointer, now()};
    answered.topics.push_back(std::move(pointer));
  }
  return answered;
}

env::Task<Result<Cluster::Topics>> Cluster::topics(std::set<std::string> names, bool create,
                                                   env::TimePoint deadline) {
  Topics topics;
  if (names.empty()) co_return topics;
  auto answered = co_await ask_metadata(std::vector(names.begin(), names.end()), create, deadline);
  if (!answered) co_return fail(std::move(answered).error());
  for (const auto& [name, code] : answered->failures) {
    if (code == ErrorCode::none || !names.contains(name)) continue;
    topics.emplace(name, fail(code, fmt::format("Topic {}: {}", name, error_name(code))));
  }
  for (auto& topic : answered->topics) topics.insert_or_assign(topic->name, std::move(topic));
  co_return topics;
}

env::Task<Result<std::map<Uuid, TopicPointer>>> Cluster::topics_by_id(std::set<Uuid> ids,
                                                                      env::TimePoint deadline) {
  constexpr std::int16_t first_version_by_id = 12;  // from here on the name may be null
  std::map<Uuid, TopicPointer> topics;
  if (ids.empty()) co_return topics;
  auto connection = co_await connect(Route::any(), deadline);
  if (!connection) co_return fail(std::move(connection).error());
  const auto version = (*connection)
                           ->negotiate(protocol::MetadataRequest::api_key, first_version_by_id,
                                       protocol::MetadataRequest::max_version);
  if (!version) co_return fail(version.error());
  protocol::MetadataRequest request;
  request.topics.emplace();
  for (const auto& id : ids) {
    auto& topic = request.topics->emplace_back();
    topic.topic_id = id;
    topic.name.reset();
  }
  request.allow_auto_topic_creation = false;
  auto answer = co_await ask(std::move(request), Route::any(), deadline);
  if (!answer) co_return fail(std::move(answer).error());
  for (auto& topic : take_metadata(*answer).topics) topics[topic->id] = topic;
  co_return topics;
}

env::Task<Result<>> Cluster::ask(Question question, Route route, env::TimePoint deadline) {
  for (int attempt = 0;; ++attempt) {
    Error last;
    auto connection = co_await connect(route, deadline);
    if (connection) {
      const env::TimePoint limit = std::min(deadline, now() + options_.request_timeout);
      auto answer = co_await (*connection)->ask(question, limit);
      if (answer || !passes(answer.error())) co_return answer;
      last = std::move(answer).error();
    } else {
      last = std::move(connection).error();
      if (!passes(last)) co_return fail(std::move(last));
    }
    if (closed_ || now() >= deadline) co_return fail(std::move(last));
    controller_ = no_broker;
    co_await back_off(attempt, deadline);
  }
}

env::Task<Result<>> Cluster::refresh(env::TimePoint deadline) {
  auto answered = co_await ask_metadata(std::vector<std::string>{}, false, deadline);
  if (!answered) co_return fail(std::move(answered).error());
  co_return Result<>{};
}

env::Task<Result<std::vector<TopicPointer>>> Cluster::all_topics(env::TimePoint deadline) {
  auto answered = co_await ask_metadata(std::nullopt, false, deadline);
  if (!answered) co_return fail(std::move(answered).error());
  co_return std::move(answered->topics);
}

env::Task<Result<TopicPointer>> Cluster::topic(std::string name, env::TimePoint deadline,
                                               bool create) {
  if (const auto found = topics_.find(name);
      found != topics_.end() && now() - found->second.asked < options_.metadata_max_age) {
    co_return found->second.topic;
  }
  for (int attempt = 0;; ++attempt) {
    auto answered = co_await ask_metadata(std::vector{name}, create, deadline);
    if (!answered) co_return fail(std::move(answered).error());
    const auto code = answered->failures.find(name);
    if (code == answered->failures.end()) {
      co_return fail(ErrorCode::corrupt_message,
                     fmt::format("The answer about topic {} does not mention it", name));
    }
    if (code->second == ErrorCode::none) co_return answered->topics.front();
    const bool absent = code->second == ErrorCode::unknown_topic_or_partition;
    const bool passes = is_retriable(code->second) && (create || !absent);
    if (!passes || now() >= deadline) {
      co_return fail(code->second,
                     absent ? fmt::format("There is no topic {}", name)
                            : fmt::format("Topic {}: {}", name, error_name(code->second)));
    }
    co_await back_off(attempt, deadline);
  }
}

}  // namespace arus::client
