#include "storage/file_names.h"

#include <algorithm>
#include <charconv>

#include "base/assert.h"

namespace arus::storage {

namespace {

constexpr std::size_t offset_digits = 20;
constexpr std::size_t unique_hex_digits = 32;
constexpr std::size_t max_name_bytes = 255;

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_legal_topic(std::string_view topic) {
  return !topic.empty() && topic != "." && topic != ".." && std::ranges::all_of(topic, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

std::optional<TopicPartition> parse_topic_partition(std::string_view name) {
  const std::size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || !is_legal_topic(name.substr(0, dash))) return std::nullopt;
  const std::string_view digits = name.substr(dash + 1);
  std::int32_t partition = 0;
  if (!is_digits(digits)) return std::nullopt;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), partition).ec != std::errc{}) {
    return std::nullopt;
  }
  return TopicPartition{std::string(name.substr(0, dash)), partition};
}

}  // namespace

std::string segment_file_name(Offset base_offset, std::string_view suffix) {
  ARUS_ASSERT(base_offset.value() >= 0);
  std::string digits = std::to_string(base_offset.value());
  std::string name(offset_digits - digits.size(), '0');
  name += digits;
  name += suffix;
  return name;
}

std::optional<Offset> parse_segment_file_name(std::string_view name, std::string_view suffix) {
  if (name.size() != offset_digits + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  const std::string_view digits = name.substr(0, offset_digits);
  std::int64_t value = 0;
  if (!is_digits(digits)) return std::nullopt;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc{}) {
    return std::nullopt;
  }
  return Offset{value};
}

std::optional<PartitionDirectoryName> parse_partition_directory(std::string_view name) {
  if (auto live = parse_topic_partition(name)) {
    return PartitionDirectoryName{*std::move(live), PartitionDirectoryKind::live};
  }
  using enum PartitionDirectoryKind;
  for (const auto& [ending, kind] :
       {std::pair<std::string_view, PartitionDirectoryKind>{"-delete", deleted},
        {"-stray", stray},
        {"-future", future}}) {
    if (!name.ends_with(ending)) continue;
    const std::string_view rest = name.substr(0, name.size() - ending.size());
    if (rest.size() <= unique_hex_digits + 1) return std::nullopt;
    const std::size_t dot = rest.size() - unique_hex_digits - 1;
    if (rest[dot] != '.' || !is_hex(rest.substr(dot + 1))) return std::nullopt;
    if (auto partition = parse_topic_partition(rest.substr(0, dot))) {
      return PartitionDirectoryName{*std::move(partition), kind};
    }
  }
  return std::nullopt;
}

std::string set_aside_directory_name(const TopicPartition& partition, const Uuid& unique,
                                     std::string_view ending) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string rest = "-" + std::to_string(partition.partition) + ".";
  for (const std::uint8_t byte : unique.bytes) {
    rest += hex[byte >> 4];
    rest += hex[byte & 15];
  }
  rest += ending;
  return partition.topic.substr(0, max_name_bytes - rest.size()) + rest;
}

std::string join_path(std::string_view directory, std::string_view name) {
  std::string path;
  path.reserve(directory.size() + 1 + name.size());
  path.append(directory).append("/").append(name);
  return path;
}

}  // namespace arus::storage
