// Checks of whole sets of overrides, and how incremental alterations change one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config_table.h"
#include "config/topic_config.h"

namespace arus::config {

// All overrides of a topic as they would be after a change. `layers` gives the broker's values that
// some checks compare with (its `overrides` is not read). INVALID_CONFIG as Kafka says it.
Result<> validate_topic(const ConfigMap& overrides, const Layers& layers);
// What a request sets on a broker (`name` its id) or on all (`name` empty). Keys that can only be
// set in the properties file, and per-broker keys without a broker, are refused. INVALID_REQUEST,
// as Kafka answers it.
Result<> validate_broker(std::string_view name, const ConfigMap& changes);
Result<> validate_group(const ConfigMap& overrides, const Layers& layers);
Result<> validate_client_metrics(std::string_view name, const ConfigMap& overrides);
// Level names of log4j: TRACE, DEBUG, INFO, WARN, ERROR, FATAL.
Result<> validate_logger_level(std::string_view logger, std::string_view level);

// The numbers are those of IncrementalAlterConfigs.
enum class Alteration : std::int8_t { set = 0, remove = 1, append = 2, subtract = 3 };

// The new value of one key, or nothing when it is removed. `current` is the override now;
// `effective` what holds without one, for lists. Parses nothing: validate the result.
Result<std::optional<std::string>> altered(const ConfigKey* key, std::string_view name,
                                           Alteration alteration,
                                           const std::optional<std::string>& value,
                                           const std::optional<std::string>& current,
                                           const std::optional<std::string>& effective);

}  // namespace arus::config
