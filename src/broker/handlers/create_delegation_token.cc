// CreateDelegationToken: makes a token that stands for its owner.
#include "protocol/api/create_delegation_token.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using protocol::CreateDelegationTokenRequest;
using protocol::CreateDelegationTokenResponse;

// Tokens are for connections that have authenticated, which there are none of yet.
env::Task<CreateDelegationTokenResponse> handle(CreateDelegationTokenRequest, Context&) {
  CreateDelegationTokenResponse response;
  response.error_code = ErrorCode::delegation_token_auth_disabled;
  response.issue_timestamp_ms = -1;
  response.expiry_timestamp_ms = -1;
  response.max_timestamp_ms = -1;
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> create_delegation_token_handler() {
  return net::make_handler<CreateDelegationTokenRequest, Context>(
      handle,
      net::checked_in_handler<CreateDelegationTokenRequest>("nobody has tokens, whoever asks"));
}

}  // namespace arus::broker
