// CreateDelegationToken: makes a token that stands for its owner.
#include "protocol/api/create_delegation_token.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using Request = protocol::CreateDelegationTokenRequest;
using Response = protocol::CreateDelegationTokenResponse;

// Tokens are for connections that have authenticated, which there are none of yet.
env::Task<Response> handle(Request, Context&) {
  Response response;
  response.error_code = ErrorCode::delegation_token_auth_disabled;
  response.issue_timestamp_ms = -1;
  response.expiry_timestamp_ms = -1;
  response.max_timestamp_ms = -1;
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> create_delegation_token_handler() {
  return net::make_handler<Request, Context>(
      handle, net::checked_in_handler<Request>("nobody has tokens, whoever asks"));
}

}  // namespace arus::broker
