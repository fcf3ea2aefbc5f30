// ApiVersions: what this listener serves, and the features of the cluster.
#include "protocol/api/api_versions.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "net/pipeline.h"
#include "protocol/features.h"

namespace arus::broker {
namespace {

using protocol::ApiVersionsRequest;
using protocol::ApiVersionsResponse;

// Clients before version 4 cannot read a range that begins at 0, so they are told of the one
// feature whose range does not.
constexpr std::int16_t all_features_from_version = 4;

bool is_client_name(const std::string& text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (text.empty() || !plain(text.front()) || !plain(text.back())) return false;
  return std::ranges::all_of(text, [&](char c) { return plain(c) || c == '-' || c == '.'; });
}

void describe_features(const Context& context, ApiVersionsResponse& response) {
  for (const auto& feature : protocol::all_features()) {
    if (context.version() < all_features_from_version && feature.min == 0) continue;
    auto& entry = response.supported_features.emplace_back();
    entry.name = feature.name;
    entry.min_version = feature.min;
    entry.max_version = feature.max;
  }
  const auto image = context.image();
  response.finalized_features_epoch = image->offset.value();
  for (const auto& [name, level] : image->features) {
    if (level == 0) continue;
    auto& entry = response.finalized_features.emplace_back();
    entry.name = name;
    entry.min_version_level = level;
    entry.max_version_level = level;
  }
}

env::Task<ApiVersionsResponse> handle(ApiVersionsRequest request, Context& context) {
  ApiVersionsResponse response;
  const bool named = context.version() >= 3;
  if (named && (!is_client_name(request.client_software_name) ||
                !is_client_name(request.client_software_version))) {
    response.error_code = ErrorCode::invalid_request;
    co_return response;
  }
  for (const net::Handler* const handler : context.call().handlers->all()) {
    auto& entry = response.api_keys.emplace_back();
    entry.api_key = handler->key();
    entry.min_version = handler->advertised().min;
    entry.max_version = handler->advertised().max;
  }
  describe_features(context, response);
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> api_versions_handler() {
  return net::make_handler<ApiVersionsRequest, Context>(
      handle, net::open_to_everyone<ApiVersionsRequest>());
}

}  // namespace arus::broker
