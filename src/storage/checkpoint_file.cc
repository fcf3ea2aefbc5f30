#include "storage/checkpoint_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>

namespace arus::storage {

namespace {

constexpr int version = 0;

// Pulls the lines of a text; the last one may lack its newline.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  std::optional<std::string_view> next() {
    if (rest_.empty()) return std::nullopt;
    const std::size_t end = rest_.find('\n');
    std::string_view line = rest_.substr(0, end);
    rest_ = end == std::string_view::npos ? std::string_view{} : rest_.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }

 private:
  std::string_view rest_;
};

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t space = std::min(line.find(' '), line.size());
    if (space > 0) words.push_back(line.substr(0, space));
    line.remove_prefix(std::min(space + 1, line.size()));
  }
  return words;
}

// The lines after the header; their number must be what the header says.
Result<std::vector<std::string_view>> parse_entries(std::string_view text) {
  const auto corrupt = [](std::string why) {
    return fail(ErrorCode::corrupt_message, std::move(why));
  };
  Lines lines(text);
  const auto first = lines.next();
  if (!first || parse_number<int>(*first) != version) {
    return corrupt("The checkpoint has an unknown version");
  }
  const auto second = lines.next();
  const auto count = second ? parse_number<std::int32_t>(*second) : std::nullopt;
  if (!count || *count < 0) return corrupt("The checkpoint does not say how many entries it has");
  std::vector<std::string_view> entries;
  while (auto line = lines.next()) entries.push_back(*line);
  if (entries.size() != static_cast<std::size_t>(*count)) {
    return corrupt(
        fmt::format("The checkpoint says {} entries and has {}", *count, entries.size()));
  }
  return entries;
}

}  // namespace

std::string encode_offset_checkpoint(std::span<const PartitionOffset> entries) {
  std::string text = fmt::format("{}\n{}\n", version, entries.size());
  for (const auto& [partition, offset] : entries) {
    fmt::format_to(std::back_inserter(text), "{} {} {}\n", partition.topic, partition.partition,
                   offset.value());
  }
  return text;
}

Result<std::vector<PartitionOffset>> parse_offset_checkpoint(std::string_view text) {
  auto lines = parse_entries(text);
  if (!lines) return fail(std::move(lines).error());
  std::vector<PartitionOffset> entries;
  entries.reserve(lines->size());
  for (const std::string_view line : *lines) {
    const auto words = split(line);
    const auto partition = words.size() == 3 ? parse_number<std::int32_t>(words[1]) : std::nullopt;
    const auto offset = words.size() == 3 ? parse_number<std::int64_t>(words[2]) : std::nullopt;
    if (!partition || !offset || *partition < 0 || *offset < 0) {
      return fail(ErrorCode::corrupt_message,
                  "A line of the checkpoint is not topic, partition and offset");
    }
    entries.push_back({{std::string(words[0]), *partition}, Offset{*offset}});
  }
  return entries;
}

std::string encode_leader_epoch_checkpoint(std::span<const EpochStart> entries) {
  std::string text = fmt::format("{}\n{}\n", version, entries.size());
  for (const auto& [epoch, start] : entries) {
    fmt::format_to(std::back_inserter(text), "{} {}\n", epoch.value(), start.value());
  }
  return text;
}

Result<std::vector<EpochStart>> parse_leader_epoch_checkpoint(std::string_view text) {
  auto lines = parse_entries(text);
  if (!lines) return fail(std::move(lines).error());
  std::vector<EpochStart> entries;
  entries.reserve(lines->size());
  for (const std::string_view line : *lines) {
    const auto words = split(line);
    const auto epoch = words.size() == 2 ? parse_number<std::int32_t>(words[0]) : std::nullopt;
    const auto start = words.size() == 2 ? parse_number<std::int64_t>(words[1]) : std::nullopt;
    if (!epoch || !start || *epoch < 0 || *start < 0) {
      return fail(ErrorCode::corrupt_message, "A line of the checkpoint is not epoch and offset");
    }
    if (!entries.empty() &&
        (entries.back().epoch.value() >= *epoch || entries.back().start.value() > *start)) {
      return fail(ErrorCode::corrupt_message, "The leader epochs do not ascend");
    }
    entries.push_back({LeaderEpoch{*epoch}, Offset{*start}});
  }
  return entries;
}

}  // namespace arus::storage
