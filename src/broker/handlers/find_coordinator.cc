// FindCoordinator: there are no coordinators yet, and clients ask again.
#include "protocol/api/find_coordinator.h"

#include <charconv>

#include "base/uuid.h"
#include "broker/context.h"
#include "broker/handlers/handlers.h"

namespace arus::broker {
namespace {

using Request = protocol::FindCoordinatorRequest;
using Response = protocol::FindCoordinatorResponse;
using security::AclOperation;
using security::ResourceType;

constexpr std::int8_t group_key = 0;
constexpr std::int8_t transaction_key = 1;
constexpr std::int8_t share_key = 2;
constexpr std::int16_t batches_from_version = 4;
constexpr std::int16_t share_from_version = 6;

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

ErrorCode outcome_of(const Context& context, std::int8_t type, const std::string& key) {
  const net::Authorization& authorization = context.authorization();
  switch (type) {
    case group_key:
      if (!authorization.allows(AclOperation::describe, ResourceType::group, key)) {
        return ErrorCode::group_authorization_failed;
      }
      return ErrorCode::coordinator_not_available;
    case transaction_key:
      if (!authorization.allows(AclOperation::describe, ResourceType::transactional_id, key)) {
        return ErrorCode::transactional_id_authorization_failed;
      }
      return ErrorCode::coordinator_not_available;
    case share_key:
      if (context.version() < share_from_version) return ErrorCode::invalid_request;
      if (!authorization.allows_cluster(AclOperation::cluster_action)) {
        return ErrorCode::cluster_authorization_failed;
      }
      return is_share_key(key) ? ErrorCode::coordinator_not_available : ErrorCode::invalid_request;
    default:
      return ErrorCode::invalid_request;
  }
}

env::Task<Response> handle(Request request, Context& context) {
  Response response;
  if (context.version() < batches_from_version) {
    response.error_code = outcome_of(context, request.key_type, request.key);
    response.error_message = std::string(error_name(response.error_code));
    response.node_id = no_broker;
    response.port = -1;
    co_return response;
  }
  for (auto& key : request.coordinator_keys) {
    auto& coordinator = response.coordinators.emplace_back();
    coordinator.error_code = outcome_of(context, request.key_type, key);
    coordinator.error_message = std::string(error_name(coordinator.error_code));
    coordinator.key = std::move(key);
    coordinator.node_id = no_broker;
    coordinator.port = -1;
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> find_coordinator_handler() {
  return net::make_handler<Request, Context>(
      handle, net::checked_in_handler<Request>("what is asked for depends on the type of key"));
}

}  // namespace arus::broker
