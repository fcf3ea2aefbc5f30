// Questions about groups or transactional ids, each asked of its coordinator.
#pragma once

#include <fmt/core.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/coordinator.h"

namespace arus::client {

inline constexpr std::size_t max_keys_per_call = 500;

// Gives each key's question to its coordinator, many keys in one request where `many` allows, and
// asks again those whose coordinator has moved or is loading, until the deadline.
//   make(keys) -> Request; take(answer, coordinator, outcomes): fills what the answer mentions.
template <class Value, class Make, class Take>
env::Task<Result<std::map<std::string, Result<Value>>>> ask_coordinators(
    Cluster& cluster, CoordinatorType type, std::set<std::string> left, bool many,
    env::TimePoint deadline, Make make, Take take) {
  std::map<std::string, Result<Value>> outcomes;
  for (int attempt = 0; !left.empty(); ++attempt) {
    if (attempt > 0) co_await cluster.back_off(attempt - 1, deadline);
    std::map<BrokerId, std::vector<std::vector<std::string>>> calls;
    for (auto first = left.begin(); first != left.end();) {
      std::vector<std::string> keys;
      for (; first != left.end() && keys.size() < max_keys_per_call; ++first) {
        keys.push_back(*first);
      }
      for (auto& [key, broker] : co_await find_coordinators(cluster, type, keys, deadline)) {
        if (!broker) {
          outcomes.insert_or_assign(key, Result<Value>(fail(broker.error())));
          continue;
        }
        auto& of_broker = calls[*broker];
        if (of_broker.empty() || !many || of_broker.back().size() >= max_keys_per_call) {
          of_broker.emplace_back();
        }
        of_broker.back().push_back(key);
      }
    }
    for (const auto& [broker, requests] : calls) {
      for (const auto& keys : requests) {
        auto answer = co_await cluster.ask_once(make(keys), Route::coordinator(broker),
                                                cluster.options().request_timeout, deadline);
        for (const auto& key : keys) {
          outcomes.insert_or_assign(
              key, Result<Value>(answer ? fail(ErrorCode::corrupt_message,
                                               fmt::format("The answer does not mention {}", key))
                                        : fail(answer.error())));
        }
        if (answer) take(*answer, broker, outcomes);
      }
    }
    std::set<std::string> again;
    for (const auto& key : left) {
      const auto& outcome = outcomes.at(key);
      if (!outcome && may_ask_again(outcome.error().code) &&
          outcome.error().code != ErrorCode::corrupt_message) {
        again.insert(key);
      }
    }
    left = std::move(again);
    if (cluster.now() >= deadline) break;
  }
  co_return outcomes;
}

}  // namespace arus::client
