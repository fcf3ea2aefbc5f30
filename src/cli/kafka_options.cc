#include "cli/kafka_options.h"

#include <fmt/core.h>

#include <charconv>

#include "base/assert.h"

namespace arus::cli {
namespace {

constexpr std::size_t help_width = 80;
constexpr std::size_t help_column = 41;

const OptionSpec* find_exact(std::span<const OptionSpec> specs, std::string_view name) {
  for (const auto& spec : specs) {
    if (spec.name == name || (!spec.alias.empty() && spec.alias == name)) return &spec;
  }
  return nullptr;
}

// Goes through the arguments once; each step eats one or two of them.
class OptionParser {
 public:
  OptionParser(std::span<const OptionSpec> specs, std::span<const std::string> arguments,
               Dialect dialect)
      : specs_(specs), arguments_(arguments), dialect_(dialect) {}

  Result<> run(std::map<std::string, std::vector<std::string>, std::less<>>& values,
               std::vector<std::string>& rest) {
    while (next_ < arguments_.size()) {
      const std::string& word = arguments_[next_++];
      if (word == "--") {
        rest.insert(rest.end(), arguments_.begin() + static_cast<std::ptrdiff_t>(next_),
                    arguments_.end());
        return {};
      }
      if (!looks_like_option(word)) {
        rest.push_back(word);
        continue;
      }
      ARUS_TRY(word.starts_with("--") ? long_option(word.substr(2), values)
                                      : short_option(word.substr(1), values));
    }
    for (const auto& spec : specs_) {
      const auto found = values.find(spec.name);
      if (found == values.end() || found->second.size() < 2 || spec.repeats) continue;
      if (dialect_ == Dialect::argparse) {
        found->second.erase(found->second.begin(), found->second.end() - 1);
        continue;
      }
      return fail(ErrorCode::invalid_request,
                  fmt::format("Found multiple arguments for option {}, but you asked for only one",
                              spec.name));
    }
    return {};
  }

 private:
  using Values = std::map<std::string, std::vector<std::string>, std::less<>>;

  static bool looks_like_option(std::string_view word) {
    return word.size() > 1 && word.front() == '-';
  }

  std::unexpected<Error> unrecognized(std::string_view name, std::string_view word) const {
    return fail(ErrorCode::invalid_request,
                dialect_ == Dialect::joptsimple
                    ? fmt::format("{} is not a recognized option", name)
                    : fmt::format("unrecognized arguments: '{}'", word));
  }

  Result<> long_option(std::string_view word, Values& values) {
    const auto equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const OptionSpec* spec = find_exact(specs_, name);
    if (spec == nullptr && dialect_ == Dialect::argparse) {
      auto found = find_beginning(name);
      if (!found) return fail(std::move(found).error());
      spec = *found;
    }
    if (spec == nullptr) return unrecognized(name, "--" + std::string(word));
    return take(*spec,
                equals == std::string_view::npos ? std::optional<std::string_view>{}
                                                 : std::optional{word.substr(equals + 1)},
                values);
  }

  // A name in full behind one dash, or one-letter options in a row of which the last may have its
  // value attached.
  Result<> short_option(std::string_view word, Values& values) {
    const auto equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    if (const OptionSpec* spec = find_exact(specs_, name);
        spec != nullptr && (dialect_ == Dialect::joptsimple || name.size() == 1)) {
      return take(*spec,
                  equals == std::string_view::npos ? std::optional<std::string_view>{}
                                                   : std::optional{word.substr(equals + 1)},
                  values);
    }
    for (std::size_t i = 0; i < word.size(); ++i) {
      const OptionSpec* spec = find_exact(specs_, word.substr(i, 1));
      if (spec == nullptr) return unrecognized(word.substr(i, 1), "-" + std::string(word));
      if (spec->takes != Takes::nothing && i + 1 < word.size()) {
        return take(*spec, word.substr(i + 1), values);
      }
      ARUS_TRY(take(*spec, std::nullopt, values));
    }
    return {};
  }

  // The only option that begins so; null when there is none.
  Result<const OptionSpec*> find_beginning(std::string_view name) const {
    const OptionSpec* found = nullptr;
    for (const auto& spec : specs_) {
      if (!spec.name.starts_with(name)) continue;
      if (found != nullptr) {
        return fail(ErrorCode::invalid_request,
                    fmt::format("ambiguous option: --{} could match --{}, --{}", name, found->name,
                                spec.name));
      }
      found = &spec;
    }
    return found;
  }

  Result<> take(const OptionSpec& spec, std::optional<std::string_view> attached, Values& values) {
    auto& list = values[std::string(spec.name)];
    if (spec.takes == Takes::nothing) {
      if (attached) {
        return fail(ErrorCode::invalid_request,
                    fmt::format("Option {} does not allow an argument", spec.name));
      }
      return {};
    }
    if (attached) {
      list.emplace_back(*attached);
      return {};
    }
    const bool more = next_ < arguments_.size();
    if (spec.takes == Takes::optional_value) {
      if (more && !looks_like_option(arguments_[next_])) list.push_back(arguments_[next_++]);
      return {};
    }
    if (!more || (dialect_ == Dialect::argparse && looks_like_value_of_nobody(arguments_[next_]))) {
      return fail(ErrorCode::invalid_request,
                  dialect_ == Dialect::joptsimple
                      ? fmt::format("Option {} requires an argument", spec.name)
                      : fmt::format("argument {}: expected one argument", names_of(spec)));
    }
    list.push_back(arguments_[next_++]);
    return {};
  }

