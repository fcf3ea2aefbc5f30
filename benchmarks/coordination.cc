#include "benchmarks/coordination.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <set>
#include <vector>

#include "client/cluster.h"
#include "client/coordinator.h"
#include "client/offset_calls.h"
#include "client/producer.h"
#include "env/environment.h"
#include "protocol/api/consumer_group_heartbeat.h"

namespace arus::benchmark {
namespace {

using env::Task;

constexpr env::Duration patience = env::seconds(30);

[[noreturn]] void give_up(const Error& error) {
  fmt::print(stderr, "{}: {}\n", error_name(error.code), error.message);
  std::exit(1);
}

template <class T>
T good(Result<T> result) {
  if (!result) give_up(result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

client::ClientOptions options_for(const std::string& bootstrap) {
  return {.bootstrap = good(client::parse_bootstrap(bootstrap))};
}

// Runs `body` on a loop of its own, to the end.
template <class Body>
auto on_loop(Body body) {
  const auto environment = env::make_real_environment({.loops = 1, .pool_threads = 1});
  return env::run_until_done(*environment, body(*environment));
}

env::Duration as_duration(double seconds) {
  return env::milliseconds(static_cast<std::int64_t>(seconds * 1e3));
}

// Offsets.

Task<void> commit_again_and_again(client::Cluster* cluster, std::string group, env::TimePoint until,
                                  std::int64_t* commits) {
  client::Coordinator coordinator(*cluster, client::CoordinatorType::group, group);
  for (std::int64_t offset = 0; cluster->now() < until; ++offset) {
    std::map<TopicPartition, client::CommittedOffset> offsets;
    offsets[{"commits", 0}] = {.offset = Offset{offset}};
    const auto outcome = good(co_await client::commit_offsets(
        *cluster, coordinator, {.group_id = group}, std::move(offsets), cluster->now() + patience));
    for (const auto& [partition, committed] : outcome) good(committed);
    if (offset > 0) ++*commits;  // the first one finds the coordinator
  }
}

Task<double> commits_per_s(env::RealEnvironment& environment, const std::string& bootstrap,
                           int groups, double seconds) {
  std::vector<std::unique_ptr<client::Cluster>> clusters;
  std::vector<std::int64_t> commits(static_cast<std::size_t>(groups));
  env::Gate gate;
  const env::TimePoint began = environment.clock().now();
  for (int i = 0; i < groups; ++i) {
    clusters.push_back(std::make_unique<client::Cluster>(environment, options_for(bootstrap)));
    env::spawn(gate, commit_again_and_again(clusters.back().get(), fmt::format("bench-{}", i),
                                            began + as_duration(seconds),
                                            &commits[static_cast<std::size_t>(i)]));
  }
  co_await gate.close();
  const double took = std::chrono::duration<double>(environment.clock().now() - began).count();
  double sum = 0;
  for (const std::int64_t one : commits) sum += static_cast<double>(one);
  for (auto& cluster : clusters) co_await cluster->close();
  co_return sum / took;
}

// Transactions.

Task<double> run_transactions(env::RealEnvironment& environment, const std::string& bootstrap,
                              int records, double seconds) {
  client::Cluster cluster(environment, options_for(bootstrap));
  client::Producer producer(cluster, {.linger = env::milliseconds(0), .transactional_id = "bench"});
  good(co_await producer.init_transactions(cluster.now() + patience));
  const Bytes value(100, 'v');
  const env::TimePoint began = cluster.now();
  const env::TimePoint until = began + as_duration(seconds);
  std::int64_t done = 0;
  while (cluster.now() < until) {
    good(producer.begin_transaction());
    for (int i = 0; i < records; ++i) {
      good(co_await producer.send({.topic = "transactions", .partition = 0, .value = value},
                                  [](Result<client::Delivered> outcome) { good(outcome); }));
    }
    good(co_await producer.commit_transaction(cluster.now() + patience));
    ++done;
  }
  const double took = std::chrono::duration<double>(cluster.now() - began).count();
  co_await producer.close(cluster.now() + patience);
  co_await cluster.close();
  co_return static_cast<double>(done) / took;
}

// A group that loses a member.

using Heartbeat = protocol::ConsumerGroupHeartbeatRequest;
using Partition = std::pair<Uuid, std::int32_t>;

// What all members see together. Owner: the loop.
struct Room {
  client::Cluster& cluster;
  std::string group;
  std::size_t partitions;
  std::map<Partition, int> owners;
  std::map<int, env::TimePoint> heard;
  int dead = -1;  // that member says nothing any more
  bool over = false;
};

Task<void> take_part(Room* room, int number) {
  client::Coordinator coordinator(room->cluster, client::CoordinatorType::group, room->group);
  Heartbeat next;
  next.group_id = room->group;
  next.member_id = fmt::format("member-{:04}", number);
  next.rebalance_timeout_ms = 60'000;
  next.subscribed_topic_names = std::vector<std::string>{"takeover"};
  next.topic_partitions.emplace();
  while (!room->over && room->dead != number) {
    const auto answer = good(co_await coordinator.ask(
        next, room->cluster.now() + patience,
        [](const protocol::ConsumerGroupHeartbeatResponse& given) { return given.error_code; }));
    if (answer.error_code != ErrorCode::none) {
      give_up({answer.error_code, answer.error_message.value_or(""), 0});
    }
    room->heard[number] = room->cluster.now();
    next = Heartbeat{};
    next.group_id = room->group;
    next.member_id = answer.member_id.value_or("");
    next.member_epoch = answer.member_epoch;
    if (room->dead == number) co_return;
    if (answer.assignment) {
      std::erase_if(room->owners, [number](const auto& owned) { return owned.second == number; });
      auto& owned = next.topic_partitions.emplace();
      for (const auto& topic : answer.assignment->topic_partitions) {
        owned.push_back({.topic_id = topic.topic_id, .partitions = topic.partitions});
        for (const auto partition : topic.partitions) {
          room->owners[{topic.topic_id, partition}] = number;
        }
      }
      continue;  // what was given up is told at once
    }
    const env::TimePoint due =
        room->cluster.now() + env::milliseconds(answer.heartbeat_interval_ms);
    while (!room->over && room->cluster.now() < due) {
      co_await env::sleep_for(
          std::min<env::Duration>(due - room->cluster.now(), env::milliseconds(200)));
    }
  }
}

Task<double> lose_a_member(env::RealEnvironment& environment, const std::string& bootstrap,
                           int members, int partitions, double session_s) {
  client::Cluster cluster(environment, options_for(bootstrap));
  Room room{
      .cluster = cluster, .group = "takeover", .partitions = static_cast<std::size_t>(partitions)};
  env::Gate gate;
  for (int i = 0; i < members; ++i) env::spawn(gate, take_part(&room, i));
  const auto settled = [&] {
    std::set<int> owning;
    for (const auto& [partition, owner] : room.owners) owning.insert(owner);
    const auto expected = static_cast<std::size_t>(std::min(members, partitions));
    return room.owners.size() == room.partitions && owning.size() == expected;
  };
  while (!settled()) co_await env::sleep_for(env::milliseconds(50));
  co_await env::sleep_for(env::seconds(12));  // everybody has come twice since
  room.dead = members / 2;
  std::erase_if(room.owners, [&](const auto& owned) { return owned.second == room.dead; });
  const env::TimePoint limit = cluster.now() + as_duration(session_s + 30);
  while (room.owners.size() < room.partitions && cluster.now() < limit) {
    co_await env::sleep_for(env::milliseconds(2));
  }
  const double took =
      std::chrono::duration<double>(cluster.now() - room.heard[room.dead]).count() - session_s;
  const bool complete = room.owners.size() == room.partitions;
  room.over = true;
  co_await gate.close();
  co_await cluster.close();
  co_return complete ? took : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

double offset_commits_per_s(const std::string& bootstrap, int groups, double seconds) {
  return on_loop([&] [[clang::coro_wrapper]] (env::RealEnvironment & environment) {
    return commits_per_s(environment, bootstrap, groups, seconds);
  });
}

double transactions_per_s(const std::string& bootstrap, int records, double seconds) {
  return on_loop([&] [[clang::coro_wrapper]] (env::RealEnvironment & environment) {
    return run_transactions(environment, bootstrap, records, seconds);
  });
}

double takeover_s(const std::string& bootstrap, int members, int partitions, double session_s) {
  return on_loop([&] [[clang::coro_wrapper]] (env::RealEnvironment & environment) {
    return lose_a_member(environment, bootstrap, members, partitions, session_s);
  });
}

}  // namespace arus::benchmark
