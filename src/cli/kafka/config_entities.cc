#include "cli/kafka/config_entities.h"

#include <fmt/core.h>

#include <set>

#include "cli/client_config.h"

namespace arus::cli::kafka {

using protocol::ConfigResourceKind;

namespace {

// The short ways to name an entity.
struct ShortWay {
  std::string_view option;
  std::string_view type;
  bool is_default;
};
constexpr ShortWay short_ways[] = {
    {"topic", "topics", false},
    {"client", "clients", false},
    {"client-defaults", "clients", true},
    {"user", "users", false},
    {"user-defaults", "users", true},
    {"broker", "brokers", false},
    {"broker-defaults", "brokers", true},
    {"broker-logger", "broker-loggers", false},
    {"ip", "ips", false},
    {"ip-defaults", "ips", true},
    {"client-metrics", "client-metrics", false},
    {"group", "groups", false},
};

constexpr std::string_view known_types[] = {"topics", "clients",        "users",  "brokers",
                                            "ips",    "client-metrics", "groups", "broker-loggers"};

// Names in the order of --entity-name and --entity-default on the command line, since the first
// belongs to the first type.
std::vector<std::string> names_in_order(const Arguments& arguments) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    if (word == "--entity-default") names.emplace_back();
    if (word == "--entity-name" && i + 1 < arguments.size()) names.push_back(arguments[++i]);
    if (word.starts_with("--entity-name=")) names.emplace_back(word.substr(14));
  }
  return names;
}

Result<> check_combination(const std::vector<ConfigEntity>& entities) {
  std::set<std::string> types;
  for (const auto& entity : entities) types.insert(entity.type);
  if (types.size() != entities.size()) {
    return fail(ErrorCode::invalid_request,
                fmt::format("Duplicate entity type(s) specified: {}", entities.front().type));
  }
  if (types.size() > 1 && types != std::set<std::string>{"clients", "users"}) {
    return fail(ErrorCode::invalid_request,
                "Only users and clients can be configured together, other entity types one at a "
                "time");
  }
  return {};
}

}  // namespace

Result<std::vector<ConfigEntity>> config_entities(const ParsedOptions& options,
                                                  const Arguments& arguments) {
  std::vector<ConfigEntity> entities;
  const auto names = names_in_order(arguments);
  for (const auto& type : options.values("entity-type")) {
    if (std::ranges::find(known_types, type) == std::end(known_types)) {
      return fail(ErrorCode::invalid_request,
                  fmt::format("Invalid entity type {}, the entity type must be one of topics, "
                              "clients, users, brokers, ips, client-metrics, groups, "
                              "broker-loggers with a --bootstrap-server or --bootstrap-controller "
                              "argument",
                              type));
    }
    ConfigEntity& entity = entities.emplace_back();
    entity.type = type;
    if (entities.size() <= names.size()) entity.name = names[entities.size() - 1];
  }
  if (names.size() > entities.size()) {
    return fail(ErrorCode::invalid_request,
                "More --entity-name and --entity-default than --entity-type were given");
  }
  for (const auto& way : short_ways) {
    if (!options.has(way.option)) continue;
    if (options.has("entity-type")) {
      return fail(ErrorCode::invalid_request,
                  "--entity-{type,name,default} should not be used in conjunction with specific "
                  "entity flags");
    }
    entities.push_back({std::string(way.type), way.is_default ? std::optional<std::string>("")
                                                              : options.value(way.option)});
  }
  if (entities.empty()) {
    return fail(ErrorCode::invalid_request, "At least one entity type must be specified");
  }
  // Users come first where both are given, as quotas are printed.
  if (entities.size() == 2 && entities[1].type == "users") std::swap(entities[0], entities[1]);
  ARUS_TRY(check_combination(entities));
  return entities;
}

Result<std::vector<std::pair<std::string, std::string>>> configs_to_add(
    const ParsedOptions& options) {
  std::vector<std::pair<std::string, std::string>> pairs;
  if (const auto path = options.value("add-config-file")) {
    auto read = read_properties_file(*path);
    if (!read) return fail(std::move(read).error());
    pairs.assign(read->begin(), read->end());
  }
  if (const auto text = options.value("add-config")) {
    auto parsed = parse_config_list(*text);
    if (!parsed) {
      return fail(ErrorCode::invalid_request,
                  "Invalid entity config: all configs to be added must be in the format "
                  "\"key=val\".");
    }
    pairs.insert(pairs.end(), parsed->begin(), parsed->end());
  }
  return pairs;
}

std::vector<std::string> configs_to_delete(const ParsedOptions& options) {
  std::vector<std::string> names;
  for (const auto& text : options.values("delete-config")) {
    for (auto& name : split_list(text)) names.push_back(std::move(name));
  }
  return names;
}

std::optional<ConfigResourceKind> resource_kind(std::string_view type) {
  if (type == "topics") return ConfigResourceKind::topic;
  if (type == "brokers") return ConfigResourceKind::broker;
  if (type == "broker-loggers") return ConfigResourceKind::broker_logger;
  if (type == "client-metrics") return ConfigResourceKind::client_metrics;
  if (type == "groups") return ConfigResourceKind::group;
  return std::nullopt;
}

std::string singular(std::string_view type) {
  return std::string(type.ends_with('s') ? type.substr(0, type.size() - 1) : type);
}

}  // namespace arus::cli::kafka
