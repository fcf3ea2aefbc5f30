// AlterUserScramCredentials: stores and removes the credentials of users.
#include "protocol/api/alter_user_scram_credentials.h"

#include <set>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using protocol::AlterUserScramCredentialsRequest;
using protocol::AlterUserScramCredentialsResponse;

AlterUserScramCredentialsResponse failed(const AlterUserScramCredentialsRequest& request,
                                         const Error& error) {
  std::set<std::string> users;
  for (const auto& deletion : request.deletions) users.insert(deletion.name);
  for (const auto& upsertion : request.upsertions) users.insert(upsertion.name);
  AlterUserScramCredentialsResponse response;
  for (const auto& user : users) {
    auto& result = response.results.emplace_back();
    result.user = user;
    result.error_code = error.code;
    result.error_message = message_of(error);
  }
  return response;
}

AlterUserScramCredentialsResponse refuse(const AlterUserScramCredentialsRequest& request,
                                         ErrorCode code) {
  return failed(request, {code, {}, 0});
}

env::Task<AlterUserScramCredentialsResponse> handle(AlterUserScramCredentialsRequest request,
                                                    Context& context) {
  const auto caller = context.caller(default_timeout_ms);
  auto answer = co_await context.controller().alter_user_scram_credentials(caller, request);
  if (!answer) co_return failed(request, answer.error());
  co_return std::move(*answer);
}

}  // namespace

std::unique_ptr<net::Handler> alter_user_scram_credentials_handler() {
  return net::make_handler<AlterUserScramCredentialsRequest, Context>(
      handle,
      net::needs_cluster<AlterUserScramCredentialsRequest>(security::AclOperation::alter, refuse));
}

}  // namespace arus::broker
