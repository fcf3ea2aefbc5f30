// FindCoordinator: which broker keeps a group or a transactional id. The topic behind it is created
// when it is first asked for.
#include "protocol/api/find_coordinator.h"

#include <charconv>

#include "base/uuid.h"
#include "broker/context.h"
#include "broker/coordinators.h"
#include "broker/handlers/handlers.h"
#include "broker/internal_topics.h"
#include "coordinator/runtime/coordinator.h"

namespace arus::broker {
namespace {

using protocol::FindCoordinatorRequest;
using protocol::FindCoordinatorResponse;
using security::AclOperation;
using security::ResourceType;

constexpr std::int8_t group_key = 0;
constexpr std::int8_t transaction_key = 1;
constexpr std::int8_t share_key = 2;
constexpr std::int16_t batches_from_version = 4;
constexpr std::int16_t share_from_version = 6;
constexpr env::Duration patience_while_loading = env::milliseconds(500);

// group:topic id:partition; the group's name may hold colons.
bool is_share_key(std::string_view key) {
  const auto last = key.rfind(':');
  if (last == std::string_view::npos || last == 0) return false;
  const auto middle = key.rfind(':', last - 1);
  if (middle == std::string_view::npos || middle == 0) return false;
  const std::string_view number = key.substr(last + 1);
  std::int32_t partition = -1;
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), partition);
  return error == std::errc{} && end == number.data() + number.size() && partition >= 0 &&
         Uuid::parse(key.substr(middle + 1, last - middle - 1)).has_value();
}

// Where a key's coordinator is, or why not.
struct Found {
  ErrorCode error = ErrorCode::none;
  BrokerId node_id = no_broker;
  std::string host;
  std::int32_t port = -1;
};

Found failed(ErrorCode code) { return {.error = code, .node_id = no_broker, .host = {}}; }

// What old versions say beside the code, also where nothing is wrong.
std::string text_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::coordinator_not_available:
      return "The coordinator is not available.";
    case ErrorCode::group_authorization_failed:
      return "Group authorization failed.";
    case ErrorCode::transactional_id_authorization_failed:
      return "Transactional Id authorization failed.";
    case ErrorCode::cluster_authorization_failed:
      return "Cluster authorization failed.";
    default:
      return std::string(error_name(code));
  }
}

ErrorCode refusal(const Context& context, std::int8_t type, const std::string& key) {
  const net::Authorization& authorization = context.authorization();
  switch (type) {
    case group_key:
      return authorization.allows(AclOperation::describe, ResourceType::group, key)
                 ? ErrorCode::none
                 : ErrorCode::group_authorization_failed;
    case transaction_key:
      return authorization.allows(AclOperation::describe, ResourceType::transactional_id, key)
                 ? ErrorCode::none
                 : ErrorCode::transactional_id_authorization_failed;
    case share_key:
      if (context.version() < share_from_version) return ErrorCode::invalid_request;
      if (!authorization.allows_cluster(AclOperation::cluster_action)) {
        return ErrorCode::cluster_authorization_failed;
      }
      // Share groups are not served.
      return is_share_key(key) ? ErrorCode::coordinator_not_available : ErrorCode::invalid_request;
    default:
      return ErrorCode::invalid_request;
  }
}

// A client goes on at once where the coordinator has loaded by the time that it is told of it.
env::Task<void> settle(Context& context, coordinator::CoordinatorBase& coordinator,
                       std::int32_t partition) {
  co_await coordinator.settled(partition, context.now() + patience_while_loading);
}

Found address_of_leader(const Context& context, const metadata::TopicImage& topic,
                        std::int32_t partition) {
  const BrokerId leader = topic.partitions[static_cast<std::size_t>(partition)]->leader;
  const auto image = context.image();
  const auto broker = leader == no_broker ? nullptr : image->broker(leader);
  if (!broker || !image->is_alive(leader)) return failed(ErrorCode::coordinator_not_available);
  const auto address = context.address_of(*broker);
  if (!address) return failed(ErrorCode::coordinator_not_available);
  return {.node_id = leader, .host = address->host, .port = address->port};
}

env::Task<Found> find(Context& context, std::int8_t type, std::string key) {
  const ErrorCode refused = refusal(context, type, key);
  if (refused != ErrorCode::none) co_return failed(refused);
  coordinator::CoordinatorBase* coordinator = &context.groups();
  if (type == transaction_key) coordinator = &context.transactions();
  const auto config = context.config();
  const auto there = co_await ensure_internal_topic(
      context.controller(), context.services().images(), *config, coordinator->topic(),
      context.caller(config->request_timeout_ms));
  if (!there) co_return failed(ErrorCode::coordinator_not_available);
  const auto topic = context.image()->topic(coordinator->topic());
  const auto partition = coordinator->partition_of(key);
  if (!topic || !partition) co_return failed(ErrorCode::coordinator_not_available);
  Found found = address_of_leader(context, *topic, *partition);
  if (found.node_id == context.node_id()) co_await settle(context, *coordinator, *partition);
  co_return found;
}

env::Task<FindCoordinatorResponse> handle(FindCoordinatorRequest request, Context& context) {
  FindCoordinatorResponse response;
  if (context.version() < batches_from_version) {
    Found found = co_await find(context, request.key_type, std::move(request.key));
    response.error_code = found.error;
    response.error_message = text_of(found.error);
    response.node_id = found.node_id;
    response.host = std::move(found.host);
    response.port = found.port;
    co_return response;
  }
  for (auto& key : request.coordinator_keys) {
    Found found = co_await find(context, request.key_type, key);
    auto& coordinator = response.coordinators.emplace_back();
    coordinator.key = std::move(key);
    coordinator.error_code = found.error;
    coordinator.error_message = "";
    coordinator.node_id = found.node_id;
    coordinator.host = std::move(found.host);
    coordinator.port = found.port;
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> find_coordinator_handler() {
  return net::make_handler<FindCoordinatorRequest, Context>(
      handle, net::checked_in_handler<FindCoordinatorRequest>(
                  "what is asked for depends on the type of key"));
}

}  // namespace arus::broker