  // An option of this command rather than a value that happens to begin with a dash.
  [[nodiscard]] bool looks_like_value_of_nobody(const std::string& word) const {
    if (!looks_like_option(word)) return false;
    const bool number = word.find_first_not_of("0123456789.", 1) == std::string::npos;
    return !number;
  }

  static std::string names_of(const OptionSpec& spec) {
    if (spec.alias.empty()) return fmt::format("--{}", spec.name);
    return fmt::format("--{}/{}{}", spec.name, spec.alias.size() == 1 ? "-" : "--", spec.alias);
  }

  std::span<const OptionSpec> specs_;
  std::span<const std::string> arguments_;
  Dialect dialect_;
  std::size_t next_ = 0;
};

// The first line and the rest of `text`, broken at a blank at or before `width`.
std::pair<std::string_view, std::string_view> break_line(std::string_view text, std::size_t width) {
  if (text.size() <= width) return {text, {}};
  std::size_t end = text.rfind(' ', width);
  if (end == std::string_view::npos || end == 0) end = width;
  std::string_view rest = text.substr(end);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  return {text.substr(0, end), rest};
}

std::string left_column(const OptionSpec& spec) {
  std::string text;
  if (!spec.alias.empty()) {
    text = fmt::format("{}{}, ", spec.alias.size() == 1 ? "-" : "--", spec.alias);
  }
  text += spec.name.size() == 1 ? "-" : "--";
  text += spec.name;
  if (spec.takes == Takes::value) text += fmt::format(" <{}>", spec.placeholder);
  if (spec.takes == Takes::optional_value) text += fmt::format(" [{}]", spec.placeholder);
  return text;
}

}  // namespace

std::optional<std::string> ParsedOptions::value(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end() || found->second.empty()) return std::nullopt;
  return found->second.front();
}

std::string ParsedOptions::value_or(std::string_view name, std::string_view fallback) const {
  return value(name).value_or(std::string(fallback));
}

const std::vector<std::string>& ParsedOptions::values(std::string_view name) const {
  static const std::vector<std::string> none;
  const auto found = values_.find(name);
  return found == values_.end() ? none : found->second;
}

Result<std::optional<std::int64_t>> ParsedOptions::number(std::string_view name, std::int64_t min,
                                                          std::int64_t max) const {
  const auto text = value(name);
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const char* first = text->data();
  const char* last = first + text->size();
  if (text->starts_with('+')) ++first;
  const auto [end, error] = std::from_chars(first, last, number);
  if (error != std::errc{} || end != last || number < min || number > max || text->empty()) {
    return fail(ErrorCode::invalid_request,
                fmt::format("Cannot parse argument '{}' of option {}", *text, name));
  }
  return number;
}

Result<ParsedOptions> parse_options(std::span<const OptionSpec> specs,
                                    std::span<const std::string> arguments, Dialect dialect) {
  ParsedOptions parsed;
  ARUS_TRY(OptionParser(specs, arguments, dialect).run(parsed.values_, parsed.rest_));
  return parsed;
}

std::string describe_options(std::span<const OptionSpec> specs) {
  std::vector<const OptionSpec*> sorted;
  for (const auto& spec : specs) sorted.push_back(&spec);
  std::ranges::sort(sorted, {}, [](const OptionSpec* spec) { return spec->name; });
  std::string text = fmt::format("{:<{}}Description\n", "Option", help_column);
  text += fmt::format("{:<{}}-----------\n", "------", help_column);
  for (const OptionSpec* spec : sorted) {
    const std::string names = left_column(*spec);
    std::string_view left = names;
    std::string_view right = spec->doc;
    for (bool first = true; first || !left.empty() || !right.empty(); first = false) {
      const std::size_t indent = first ? 0 : 2;
      const auto [left_line, left_rest] = break_line(left, help_column - 2 - indent);
      const auto [right_line, right_rest] = break_line(right, help_width - help_column - indent);
      std::string line = fmt::format("{:<{}}{:<{}}{:<{}}{}", "", indent, left_line,
                                     help_column - indent, "", indent, right_line);
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n";
      left = left_rest;
      right = right_rest;
    }
  }
  return text;
}

Result<std::vector<std::pair<std::string, std::string>>> parse_config_list(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  std::size_t start = 0;
  int depth = 0;
  const auto add = [&](std::string_view part) -> Result<> {
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (part.empty()) return {};
    const auto equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return fail(ErrorCode::invalid_request, std::string(part));
    }
    std::string_view key = part.substr(0, equals);
    while (key.ends_with(' ')) key.remove_suffix(1);
    std::string_view value = part.substr(equals + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    if (value.size() >= 2 && value.front() == '[' && value.back() == ']') {
      value = value.substr(1, value.size() - 2);
    }
    pairs.emplace_back(key, value);
    return {};
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[') ++depth;
    if (text[i] == ']') --depth;
    if (text[i] == ',' && depth <= 0) {
      ARUS_TRY(add(text.substr(start, i - start)));
      start = i + 1;
    }
  }
  ARUS_TRY(add(text.substr(start)));
  return pairs;
}

std::vector<std::string> split_list(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto end = text.find(separator);
    std::string_view part = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (!part.empty()) parts.emplace_back(part);
  }
  return parts;
}

}  // namespace arus::cli
