// RenewDelegationToken: lets a token live longer.
#include "protocol/api/renew_delegation_token.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using protocol::RenewDelegationTokenRequest;
using protocol::RenewDelegationTokenResponse;

// Tokens are for connections that have authenticated, which there are none of yet.
env::Task<RenewDelegationTokenResponse> handle(RenewDelegationTokenRequest, Context&) {
  RenewDelegationTokenResponse response;
  response.error_code = ErrorCode::delegation_token_auth_disabled;
  response.expiry_timestamp_ms = -1;
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> renew_delegation_token_handler() {
  return net::make_handler<RenewDelegationTokenRequest, Context>(
      handle,
      net::checked_in_handler<RenewDelegationTokenRequest>("nobody has tokens, whoever asks"));
}

}  // namespace arus::broker
