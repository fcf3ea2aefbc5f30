// Checks a parsed value against the rule of its key.
#pragma once

#include "config/config_key.h"

namespace arus::config {

Result<> check_rule(const ConfigKey& key, const Value& value);

// INVALID_CONFIG: "Invalid value V for configuration NAME: reason". Secrets are not repeated.
[[nodiscard]] std::unexpected<Error> invalid_value(const ConfigKey& key, std::string_view value,
                                                   std::string_view reason);

// A duration as ISO 8601 writes it and Java's Duration reads it: "P1DT2H3M4.5S".
[[nodiscard]] bool is_positive_or_zero_duration(std::string_view text);

}  // namespace arus::config
