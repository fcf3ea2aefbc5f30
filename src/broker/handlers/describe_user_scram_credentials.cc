// DescribeUserScramCredentials: which users have credentials, never the credentials themselves.
#include "protocol/api/describe_user_scram_credentials.h"

#include <map>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"
#include "metadata/retained.h"

namespace arus::broker {
namespace {

using protocol::DescribeUserScramCredentialsRequest;
using protocol::DescribeUserScramCredentialsResponse;
using Credentials = std::vector<DescribeUserScramCredentialsResponse::CredentialInfo>;

std::map<std::string, Credentials> credentials_by_user(const metadata::MetadataImage& image) {
  std::map<std::string, Credentials> users;
  if (!image.retained) return users;
  for (const auto& [key, credential] : *image.retained->scram) {
    users[key.user].push_back({.mechanism = key.mechanism, .iterations = credential.iterations});
  }
  return users;
}

void add(DescribeUserScramCredentialsResponse& response, const std::string& user,
         const Error& error, Credentials found) {
  auto& result = response.results.emplace_back();
  result.user = user;
  result.error_code = error.code;
  result.error_message = message_of(error);
  result.credential_infos = std::move(found);
}

env::Task<DescribeUserScramCredentialsResponse> handle(DescribeUserScramCredentialsRequest request,
                                                       Context& context) {
  const Error none{ErrorCode::none, {}, 0};
  DescribeUserScramCredentialsResponse response;
  response.error_message.reset();
  auto users = credentials_by_user(*context.image());
  if (!request.users || request.users->empty()) {
    for (auto& [user, found] : users) add(response, user, none, std::move(found));
    co_return response;
  }
  std::map<std::string, int> asked;
  for (const auto& user : *request.users) ++asked[user.name];
  for (const auto& [user, times] : asked) {
    if (times > 1) {
      add(response, user,
          {ErrorCode::duplicate_resource, "The request names the user " + user + " twice", 0}, {});
    } else if (!users.contains(user)) {
      add(response, user,
          {ErrorCode::resource_not_found, "The user " + user + " has no SCRAM credentials", 0}, {});
    } else {
      add(response, user, none, std::move(users[user]));
    }
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> describe_user_scram_credentials_handler() {
  return net::make_handler<DescribeUserScramCredentialsRequest, Context>(
      handle,
      net::needs_cluster<DescribeUserScramCredentialsRequest>(
          security::AclOperation::describe, refused_as_whole<DescribeUserScramCredentialsResponse,
                                                             DescribeUserScramCredentialsRequest>));
}

}  // namespace arus::broker
