// How Kafka's own programs read their options, so that scripts written for them keep working.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace arus::cli {

enum class Takes : std::uint8_t { nothing, value, optional_value };

// One option of a command. Names are written without dashes.
struct OptionSpec {
  std::string_view name;
  Takes takes = Takes::nothing;
  std::string_view placeholder;  // what stands for the value in the help, such as "topic"
  std::string_view doc;
  std::string_view alias = {};  // a second name; one letter makes it a short option
  bool repeats = false;         // may be given several times
};

// Options of all Kafka programs that speak to a broker or to nobody come in two dialects.
// - joptsimple, most programs: `--name value`, `--name=value`, `-name value`, `--` ends the
//   options, a value is taken as it comes even when it begins with a dash. Names in full.
// - argparse, kafka-storage, kafka-metadata-quorum, kafka-features, kafka-cluster: short options
//   and unique beginnings of long ones; a value that looks like an option is none.
enum class Dialect : std::uint8_t { joptsimple, argparse };

// The options that were given. Asking for a name that the command does not have is a bug.
class ParsedOptions {
 public:
  [[nodiscard]] bool has(std::string_view name) const { return values_.contains(name); }
  // The value, or nothing when the option was not given or was given without one.
  [[nodiscard]] std::optional<std::string> value(std::string_view name) const;
  [[nodiscard]] std::string value_or(std::string_view name, std::string_view fallback) const;
  // All values in the order they were given.
  [[nodiscard]] const std::vector<std::string>& values(std::string_view name) const;
  // A whole number, nothing when the option was not given; an error for other text.
  [[nodiscard]] Result<std::optional<std::int64_t>> number(std::string_view name,
                                                           std::int64_t min = INT64_MIN,
                                                           std::int64_t max = INT64_MAX) const;
  // What is neither an option nor an option's value.
  [[nodiscard]] const std::vector<std::string>& rest() const { return rest_; }

 private:
  friend Result<ParsedOptions> parse_options(std::span<const OptionSpec> specs,
                                             std::span<const std::string> arguments,
                                             Dialect dialect);
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::vector<std::string> rest_;
};

// Errors carry the sentence that Kafka's programs print, such as "bogus is not a recognized
// option".
Result<ParsedOptions> parse_options(std::span<const OptionSpec> specs,
                                    std::span<const std::string> arguments,
                                    Dialect dialect = Dialect::joptsimple);

// The table of options as help, two columns in 80 characters, sorted by name.
std::string describe_options(std::span<const OptionSpec> specs);

// "a=b,c=[d,e]" as --add-config takes it: brackets keep commas together. An error names the part
// that has no '='.
Result<std::vector<std::pair<std::string, std::string>>> parse_config_list(std::string_view text);

// Splits at `separator`; empty parts are left out, blanks around parts are cut.
std::vector<std::string> split_list(std::string_view text, char separator = ',');

}  // namespace arus::cli
