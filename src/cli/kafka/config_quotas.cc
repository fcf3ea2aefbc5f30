#include "cli/kafka/config_quotas.h"

#include <fmt/core.h>

#include <charconv>

#include "cli/java_text.h"
#include "cli/kafka/command.h"
#include "protocol/api/alter_client_quotas.h"
#include "protocol/api/alter_user_scram_credentials.h"
#include "protocol/api/describe_client_quotas.h"
#include "protocol/api/describe_user_scram_credentials.h"
#include "security/scram_keys.h"

namespace arus::cli::kafka {
namespace {

using security::ScramMechanism;

constexpr std::int32_t default_iterations = 4096;
constexpr std::size_t salt_bytes = 26;

std::string wire_type(std::string_view type) {
  if (type == "users") return "user";
  if (type == "clients") return "client-id";
  return "ip";
}

std::string entity_text(const std::string& wire, const std::optional<std::string>& name) {
  const std::string shown = wire == "user" ? "user-principal" : wire;
  return name ? fmt::format("{} '{}'", shown, *name) : fmt::format("the default {}", shown);
}

std::string_view mechanism_name(std::int8_t mechanism) {
  switch (security::scram_mechanism_of(mechanism)) {
    case ScramMechanism::sha_256:
      return "SCRAM-SHA-256";
    case ScramMechanism::sha_512:
      return "SCRAM-SHA-512";
    case ScramMechanism::unknown:
      break;
  }
  return "UNKNOWN";
}

env::Task<Result<>> describe_scram(Session& session, Console& console,
                                   const std::optional<std::string>& user) {
  protocol::DescribeUserScramCredentialsRequest request;
  if (user) {
    request.users->emplace_back().name = *user;
  } else {
    request.users.reset();
  }
  auto answer = co_await session.cluster.ask(std::move(request), client::Route::any(),
                                             session.cluster.call_deadline());
  if (!answer) co_return fail(std::move(answer).error());
  if (answer->error_code != ErrorCode::none) {
    co_return fail(answer->error_code, message_of(answer->error_code, answer->error_message));
  }
  for (const auto& result : answer->results) {
    if (result.error_code == ErrorCode::resource_not_found) continue;
    if (result.error_code != ErrorCode::none) {
      co_return fail(result.error_code, message_of(result.error_code, result.error_message));
    }
    std::string credentials;
    for (const auto& info : result.credential_infos) {
      credentials += fmt::format("{}{}=iterations={}", credentials.empty() ? "" : ", ",
                                 mechanism_name(info.mechanism), info.iterations);
    }
    console.print("SCRAM credential configs for user-principal '{}' are {}\n", result.user,
                  credentials);
  }
  co_return Result<>{};
}

// "[iterations=8192,password=secret]" without its brackets.
Result<protocol::AlterUserScramCredentialsRequest::ScramCredentialUpsertion> upsertion_of(
    env::Random& random, const std::string& user, ScramMechanism mechanism,
    const std::string& text) {
  const auto parts = parse_config_list(text);
  if (!parts) return fail(ErrorCode::invalid_request, "The credential has a part without '='");
  std::optional<std::string> password;
  std::int32_t iterations = default_iterations;
  for (const auto& [name, value] : *parts) {
    if (name == "password") {
      password = value;
    } else if (name == "iterations") {
      const auto [end, error] =
          std::from_chars(value.data(), value.data() + value.size(), iterations);
      if (error != std::errc{} || end != value.data() + value.size() ||
          iterations < security::min_scram_iterations ||
          iterations > security::max_scram_iterations) {
        return fail(
            ErrorCode::invalid_request,
            fmt::format("Iterations must be between {} and {}, not {}",
                        security::min_scram_iterations, security::max_scram_iterations, value));
      }
    } else {
      return fail(ErrorCode::invalid_request, fmt::format("A credential has no {}", name));
    }
  }
  if (!password || password->empty()) {
    return fail(ErrorCode::invalid_request, "You must specify a password for the credential");
  }
  protocol::AlterUserScramCredentialsRequest::ScramCredentialUpsertion upsertion;
  upsertion.name = user;
  upsertion.mechanism = static_cast<std::int8_t>(mechanism);
  upsertion.iterations = iterations;
  Bytes salt(salt_bytes);
  random.fill(salt);
  upsertion.salted_password =
      Slice(security::salt_password(mechanism, *password, salt, iterations));
  upsertion.salt = Slice(std::move(salt));
  return upsertion;
}

env::Task<Result<>> alter_scram(Session& session, const std::string& user,
                                const std::vector<std::pair<std::string, std::string>>& add,
                                const std::vector<std::string>& remove) {
  protocol::AlterUserScramCredentialsRequest request;
  for (const auto& [name, value] : add) {
    auto upsertion = upsertion_of(session.environment.random(), user,
                                  security::parse_scram_mechanism(name), value);
    if (!upsertion) co_return fail(std::move(upsertion).error());
    request.upsertions.push_back(std::move(*upsertion));
  }
  for (const auto& name : remove) {
    auto& deletion = request.deletions.emplace_back();
    deletion.name = user;
    deletion.mechanism = static_cast<std::int8_t>(security::parse_scram_mechanism(name));
  }
  auto answer = co_await session.cluster.ask(std::move(request), client::Route::any(),
                                             session.cluster.call_deadline());
  if (!answer) co_return fail(std::move(answer).error());
  for (const auto& result : answer->results) {
    if (result.error_code == ErrorCode::none) continue;
    co_return fail(result.error_code, message_of(result.error_code, result.error_message));
  }
  co_return Result<>{};
}

bool is_scram(const std::string& name) {
  return security::parse_scram_mechanism(name) != ScramMechanism::unknown;
}

}  // namespace

env::Task<Result<>> describe_quotas(Session& session, Console& console,
                                    const std::vector<ConfigEntity>& entities) {
  protocol::DescribeClientQuotasRequest request;
  request.strict = true;
  for (const auto& entity : entities) {
    auto& component = request.components.emplace_back();
    component.entity_type = wire_type(entity.type);
    const auto match = !entity.name           ? protocol::QuotaMatch::specified
                       : entity.name->empty() ? protocol::QuotaMatch::default_
                                              : protocol::QuotaMatch::exact;
    component.match_type = static_cast<std::int8_t>(match);
    component.match.reset();
    if (match == protocol::QuotaMatch::exact) component.match = *entity.name;
  }
  auto answer = co_await session.cluster.ask(std::move(request), client::Route::any(),
                                             session.cluster.call_deadline());
  if (!answer) co_return fail(std::move(answer).error());
  if (answer->error_code != ErrorCode::none) {
    co_return fail(answer->error_code, message_of(answer->error_code, answer->error_message));
  }
  for (const auto& entry : *answer->entries) {
    std::string who;
    for (const auto& entity : entities) {
      for (const auto& part : entry.entity) {
        if (part.entity_type != wire_type(entity.type)) continue;
        who += fmt::format("{}{}", who.empty() ? "" : ", ",
                           entity_text(part.entity_type, part.entity_name));
      }
    }
    std::map<std::string, double> values;
    for (const auto& value : entry.values) values[value.key] = value.value;
    std::string text;
    for (const auto& [key, value] : values) {
      text += fmt::format("{}{}={}", text.empty() ? "" : ", ", key, java_double(value));
    }
    console.print("Quota configs for {} are {}\n", who, text);
  }
  if (entities.size() == 1 && entities.front().type == "users" &&
      entities.front().name != std::optional<std::string>("")) {
    co_return co_await describe_scram(session, console, entities.front().name);
  }
  co_return Result<>{};
}

env::Task<Result<>> alter_quotas(Session& session, const std::vector<ConfigEntity>& entities,
                                 const std::vector<std::pair<std::string, std::string>>& add,
                                 const std::vector<std::string>& remove) {
  std::size_t scram = 0;
  for (const auto& [name, value] : add) scram += is_scram(name) ? 1 : 0;
  for (const auto& name : remove) scram += is_scram(name) ? 1 : 0;
  if (scram > 0) {
    if (scram != add.size() + remove.size()) {
      co_return fail(ErrorCode::invalid_request,
                     "Cannot alter both quotas and SCRAM credentials at once");
    }
    if (entities.size() != 1 || entities.front().type != "users" || !entities.front().name ||
        entities.front().name->empty()) {
      co_return fail(ErrorCode::invalid_request,
                     "The use of --entity-default or --user-defaults is not allowed with User "
                     "SCRAM Credentials using --bootstrap-server.");
    }
    co_return co_await alter_scram(session, *entities.front().name, add, remove);
  }
  protocol::AlterClientQuotasRequest request;
  auto& entry = request.entries.emplace_back();
  for (const auto& entity : entities) {
    auto& part = entry.entity.emplace_back();
    part.entity_type = wire_type(entity.type);
    part.entity_name.reset();
    if (!entity.name->empty()) part.entity_name = *entity.name;
  }
  for (const auto& [name, text] : add) {
    auto& op = entry.ops.emplace_back();
    op.key = name;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), op.value);
    if (error != std::errc{} || end != text.data() + text.size()) {
      co_return fail(ErrorCode::invalid_request,
                     fmt::format("Cannot parse quota configuration value for {}: {}", name, text));
    }
  }
  for (const auto& name : remove) {
    auto& op = entry.ops.emplace_back();
    op.key = name;
    op.remove = true;
  }
  auto answer = co_await session.cluster.ask(std::move(request), client::Route::any(),
                                             session.cluster.call_deadline());
  if (!answer) co_return fail(std::move(answer).error());
  for (const auto& result : answer->entries) {
    if (result.error_code == ErrorCode::none) continue;
    co_return fail(result.error_code, message_of(result.error_code, result.error_message));
  }
  co_return Result<>{};
}

}  // namespace arus::cli::kafka
