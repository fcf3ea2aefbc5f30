// AlterUserScramCredentials: stores and removes the credentials of users.
#include "protocol/api/alter_user_scram_credentials.h"

#include <set>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using Request = protocol::AlterUserScramCredentialsRequest;
using Response = protocol::AlterUserScramCredentialsResponse;

constexpr std::int32_t timeout_ms = 30'000;  // the request has none of its own

Response failed(const Request& request, const Error& error) {
  std::set<std::string> users;
  for (const auto& deletion : request.deletions) users.insert(deletion.name);
  for (const auto& upsertion : request.upsertions) users.insert(upsertion.name);
  Response response;
  for (const auto& user : users) {
    auto& result = response.results.emplace_back();
    result.user = user;
    result.error_code = error.code;
    result.error_message = message_of(error);
  }
  return response;
}

Response refuse(const Request& request, ErrorCode code) { return failed(request, {code, {}, 0}); }

env::Task<Response> handle(Request request, Context& context) {
  const auto caller = context.caller(timeout_ms);
  auto answer = co_await context.controller().alter_user_scram_credentials(caller, request);
  if (!answer) co_return failed(request, answer.error());
  co_return std::move(*answer);
}

}  // namespace

std::unique_ptr<net::Handler> alter_user_scram_credentials_handler() {
  return net::make_handler<Request, Context>(
      handle, net::needs_cluster<Request>(security::AclOperation::alter, refuse));
}

}  // namespace arus::broker
