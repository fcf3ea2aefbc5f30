#include "config/validate.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/joined.h"
#include "config/lookup.h"
#include "config/text.h"

namespace arus::config {
namespace {

std::unexpected<Error> invalid(std::string message) {
  return fail(ErrorCode::invalid_config, std::move(message));
}

std::int64_t integer(std::string_view name, Scope scope, const Layers& layers) {
  const ConfigKey* key = find(name, scope);
  return std::get<std::int64_t>(effective_value(*key, layers));
}

bool flag(std::string_view name, const Layers& layers) {
  return std::get<bool>(effective_value(*find(name, Scope::topic), layers));
}

Result<> check_known(const ConfigMap& overrides, Scope scope, std::string_view unknown) {
  for (const auto& [name, value] : overrides) {
    if (find(name, scope) == nullptr) return invalid(std::string(unknown) + name);
  }
  for (const auto& [name, value] : overrides) {
    const auto parsed = find(name, scope)->parse(value);
    if (!parsed) return fail(parsed.error());
  }
  return {};
}

Result<> check_tiered_storage(const ConfigMap& overrides, const Layers& layers) {
  if (!flag("remote.storage.enable", layers)) return {};
  if (!std::get<bool>(broker_value("remote.log.storage.system.enable", layers))) {
    return invalid(
        "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with "
        "remote log storage.");
  }
  const auto policy =
      std::get<List>(effective_value(*find("cleanup.policy", Scope::topic), layers));
  if (std::ranges::find(policy, "compact") != policy.end()) {
    return invalid(
        "Remote log storage only supports topics with cleanup.policy=delete or cleanup.policy "
        "being an empty list.");
  }
  // The part on the local disk cannot be larger than the whole.
  for (const auto& [local, whole] : {std::pair{"local.retention.ms", "retention.ms"},
                                     std::pair{"local.retention.bytes", "retention.bytes"}}) {
    const std::int64_t part = integer(local, Scope::topic, layers);
    const std::int64_t all = integer(whole, Scope::topic, layers);
    if (part == -2 || all == -1) continue;
    if (part != -1 && part <= all) continue;
    const std::string reason =
        part == -1 ? fmt::format("Value must not be -1 as {} value is set as {}.", whole, all)
                   : fmt::format("Value must not be more than {} property value: {}", whole, all);
    const auto set = overrides.find(local);
    return invalid(fmt::format("Invalid value {} for configuration {}: {}",
                               set == overrides.end() ? std::to_string(part) : set->second, local,
                               reason));
  }
  return {};
}

std::string set_of(const std::vector<std::string>& names) {
  return "[" + joined(names, ", ") + "]";
}

// Keys of a certificate, which Kafka changes at run time only for one listener.
bool is_per_listener_key(std::string_view name) {
  return name.starts_with("ssl.key") || name.starts_with("ssl.truststore.");
}

// A group's value stays within what the broker allows.
struct GroupBound {
  std::string_view key;
  std::string_view least;  // broker keys; empty where there is none
  std::string_view most;
};

constexpr std::array group_bounds{
    GroupBound{"consumer.heartbeat.interval.ms", "group.consumer.min.heartbeat.interval.ms",
               "group.consumer.max.heartbeat.interval.ms"},
    GroupBound{"consumer.session.timeout.ms", "group.consumer.min.session.timeout.ms",
               "group.consumer.max.session.timeout.ms"},
    GroupBound{"consumer.assignment.interval.ms", "group.consumer.min.assignment.interval.ms",
               "group.consumer.max.assignment.interval.ms"},
    GroupBound{"share.heartbeat.interval.ms", "group.share.min.heartbeat.interval.ms",
               "group.share.max.heartbeat.interval.ms"},
    GroupBound{"share.session.timeout.ms", "group.share.min.session.timeout.ms",
               "group.share.max.session.timeout.ms"},
    GroupBound{"share.assignment.interval.ms", "group.share.min.assignment.interval.ms",
               "group.share.max.assignment.interval.ms"},
    GroupBound{"share.record.lock.duration.ms", "group.share.min.record.lock.duration.ms",
               "group.share.max.record.lock.duration.ms"},
    GroupBound{"share.delivery.count.limit", "group.share.min.delivery.count.limit",
               "group.share.max.delivery.count.limit"},
    GroupBound{"share.partition.max.record.locks", "group.share.min.partition.max.record.locks",
               "group.share.max.partition.max.record.locks"},
    GroupBound{"streams.heartbeat.interval.ms", "group.streams.min.heartbeat.interval.ms",
               "group.streams.max.heartbeat.interval.ms"},
    GroupBound{"streams.session.timeout.ms", "group.streams.min.session.timeout.ms",
               "group.streams.max.session.timeout.ms"},
    GroupBound{"streams.assignment.interval.ms", "group.streams.min.assignment.interval.ms",
               "group.streams.max.assignment.interval.ms"},
    GroupBound{"streams.num.standby.replicas", "", "group.streams.max.standby.replicas"},
};

Result<> check_group_bounds(const ConfigMap& overrides, const Layers& layers) {
  for (const GroupBound& bound : group_bounds) {
    if (!overrides.contains(std::string(bound.key))) continue;
    const std::int64_t value = integer(bound.key, Scope::group, layers);
    const auto broker = [&](std::string_view name) {
      return std::get<std::int64_t>(broker_value(name, layers));
    };
    if (!bound.least.empty() && value < broker(bound.least)) {
      return invalid(fmt::format("{} must be greater than or equal to {}", bound.key, bound.least));
    }
    if (value > broker(bound.most)) {
      return invalid(fmt::format("{} must be less than or equal to {}", bound.key, bound.most));
    }
  }
  return {};
}

Result<> check_client_match(std::string_view text) {
  constexpr std::array<std::string_view, 6> names{
      "client_instance_id",    "client_id",
      "client_software_name",  "client_software_version",
      "client_source_address", "client_source_port"};
  for (const std::string& pattern : split_list(text)) {
    const std::size_t equals = pattern.find('=');
    const std::string_view name = trimmed(std::string_view(pattern).substr(0, equals));
    if (equals == std::string::npos || equals + 1 == pattern.size() ||
        std::ranges::find(names, name) == names.end()) {
      return invalid("Illegal client matching pattern: " + pattern);
    }
  }
  return {};
}

}  // namespace

Result<> validate_topic(const ConfigMap& overrides, const Layers& layers) {
  ARUS_TRY(check_known(overrides, Scope::topic, "Unknown topic config name: "));
  Layers all = layers;
  all.overrides = &overrides;
  const std::int64_t least = integer("min.compaction.lag.ms", Scope::topic, all);
  const std::int64_t most = integer("max.compaction.lag.ms", Scope::topic, all);
  if (least > most) {
    return invalid(fmt::format(
        "conflict topic config setting min.compaction.lag.ms ({}) > max.compaction.lag.ms ({})",
        least, most));
  }
  return check_tiered_storage(overrides, all);
}

Result<> validate_broker(std::string_view name, const ConfigMap& changes) {
  std::vector<std::string> fixed;
  std::vector<std::string> per_listener;
  std::vector<std::string> per_broker;
  for (const auto& [key_name, value] : changes) {
    const ConfigKey* key = find(key_name, Scope::broker);
    if (key == nullptr) continue;
    if (key->update == Update::read_only) {
      fixed.push_back(key_name);
    } else if (is_per_listener_key(key_name)) {
      per_listener.push_back(key_name);
    } else if (key->update == Update::per_broker && name.empty()) {
      per_broker.push_back(key_name);
    }
  }
  const auto refuse = [](std::string_view why, const std::vector<std::string>& names) {
    return fail(ErrorCode::invalid_request, std::string(why) + set_of(names));
  };
  if (!fixed.empty()) return refuse("Cannot update these configs dynamically: ", fixed);
  if (!per_listener.empty()) {
    return refuse(
        "These security configs can be dynamically updated only per-listener using the listener "
        "prefix: ",
        per_listener);
  }
  if (!per_broker.empty()) {
    return refuse(
        "Cannot update these configs at default cluster level, broker id must be specified: ",
        per_broker);
  }
  for (const auto& [key_name, value] : changes) {
    const ConfigKey* key = find_broker_key(key_name);
    if (key == nullptr) continue;
    const auto parsed = key->parse(value);
    if (!parsed) return fail(ErrorCode::invalid_request, parsed.error().message);
  }
  return {};
}

Result<> validate_group(const ConfigMap& overrides, const Layers& layers) {
  ARUS_TRY(check_known(overrides, Scope::group, "Unknown group config name: "));
  Layers all = layers;
  all.overrides = &overrides;
  ARUS_TRY(check_group_bounds(overrides, all));
  for (const std::string_view kind : {"consumer", "share", "streams"}) {
    const std::string timeout = std::string(kind) + ".session.timeout.ms";
    const std::string interval = std::string(kind) + ".heartbeat.interval.ms";
    if (!overrides.contains(timeout) && !overrides.contains(interval)) continue;
    if (integer(timeout, Scope::group, all) <= integer(interval, Scope::group, all)) {
      return invalid(fmt::format("{} must be greater than {}", timeout, interval));
    }
  }
  return {};
}

Result<> validate_client_metrics(std::string_view name, const ConfigMap& overrides) {
  if (name.empty()) {
    return fail(ErrorCode::invalid_request, "Subscription name can't be empty");
  }
  for (const auto& [key, value] : overrides) {
    if (find(key, Scope::client_metrics) != nullptr) continue;
    return fail(ErrorCode::invalid_request, "Unknown client metrics configuration: " + key);
  }
  ARUS_TRY(check_known(overrides, Scope::client_metrics, ""));
  if (const auto found = overrides.find("interval.ms"); found != overrides.end()) {
    const Layers layers{.overrides = &overrides};
    const std::int64_t interval = integer("interval.ms", Scope::client_metrics, layers);
    if (interval < 100 || interval > 3'600'000) {
      return fail(ErrorCode::invalid_request,
                  fmt::format("Invalid value {} for interval.ms, interval must be between 100 and "
                              "3600000 (1 hour)",
                              interval));
    }
  }
  const auto match = overrides.find("match");
  return match == overrides.end() ? Result<>{} : check_client_match(match->second);
}

Result<> validate_logger_level(std::string_view logger, std::string_view level) {
  for (const char* name : {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}) {
    if (level == name) return {};
  }
  return invalid(fmt::format(
      "Cannot set the log level of {} to {} as it is not a supported log level. Valid log levels "
      "are TRACE, DEBUG, INFO, WARN, ERROR, FATAL",
      logger, level));
}

Result<std::optional<std::string>> altered(const ConfigKey* key, std::string_view name,
                                           Alteration alteration,
                                           const std::optional<std::string>& value,
                                           const std::optional<std::string>& current,
                                           const std::optional<std::string>& effective) {
  if (alteration == Alteration::remove) return std::nullopt;
  if (alteration == Alteration::set) {
    if (value) return value;
    return fail(ErrorCode::invalid_request, fmt::format("Null value not supported for : {}", name));
  }
  const bool append = alteration == Alteration::append;
  if (key == nullptr || key->type != Type::list) {
    return invalid(fmt::format("Can't {} to key {} because its type is not LIST.",
                               append ? "APPEND" : "SUBTRACT", name));
  }
  List list = split_list(current ? *current : effective.value_or(""));
  for (const std::string& entry : split_list(value.value_or(""))) {
    const auto found = std::ranges::find(list, entry);
    if (append && found == list.end()) {
      list.push_back(entry);
    } else if (!append && found != list.end()) {
      list.erase(found);
    }
  }
  return joined(list, ",");
}

}  // namespace arus::config
