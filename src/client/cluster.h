// The brokers of one cluster, who leads what, and connections to them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/topic_partition.h"
#include "client/connection.h"
#include "client/options.h"
#include "env/environment.h"

namespace arus::protocol {
struct MetadataResponse;
}

namespace arus::client {

struct BrokerInfo {
  BrokerId id = no_broker;
  env::Address address;
  std::optional<std::string> rack;
};

struct PartitionInfo {
  std::int32_t index = 0;
  ErrorCode error = ErrorCode::none;
  BrokerId leader = no_broker;
  LeaderEpoch leader_epoch = no_leader_epoch;
  std::vector<BrokerId> replicas;
  std::vector<BrokerId> isr;
  std::vector<BrokerId> offline;
};

// Partitions are sorted by index.
struct TopicInfo {
  std::string name;
  Uuid id;
  bool internal = false;
  std::vector<PartitionInfo> partitions;

  [[nodiscard]] const PartitionInfo* partition(std::int32_t index) const;
};
using TopicPointer = std::shared_ptr<const TopicInfo>;

// Which broker a request goes to.
struct Route {
  enum class To : std::uint8_t { any, controller, broker, coordinator };
  To to = To::any;
  BrokerId broker = no_broker;

  static Route any() { return {}; }
  static Route controller() { return {To::controller, no_broker}; }
  static Route one(BrokerId id) { return {To::broker, id}; }
  // The broker on a connection of its own: answers leave a connection in the order of requests, and
  // neither must a heartbeat wait behind a fetch, nor a fetch behind a join.
  static Route coordinator(BrokerId id) { return {To::coordinator, id}; }
};

// One connection per broker, and a second one to coordinators, opened when first needed and again
// after it broke. Metadata is kept
// per topic for metadata_max_age; whoever learns that it is stale calls forget(), and the next
// question asks the cluster again. Questions for the same topics at the same time share an answer.
// Owner: the loop it was made on. close() is awaited before it is destroyed.
class Cluster {
 public:
  using Pointer = std::shared_ptr<Connection>;

  Cluster(env::Environment& environment, ClientOptions options);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;
  // No call may be waiting; connections end.
  env::Task<void> close();

  [[nodiscard]] env::Environment& environment() { return environment_; }
  [[nodiscard]] const ClientOptions& options() const { return options_; }
  [[nodiscard]] env::TimePoint now() const { return environment_.clock().now(); }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] env::TimePoint call_deadline() const { return now() + options_.call_timeout; }

  // An open connection. NETWORK_EXCEPTION or REQUEST_TIMED_OUT when none can be had.
  env::Task<Result<Pointer>> connect(Route route, env::TimePoint deadline);

  // Ends the connection to a coordinator, and with it what waits for an answer there.
  void hang_up(BrokerId coordinator);

  // The topic as the cluster knows it. UNKNOWN_TOPIC_OR_PARTITION where there is none; with
  // `create` a broker that allows it makes the topic, and this waits until it has leaders.
  env::Task<Result<TopicPointer>> topic(std::string name, env::TimePoint deadline,
                                        bool create = false);
  // All topics, always asked anew.
  env::Task<Result<std::vector<TopicPointer>>> all_topics(env::TimePoint deadline);
  // These topics, always asked anew, each with the topic or what speaks against it. With `create`
  // a broker that allows it makes those that are absent, which may take a moment.
  using Topics = std::map<std::string, Result<TopicPointer>>;
  env::Task<Result<Topics>> topics(std::set<std::string> names, bool create,
                                   env::TimePoint deadline);
  // Those of these ids that the cluster knows.
  env::Task<Result<std::map<Uuid, TopicPointer>>> topics_by_id(std::set<Uuid> ids,
                                                               env::TimePoint deadline);
  // Asks anew who is there: fills brokers(), controller() and cluster_id().
  env::Task<Result<>> refresh(env::TimePoint deadline);
  // What is known of the topic is not believed any more.
  void forget(const std::string& topic) { topics_.erase(topic); }

