// DescribeDelegationToken: tokens that the caller may see.
#include "protocol/api/describe_delegation_token.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using protocol::DescribeDelegationTokenRequest;
using protocol::DescribeDelegationTokenResponse;

// Tokens are for connections that have authenticated, which there are none of yet.
env::Task<DescribeDelegationTokenResponse> handle(DescribeDelegationTokenRequest, Context&) {
  DescribeDelegationTokenResponse response;
  response.error_code = ErrorCode::delegation_token_auth_disabled;
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> describe_delegation_token_handler() {
  return net::make_handler<DescribeDelegationTokenRequest, Context>(
      handle,
      net::checked_in_handler<DescribeDelegationTokenRequest>("nobody has tokens, whoever asks"));
}

}  // namespace arus::broker
