// Java's .properties files: key and value per line, as server.properties is written.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config_table.h"

namespace arus::config {

// The later of two lines with the same key counts, as in Java. Knows comments (# and !), the
// separators = : and white space, continuation lines, and the escapes \t \n \r \f \uXXXX. The text
// is UTF-8. An error names the line.
Result<ConfigMap> parse_properties(std::string_view text);
// One key per line, escaped so that parse_properties gives the same map. UTF-8.
[[nodiscard]] std::string write_properties(const ConfigMap& properties);
// Puts "key=value" over what is there; the error says what is wrong with it.
Result<> apply_override(ConfigMap& properties, std::string_view key_value);

}  // namespace arus::config
