#include "config/value_rules.h"

#include <algorithm>
#include <set>

#include "base/joined.h"
#include "config/text.h"

namespace arus::config {
namespace {

std::vector<std::string> words_of(const Rule& rule) { return split_list(rule.words); }

std::string shown(const Value& value) {
  if (const auto* list = std::get_if<List>(&value)) return "[" + joined(*list, ", ") + "]";
  return to_text(value).value_or("null");
}

Result<> check_integer(const ConfigKey& key, std::int64_t value) {
  const std::string text = std::to_string(value);
  if (value < key.rule.min) {
    return invalid_value(key, text, "Value must be at least " + std::to_string(key.rule.min));
  }
  if (value > key.rule.max) {
    return invalid_value(key, text, "Value must be no more than " + std::to_string(key.rule.max));
  }
  return {};
}

std::string max_decimal_text(const Rule& rule) {
  return rule.max_decimal == 1 ? "1" : *to_text(Value(rule.max_decimal));
}

Result<> check_decimal(const ConfigKey& key, double value) {
  const std::string text = *to_text(Value(value));
  if (value < 0) return invalid_value(key, text, "Value must be at least 0");
  if (value > key.rule.max_decimal) {
    return invalid_value(key, text, "Value must be no more than " + max_decimal_text(key.rule));
  }
  return {};
}

Result<> check_word(const ConfigKey& key, const std::string& word) {
  const auto words = words_of(key.rule);
  if (std::ranges::find(words, word) != words.end()) return {};
  return invalid_value(key, word, "String must be one of: " + joined(words, ", "));
}

Result<> check_word_ignoring_case(const ConfigKey& key, const std::string& word) {
  const auto words = words_of(key.rule);
  const auto same = [&](const std::string& other) { return to_lower(other) == to_lower(word); };
  if (std::ranges::any_of(words, same)) return {};
  return invalid_value(key, word,
                       "String must be one of (case insensitive): " + joined(words, ", "));
}

Result<> check_list(const ConfigKey& key, const List& list) {
  const auto refuse = [&](std::string_view what) {
    return fail(ErrorCode::invalid_config,
                "Configuration '" + std::string(key.name) + "' " + std::string(what));
  };
  const bool out_of_words = !key.rule.words.empty();
  const bool nonempty =
      key.rule.kind == Rule::Kind::nonempty_list || key.rule.kind == Rule::Kind::nonempty_list_of;
  if (nonempty && list.empty()) {
    const std::string valid =
        out_of_words ? "[" + std::string(key.rule.words) + "]" : "any non-empty value";
    return refuse("must not be empty. Valid values include: " + valid);
  }
  if (std::set<std::string>(list.begin(), list.end()).size() != list.size()) {
    return refuse("values must not be duplicated.");
  }
  for (const std::string& entry : list) {
    if (entry.empty()) return refuse("values must not be empty.");
    if (out_of_words) ARUS_TRY(check_word(key, entry));
  }
  return {};
}

Result<> check_voters(const ConfigKey& key, const List& list) {
  const std::string form = "Each entry should be in the form `{id}@{host}:{port}`.";
  for (const std::string& entry : list) {
    const std::size_t at = entry.find('@');
    std::int64_t id = 0;
    if (at == std::string::npos || !read_integer(entry.substr(0, at), id)) {
      return fail(ErrorCode::invalid_config,
                  "Invalid configuration value for " + std::string(key.name) + ". " + form);
    }
    if (!ends_in_port(entry.substr(at + 1))) {
      return fail(ErrorCode::invalid_config, "Failed to parse host name from entry " + entry +
                                                 " for the configuration " + std::string(key.name) +
                                                 ". " + form);
    }
  }
  return {};
}

Result<> check_bootstrap_servers(const ConfigKey& key, const List& list) {
  for (const std::string& entry : list) {
    if (ends_in_port(entry)) continue;
    return fail(ErrorCode::invalid_config,
                "Failed to parse host name from " + entry + " for the configuration " +
                    std::string(key.name) + ". Each entry should be in the form \"{host}:{port}\"");
  }
  return {};
}

Result<> check_gzip_level(const ConfigKey& key, std::int64_t level) {
  if (level == -1 || (level >= 1 && level <= 9)) return {};
  return invalid_value(key, std::to_string(level), "Value must be between 1 and 9 or equal to -1");
}

bool is_partition_and_broker(std::string_view text) {
  if (text.empty()) return true;
  const auto parts = split(text, ':');
  return parts.size() == 2 && std::ranges::all_of(parts, [](std::string_view part) {
           return !part.empty() && std::ranges::all_of(part, is_digit);
         });
}

Result<> check_throttled_replicas(const ConfigKey& key, const List& list) {
  const bool everything = list.size() == 1 && list.front() == "*";
  if (everything || std::ranges::all_of(list, is_partition_and_broker)) return {};
  return invalid_value(
      key, shown(list),
      std::string(key.name) +
          " must be the literal '*' or a list of replicas in the following format: "
          "[partitionId]:[brokerId],[partitionId]:[brokerId],...");
}

Result<> check_offset_reset(const ConfigKey& key, const std::string& text) {
  constexpr std::string_view by_duration = "by_duration:";
  if (text == "latest" || text == "earliest") return {};
  if (text.starts_with(by_duration) &&
      is_positive_or_zero_duration(std::string_view(text).substr(by_duration.size()))) {
    return {};
  }
  return invalid_value(key, text,
                       "Invalid value `" + text + "` for configuration " + std::string(key.name) +
                           ". The value must be either 'earliest', 'latest' or of the format "
                           "'by_duration:<PnDTnHnMn.nS>'.");
}

}  // namespace

std::unexpected<Error> invalid_value(const ConfigKey& key, std::string_view value,
                                     std::string_view reason) {
  std::string message = "Invalid value ";
  message += key.type == Type::password ? "[hidden]" : value;
  message += " for configuration ";
  message += key.name;
  message += ": ";
  message += reason;
  return fail(ErrorCode::invalid_config, std::move(message));
}

Result<> check_rule(const ConfigKey& key, const Value& value) {
  switch (key.rule.kind) {
    case Rule::Kind::any:
      break;
    case Rule::Kind::integer_range:
      return check_integer(key, std::get<std::int64_t>(value));
    case Rule::Kind::decimal_range:
      return check_decimal(key, std::get<double>(value));
    case Rule::Kind::one_of:
      return check_word(key, std::get<std::string>(value));
    case Rule::Kind::one_of_ignoring_case:
      return check_word_ignoring_case(key, std::get<std::string>(value));
    case Rule::Kind::list:
    case Rule::Kind::nonempty_list:
    case Rule::Kind::list_of:
    case Rule::Kind::nonempty_list_of:
      return check_list(key, std::get<List>(value));
    case Rule::Kind::voters:
      return check_voters(key, std::get<List>(value));
    case Rule::Kind::bootstrap_servers:
      return check_bootstrap_servers(key, std::get<List>(value));
    case Rule::Kind::nonempty_text:
      if (!std::get<std::string>(value).empty()) break;
      return invalid_value(key, "", "String must be non-empty");
    case Rule::Kind::gzip_level:
      return check_gzip_level(key, std::get<std::int64_t>(value));
    case Rule::Kind::throttled_replicas:
      return check_throttled_replicas(key, std::get<List>(value));
    case Rule::Kind::offset_reset:
      return check_offset_reset(key, std::get<std::string>(value));
  }
  return {};
}

std::string describe_rule(const Rule& rule) {
  const std::string words(rule.words);
  switch (rule.kind) {
    case Rule::Kind::any:
    case Rule::Kind::list:
      break;
    case Rule::Kind::integer_range:
      return rule.max == INT64_MAX
                 ? "[" + std::to_string(rule.min) + ",...]"
                 : "[" + std::to_string(rule.min) + ",...," + std::to_string(rule.max) + "]";
    case Rule::Kind::decimal_range:
      return "[0,...," + max_decimal_text(rule) + "]";
    case Rule::Kind::one_of:
      return "[" + words + "]";
    case Rule::Kind::one_of_ignoring_case:
      return "[" + words + "] in any case";
    case Rule::Kind::nonempty_list:
      return "at least one entry";
    case Rule::Kind::list_of:
      return "any of [" + words + "]";
    case Rule::Kind::nonempty_list_of:
      return "one or more of [" + words + "]";
    case Rule::Kind::voters:
      return "id@host:port,...";
    case Rule::Kind::bootstrap_servers:
      return "host:port,...";
    case Rule::Kind::nonempty_text:
      return "not empty";
    case Rule::Kind::gzip_level:
      return "[1,...,9] or -1";
    case Rule::Kind::throttled_replicas:
      return "* or partition:broker,...";
    case Rule::Kind::offset_reset:
      return "[latest, earliest, by_duration:PnDTnHnMn.nS]";
  }
  return {};
}

bool is_positive_or_zero_duration(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const std::string upper = to_upper(text);
  std::string_view rest = upper;
  if (!rest.starts_with('P')) return false;
  rest.remove_prefix(1);
  std::string_view units = "DTHMS";  // each at most once, in this order
  bool some = false;
  bool after_t = false;
  while (!rest.empty()) {
    if (rest.front() == 'T') {
      if (after_t || rest.size() == 1) return false;
      after_t = true;
      units = "HMS";
      rest.remove_prefix(1);
      continue;
    }
    if (rest.front() == '+') rest.remove_prefix(1);
    std::size_t digits = 0;
    while (digits < rest.size() && is_digit(rest[digits])) ++digits;
    std::size_t end = digits;
    if (end < rest.size() && rest[end] == '.') {
      ++end;
      while (end < rest.size() && is_digit(rest[end])) ++end;
    }
    if (digits == 0 || digits > 18 || end == rest.size()) return false;
    const char unit = rest[end];
    const std::size_t at = units.find(unit);
    if (at == std::string_view::npos || (unit == 'D') == after_t) return false;
    if (end != digits && unit != 'S') return false;
    units.remove_prefix(at + 1);
    rest.remove_prefix(end + 1);
    some = true;
  }
  return some;
}

}  // namespace arus::config
