// ExpireDelegationToken: ends a token.
#include "protocol/api/expire_delegation_token.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using protocol::ExpireDelegationTokenRequest;
using protocol::ExpireDelegationTokenResponse;

// Tokens are for connections that have authenticated, which there are none of yet.
env::Task<ExpireDelegationTokenResponse> handle(ExpireDelegationTokenRequest, Context&) {
  ExpireDelegationTokenResponse response;
  response.error_code = ErrorCode::delegation_token_auth_disabled;
  response.expiry_timestamp_ms = -1;
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> expire_delegation_token_handler() {
  return net::make_handler<ExpireDelegationTokenRequest, Context>(
      handle,
      net::checked_in_handler<ExpireDelegationTokenRequest>("nobody has tokens, whoever asks"));
}

}  // namespace arus::broker
