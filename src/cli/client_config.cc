#include "cli/client_config.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>

#include "cli/iso_duration.h"
#include "config/properties.h"

namespace arus::cli {
namespace {

std::unexpected<Error> invalid(std::string_view key, std::string_view value,
                               std::string_view reason) {
  return fail(ErrorCode::invalid_config,
              fmt::format("Invalid value {} for configuration {}: {}", value, key, reason));
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

// Reads settings one by one; the first that is wrong is kept as the error.
class Settings {
 public:
  explicit Settings(const config::ConfigMap& properties) : properties_(properties) {}

  void number(std::string_view key, std::int64_t min, std::int64_t max, auto&& use) {
    const auto found = properties_.find(std::string(key));
    if (found == properties_.end() || !status_) return;
    const std::string& text = found->second;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
      status_ = invalid(key, text, "Not a number of type LONG");
    } else if (value < min) {
      status_ = invalid(key, text, fmt::format("Value must be at least {}", min));
    } else if (value > max) {
      status_ = invalid(key, text, fmt::format("Value must be no more than {}", max));
    } else {
      use(value);
    }
  }
  void milliseconds(std::string_view key, env::Duration& into) {
    number(key, 0, INT32_MAX, [&](std::int64_t value) { into = env::milliseconds(value); });
  }
  void text(std::string_view key, auto&& use) {
    const auto found = properties_.find(std::string(key));
    if (found == properties_.end() || !status_) return;
    if (Result<> used = use(found->second); !used) status_ = std::move(used);
  }
  void boolean(std::string_view key, bool& into) {
    text(key, [&](const std::string& value) -> Result<> {
      if (value != "true" && value != "false") {
        return invalid(key, value, "Expected value to be either true or false");
      }
      into = value == "true";
      return {};
    });
  }
  [[nodiscard]] const Result<>& status() const { return status_; }

 private:
  const config::ConfigMap& properties_;
  Result<> status_;
};

}  // namespace

Result<config::ConfigMap> read_properties_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) {
    return fail({ErrorCode::invalid_config,
                 fmt::format("{} cannot be read: {}", path, std::strerror(errno)), errno});
  }
  std::ostringstream text;
  text << file.rdbuf();
  auto properties = config::parse_properties(text.str());
  if (!properties) {
    return fail(ErrorCode::invalid_config, fmt::format("{}: {}", path, properties.error().message));
  }
  return properties;
}

Result<> merge_properties_file(config::ConfigMap& into, const std::optional<std::string>& path) {
  if (!path) return {};
  auto read = read_properties_file(*path);
  if (!read) return fail(std::move(read).error());
  for (auto& [key, value] : *read) into[key] = value;
  return {};
}

Result<> add_properties(config::ConfigMap& properties, const std::vector<std::string>& pairs) {
  for (const auto& pair : pairs) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(ErrorCode::invalid_config,
                  fmt::format("Invalid command line properties: {}", pair));
    }
    properties[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return {};
}

Result<client::ClientOptions> client_options(const config::ConfigMap& properties,
                                             std::string_view bootstrap,
                                             std::string_view client_id) {
  client::ClientOptions options;
  options.client_id = client_id;
  Settings settings{properties};
  std::string servers{bootstrap};
  settings.text("bootstrap.servers", [&](const std::string& value) -> Result<> {
    if (servers.empty()) servers = value;
    return {};
  });
  settings.text("client.id", [&](const std::string& value) -> Result<> {
    options.client_id = value;
    return {};
  });
  settings.text("security.protocol", [&](const std::string& value) -> Result<> {
    if (value == "PLAINTEXT") return {};
    return fail(ErrorCode::invalid_config,
                fmt::format("security.protocol={} is not supported yet, only PLAINTEXT is", value));
  });
  settings.milliseconds("request.timeout.ms", options.request_timeout);
  settings.milliseconds("default.api.timeout.ms", options.call_timeout);
  settings.milliseconds("socket.connection.setup.timeout.ms", options.connect_timeout);
  settings.milliseconds("retry.backoff.ms", options.retry_backoff);
  settings.milliseconds("retry.backoff.max.ms", options.retry_backoff_max);
  settings.milliseconds("metadata.max.age.ms", options.metadata_max_age);
  ARUS_TRY(settings.status());
  auto addresses = client::parse_bootstrap(servers);
  if (!addresses) return fail(std::move(addresses).error());
  options.bootstrap = std::move(*addresses);
  return options;
}

