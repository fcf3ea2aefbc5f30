#include "cli/offset_csv.h"

#include <fmt/core.h>

#include <charconv>
#include <vector>

namespace arus::cli {
namespace {

constexpr std::size_t longest_unquoted = 24;
constexpr char first_safe = ',' + 1;
constexpr std::size_t max_lines = 10'000'000;

void add_text(std::string& into, std::string_view text) {
  bool quote = text.size() > longest_unquoted;
  for (const char c : text) quote |= c >= 0 && c < first_safe;
  if (!quote) {
    into += text;
    return;
  }
  into += '"';
  for (const char c : text) {
    if (c == '"') into += '"';
    into += c;
  }
  into += '"';
}

// The parts of one line; nothing where a quote does not end.
std::optional<std::vector<std::string>> split_line(std::string_view line) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted) {
      if (c != '"') {
        parts.back() += c;
      } else if (i + 1 < line.size() && line[i + 1] == '"') {
        parts.back() += line[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"' && parts.back().empty()) {
      quoted = true;
    } else if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  if (quoted) return std::nullopt;
  return parts;
}

template <class Number>
bool read_number(std::string_view text, Number& into) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, into);
  return error == std::errc{} && end == last && into >= 0;
}

struct Line {
  TopicPartition name;
  std::int64_t offset = 0;
};

std::optional<Line> read_line(const std::vector<std::string>& parts, std::size_t first) {
  Line line;
  if (parts.size() != first + 3 || parts[first].empty()) return std::nullopt;
  line.name.topic = parts[first];
  if (!read_number(parts[first + 1], line.name.partition) ||
      !read_number(parts[first + 2], line.offset)) {
    return std::nullopt;
  }
  return line;
}

}  // namespace

std::string offsets_as_csv(const GroupOffsets& offsets, bool with_groups) {
  std::string text;
  for (const auto& [group, partitions] : offsets) {
    for (const auto& [name, offset] : partitions) {
      if (with_groups) {
        add_text(text, group);
        text += ',';
      }
      add_text(text, name.topic);
      text += fmt::format(",{},{}\n", name.partition, offset.value());
    }
  }
  return text;
}

Result<GroupOffsets> parse_offsets_csv(std::string_view text,
                                       const std::optional<std::string>& only_group) {
  GroupOffsets offsets;
  std::optional<bool> with_groups;
  std::size_t number = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (++number > max_lines) {
      return fail(ErrorCode::invalid_request,
                  fmt::format("The plan has more than {} lines", max_lines));
    }
    if (line.empty()) continue;
    const auto parts = split_line(line);
    if (!with_groups) with_groups = !only_group || !parts || !read_line(*parts, 0);
    const auto read = parts ? read_line(*parts, *with_groups ? 1 : 0) : std::nullopt;
    if (!read) {
      return fail(ErrorCode::invalid_request,
                  fmt::format("Line {} of the plan is not {}topic,partition,offset: {}", number,
                              *with_groups ? "group," : "", line));
    }
    offsets[*with_groups ? parts->front() : *only_group][read->name] = Offset{read->offset};
  }
  return offsets;
}

}  // namespace arus::cli