  // As of the last answer; empty before the first.
  [[nodiscard]] const std::map<BrokerId, BrokerInfo>& brokers() const { return brokers_; }
  [[nodiscard]] BrokerId controller() const { return controller_; }
  // A broker that another answer than that to Metadata has named.
  void learn_broker(BrokerId id, env::Address address) {
    BrokerInfo& broker = brokers_[id];
    broker.id = id;
    broker.address = std::move(address);
  }
  [[nodiscard]] const std::string& cluster_id() const { return cluster_id_; }

  // Sends one request where the route says, again after failures that pass (connections that break,
  // no controller yet) until the deadline: it must be one that may be carried out twice. Error
  // codes inside the answer are left to the caller.
  template <class Request>
  env::Task<Result<typename Request::Response>> ask(Request request, Route route,
                                                    env::TimePoint deadline,
                                                    std::int16_t highest = INT16_MAX);
  // The same; the answer is in its place when this succeeds.
  env::Task<Result<>> ask(Question question, Route route, env::TimePoint deadline);

  // The same without another try; waits for the answer up to `patience`, which the deadline cuts.
  template <class Request>
  env::Task<Result<typename Request::Response>> ask_once(Request request, Route route,
                                                         env::Duration patience,
                                                         env::TimePoint deadline,
                                                         std::int16_t highest = INT16_MAX);

  // Waits before the given try, counted from 0, or until the deadline.
  env::Task<void> back_off(int attempt, env::TimePoint deadline);

 private:
  enum class Lane : std::uint8_t { shared, coordinator };
  using Line = std::pair<Lane, std::string>;  // and "host:port"
  struct Known {
    TopicPointer topic;
    env::TimePoint asked;
  };
  struct Answered {
    std::vector<TopicPointer> topics;           // those without an error
    std::map<std::string, ErrorCode> failures;  // of every topic in the answer, none among them
  };

  env::Task<Result<Pointer>> connect_any(env::TimePoint deadline);
  env::Task<Result<Pointer>> connect_broker(BrokerId id, Lane lane, env::TimePoint deadline);
  env::Task<Result<Pointer>> connect_address(env::Address address, Lane lane,
                                             env::TimePoint deadline);
  env::Task<Result<Answered>> ask_metadata(std::optional<std::vector<std::string>> names,
                                           bool create, env::TimePoint deadline);
  Answered take_metadata(const protocol::MetadataResponse& answer);
  void learn_brokers(const protocol::MetadataResponse& answer);
  static env::Task<void> bury(Pointer connection);
  // What another try, perhaps with another broker, may cure.
  static bool passes(const Error& error) {
    return error.code == ErrorCode::network_exception ||
           error.code == ErrorCode::request_timed_out ||
           error.code == ErrorCode::broker_not_available || error.code == ErrorCode::not_controller;
  }
  void drop_closed();

  env::Environment& environment_;
  ClientOptions options_;
  std::map<Line, Pointer> connections_;
  std::set<Line> opening_;
  env::Event opened_;
  std::map<BrokerId, BrokerInfo> brokers_;
  BrokerId controller_ = no_broker;
  std::string cluster_id_;
  std::map<std::string, Known> topics_;
  env::Gate gate_;
  bool closed_ = false;
};

template <class Request>
env::Task<Result<typename Request::Response>> Cluster::ask(Request request, Route route,
                                                           env::TimePoint deadline,
                                                           std::int16_t highest) {
  std::optional<typename Request::Response> answer;
  auto asked = co_await ask(question(request, answer, highest), route, deadline);
  if (!asked) co_return fail(std::move(asked).error());
  co_return std::move(*answer);
}

template <class Request>
env::Task<Result<typename Request::Response>> Cluster::ask_once(Request request, Route route,
                                                                env::Duration patience,
                                                                env::TimePoint deadline,
                                                                std::int16_t highest) {
  auto connection = co_await connect(route, deadline);
  if (!connection) co_return fail(std::move(connection).error());
  const env::TimePoint limit = std::min(deadline, now() + patience);
  co_return co_await (*connection)->ask(std::move(request), limit, highest);
}

}  // namespace arus::client