Result<client::ProducerOptions> producer_options(const config::ConfigMap& properties) {
  client::ProducerOptions options;
  Settings settings{properties};
  settings.text("acks", [&](const std::string& value) -> Result<> {
    if (value == "all" || value == "-1") {
      options.acks = -1;
    } else if (value == "0" || value == "1") {
      options.acks = value == "0" ? 0 : 1;
    } else {
      return invalid("acks", value, "String must be one of: all, -1, 0, 1");
    }
    return {};
  });
  settings.text("compression.type", [&](const std::string& value) -> Result<> {
    const auto compression = record::parse_compression(value);
    if (!compression || value == "uncompressed") {
      return invalid("compression.type", value,
                     "String must be one of: none, gzip, snappy, lz4, zstd");
    }
    options.compression = *compression;
    return {};
  });
  if (options.compression != record::Compression::none) {
    settings.number(
        fmt::format("compression.{}.level", record::compression_name(options.compression)),
        INT32_MIN, INT32_MAX,
        [&](std::int64_t value) { options.compression_level = static_cast<std::int32_t>(value); });
  }
  // Without a word about it, idempotence is on where the other settings allow it.
  options.idempotent = options.acks == -1;
  settings.number("retries", 0, INT32_MAX, [&](std::int64_t value) {
    options.retries = static_cast<std::int32_t>(value);
    if (value == 0) options.idempotent = false;
  });
  settings.number("max.in.flight.requests.per.connection", 1, INT32_MAX, [&](std::int64_t value) {
    options.max_in_flight = static_cast<std::int32_t>(value);
    if (value > 5) options.idempotent = false;
  });
  const bool allowed = options.idempotent;
  settings.boolean("enable.idempotence", options.idempotent);
  settings.milliseconds("linger.ms", options.linger);
  settings.number("batch.size", 0, INT32_MAX, [&](std::int64_t value) {
    options.batch_bytes = static_cast<std::size_t>(value);
  });
  settings.number("max.request.size", 0, INT32_MAX, [&](std::int64_t value) {
    options.max_request_bytes = static_cast<std::size_t>(value);
  });
  settings.number("buffer.memory", 0, INT64_MAX, [&](std::int64_t value) {
    options.buffer_bytes = static_cast<std::size_t>(value);
  });
  settings.milliseconds("delivery.timeout.ms", options.delivery_timeout);
  settings.milliseconds("request.timeout.ms", options.request_timeout);
  settings.milliseconds("max.block.ms", options.max_block);
  settings.text("transactional.id", [&](const std::string& value) -> Result<> {
    if (value.empty()) return invalid("transactional.id", value, "String must be non-empty");
    options.transactional_id = value;
    return {};
  });
  settings.milliseconds("transaction.timeout.ms", options.transaction_timeout);
  ARUS_TRY(settings.status());
  if (options.transactional_id && !options.idempotent) {
    return fail(ErrorCode::invalid_config,
                "Cannot set a transactional.id without also enabling idempotence.");
  }
  if (options.idempotent && !allowed) {
    return fail(ErrorCode::invalid_config,
                options.acks != -1
                    ? "Must set acks to all in order to use the idempotent producer. Otherwise we "
                      "cannot guarantee idempotence."
                    : "enable.idempotence needs retries above 0 and at most 5 requests in flight");
  }
  return options;
}

Result<client::ConsumerOptions> consumer_options(const config::ConfigMap& properties) {
  client::ConsumerOptions options;
  Settings settings{properties};
  settings.text("isolation.level", [&](const std::string& value) -> Result<> {
    if (value == "read_committed") {
      options.isolation = client::IsolationLevel::read_committed;
    } else if (value != "read_uncommitted") {
      return invalid("isolation.level", value,
                     "String must be one of: read_committed, read_uncommitted");
    }
    return {};
  });
  settings.text("auto.offset.reset", [&](const std::string& value) -> Result<> {
    if (value == "earliest") {
      options.reset_timestamp = client::earliest_timestamp;
    } else if (value == "latest") {
      options.reset_timestamp = client::latest_timestamp;
    } else if (value == "none") {
      options.reset_timestamp.reset();
    } else {
      constexpr std::string_view by_duration = "by_duration:";
      if (value.starts_with(by_duration)) {
        options.reset_age = parse_iso_duration(std::string_view(value).substr(by_duration.size()));
      }
      if (!options.reset_age) {
        return invalid("auto.offset.reset", value,
                       "The value must be either 'earliest', 'latest', 'none' or of the format "
                       "'by_duration:<PnDTnHnMn.nS.>'");
      }
    }
    return {};
  });
  const auto int32 = [&](std::string_view key, std::int64_t min, std::int32_t& into) {
    settings.number(key, min, INT32_MAX,
                    [&](std::int64_t value) { into = static_cast<std::int32_t>(value); });
  };
  int32("fetch.min.bytes", 0, options.fetch_min_bytes);
  int32("fetch.max.bytes", 0, options.fetch_max_bytes);
  int32("max.partition.fetch.bytes", 0, options.partition_fetch_bytes);
  settings.milliseconds("fetch.max.wait.ms", options.fetch_max_wait);
  settings.number("max.poll.records", 1, INT32_MAX, [&](std::int64_t value) {
    options.max_poll_records = static_cast<std::size_t>(value);
  });
  settings.boolean("check.crcs", options.check_crcs);
  settings.text("client.rack", [&](const std::string& value) -> Result<> {
    options.rack = value;
    return {};
  });
  ARUS_TRY(settings.status());
  return options;
}

