#include "client/coordinator.h"

#include <fmt/core.h>

#include "protocol/api/find_coordinator.h"

namespace arus::client {
namespace {

constexpr std::int16_t first_version_of_many_keys = 4;  // that asks for several keys at once

Result<BrokerId> coordinator_of(Cluster& cluster, CoordinatorType type, const std::string& key,
                                ErrorCode code, const std::optional<std::string>& message,
                                BrokerId id, const std::string& host, std::int32_t port) {
  const char* what = type == CoordinatorType::group ? "group" : "transactional id";
  if (code != ErrorCode::none) {
    return fail(code, fmt::format("No coordinator of the {} {}: {}", what, key,
                                  message.value_or(std::string(error_name(code)))));
  }
  if (host.empty() || port <= 0 || port > UINT16_MAX) {
    return fail(ErrorCode::coordinator_not_available,
                fmt::format("The coordinator of the {} {} has no address", what, key));
  }
  cluster.learn_broker(id, {host, static_cast<std::uint16_t>(port)});
  return id;
}

}  // namespace

env::Task<std::map<std::string, Result<BrokerId>>> find_coordinators(Cluster& cluster,
                                                                     CoordinatorType type,
                                                                     std::vector<std::string> keys,
                                                                     env::TimePoint deadline) {
  using protocol::FindCoordinatorRequest;
  std::map<std::string, Result<BrokerId>> found;
  const auto fail_rest = [&](const Error& error) {
    for (const auto& key : keys) found.emplace(key, fail(error));
  };
  auto connection = co_await cluster.connect(Route::any(), deadline);
  if (!connection) {
    fail_rest(connection.error());
    co_return found;
  }
  const auto version =
      (*connection)
          ->negotiate(FindCoordinatorRequest::api_key, FindCoordinatorRequest::min_version,
                      FindCoordinatorRequest::max_version);
  if (!version) {
    fail_rest(version.error());
    co_return found;
  }
  const env::TimePoint limit =
      std::min(deadline, cluster.now() + cluster.options().request_timeout);
  FindCoordinatorRequest request;
  request.key_type = static_cast<std::int8_t>(type);
  if (*version >= first_version_of_many_keys) {
    request.coordinator_keys = keys;
    auto answer = co_await (*connection)->ask(std::move(request), limit);
    if (!answer) {
      fail_rest(answer.error());
      co_return found;
    }
    for (const auto& one : answer->coordinators) {
      found.insert_or_assign(
          one.key, coordinator_of(cluster, type, one.key, one.error_code, one.error_message,
                                  one.node_id, one.host, one.port));
    }
    fail_rest({ErrorCode::coordinator_not_available, "The answer does not name the coordinator"});
    co_return found;
  }
  for (const auto& key : keys) {
    request.key = key;
    auto answer = co_await (*connection)->ask(request, limit);
    found.insert_or_assign(
        key, answer ? coordinator_of(cluster, type, key, answer->error_code, answer->error_message,
                                     answer->node_id, answer->host, answer->port)
                    : Result<BrokerId>(fail(answer.error())));
  }
  co_return found;
}

env::Task<Result<BrokerId>> Coordinator::find(env::TimePoint deadline) {
  for (int attempt = 0; !known(); ++attempt) {
    auto found = co_await find_coordinators(cluster_, type_, {key_}, deadline);
    auto& one = found.at(key_);
    if (one) {
      broker_ = *one;
      break;
    }
    if (!may_ask_again(one.error().code) || cluster_.now() >= deadline || abandoned()) {
      co_return fail(one.error());
    }
    co_await cluster_.back_off(attempt, deadline);
  }
  co_return broker_;
}

}  // namespace arus::client