namespace {

// A list of class names, or of names on the wire.
Result<std::vector<client::AssignorPointer>> assignors_of(const std::string& list) {
  std::vector<client::AssignorPointer> assignors;
  std::string_view rest = list;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    std::string_view name = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (name.empty()) continue;
    auto assignor = client::find_assignor(name);
    if (!assignor) return fail(std::move(assignor).error());
    assignors.push_back(std::move(*assignor));
  }
  if (assignors.empty()) {
    return invalid("partition.assignment.strategy", list, "There must be at least one");
  }
  return assignors;
}

}  // namespace

Result<client::GroupConsumerOptions> group_consumer_options(const config::ConfigMap& properties) {
  client::GroupConsumerOptions options;
  auto consumer = consumer_options(properties);
  if (!consumer) return fail(std::move(consumer).error());
  options.consumer = std::move(*consumer);
  Settings settings{properties};
  settings.text("group.id", [&](const std::string& value) -> Result<> {
    options.group_id = value;
    return {};
  });
  settings.text("group.instance.id", [&](const std::string& value) -> Result<> {
    if (value.empty()) return invalid("group.instance.id", value, "String must be non-empty");
    options.instance_id = value;
    return {};
  });
  settings.text("group.protocol", [&](const std::string& value) -> Result<> {
    if (equal_ignoring_case(value, "consumer")) {
      options.protocol = client::GroupProtocol::consumer;
    } else if (!equal_ignoring_case(value, "classic")) {
      return invalid("group.protocol", value,
                     "String must be one of (case insensitive): CLASSIC, CONSUMER");
    }
    return {};
  });
  if (options.protocol == client::GroupProtocol::consumer) {
    for (const char* key :
         {"partition.assignment.strategy", "heartbeat.interval.ms", "session.timeout.ms"}) {
      if (!properties.contains(key)) continue;
      return fail(ErrorCode::invalid_config,
                  fmt::format("{} cannot be set when group.protocol=CONSUMER", key));
    }
  } else if (properties.contains("group.remote.assignor")) {
    return fail(ErrorCode::invalid_config,
                "group.remote.assignor cannot be set when group.protocol=CLASSIC");
  }
  settings.milliseconds("session.timeout.ms", options.session_timeout);
  settings.milliseconds("heartbeat.interval.ms", options.heartbeat_interval);
  settings.number("max.poll.interval.ms", 1, INT32_MAX, [&](std::int64_t value) {
    options.max_poll_interval = env::milliseconds(value);
  });
  settings.boolean("enable.auto.commit", options.auto_commit);
  settings.milliseconds("auto.commit.interval.ms", options.auto_commit_interval);
  settings.boolean("allow.auto.create.topics", options.create_topics);
  settings.boolean("exclude.internal.topics", options.exclude_internal);
  settings.text("partition.assignment.strategy", [&](const std::string& value) -> Result<> {
    auto assignors = assignors_of(value);
    if (!assignors) return fail(std::move(assignors).error());
    options.assignors = std::move(*assignors);
    return {};
  });
  settings.text("group.remote.assignor", [&](const std::string& value) -> Result<> {
    options.server_assignor = value;
    return {};
  });
  ARUS_TRY(settings.status());
  if (options.group_id.empty()) {
    return invalid("group.id", options.group_id,
                   "To use the group management or offset commit APIs, you must provide a valid "
                   "group.id in the consumer configuration.");
  }
  if (options.protocol == client::GroupProtocol::classic &&
      options.heartbeat_interval >= options.session_timeout) {
    return fail(ErrorCode::invalid_config, "Heartbeat must be set lower than the session timeout");
  }
  return options;
}

}  // namespace arus::cli
