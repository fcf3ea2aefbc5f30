#include "cli/partition_filter.h"

#include <fmt/core.h>

#include <charconv>

#include "cli/kafka_options.h"
#include "client/consumer.h"

namespace arus::cli {

std::optional<PartitionFilter::Range> PartitionFilter::parse_range(std::string_view text) {
  Range range;
  const auto read = [](std::string_view digits, std::int32_t& into) {
    const char* last = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), last, into);
    return error == std::errc{} && end == last && into >= 0;
  };
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) {
    if (!read(text, range.first) || range.first == INT32_MAX) return std::nullopt;
    range.end = range.first + 1;
    return range;
  }
  const std::string_view first = text.substr(0, dash);
  const std::string_view end = text.substr(dash + 1);
  if (!first.empty() && !read(first, range.first)) return std::nullopt;
  if (!end.empty() && !read(end, range.end)) return std::nullopt;
  if (first.empty() && end.empty()) return std::nullopt;
  return range;
}

Result<PartitionFilter> PartitionFilter::of(const std::optional<std::string>& topic,
                                            std::string_view partitions) {
  PartitionFilter filter;
  Rule& rule = filter.rules_.emplace_back();
  if (topic) {
    auto pattern = Pattern::of_list(*topic);
    if (!pattern) return fail(std::move(pattern).error());
    rule.topic.emplace(std::move(*pattern));
  }
  for (const auto& part : split_list(partitions)) {
    const auto range = parse_range(part);
    if (!range) {
      return fail(ErrorCode::invalid_request, fmt::format("Invalid rule specification: {}", part));
    }
    rule.partitions.push_back(*range);
  }
  return filter;
}

Result<PartitionFilter> PartitionFilter::of_rules(std::string_view text) {
  PartitionFilter filter;
  for (const auto& part : split_list(text)) {
    const auto colon = part.find(':');
    const std::string topic = part.substr(0, colon);
    Rule rule;
    if (!topic.empty()) {
      auto pattern = Pattern::of(topic);
      if (!pattern) return fail(std::move(pattern).error());
      rule.topic.emplace(std::move(*pattern));
    }
    if (colon != std::string::npos && colon + 1 < part.size()) {
      const auto range = parse_range(std::string_view(part).substr(colon + 1));
      if (!range) {
        return fail(ErrorCode::invalid_request,
                    fmt::format("Invalid rule specification: {}", part));
      }
      rule.partitions.push_back(*range);
    }
    filter.rules_.push_back(std::move(rule));
  }
  return filter;
}

bool PartitionFilter::matches(const TopicPartition& partition) const {
  return std::ranges::any_of(rules_, [&](const Rule& rule) {
    if (rule.topic && !rule.topic->matches(partition.topic)) return false;
    return rule.partitions.empty() || std::ranges::any_of(rule.partitions, [&](const Range& range) {
             return partition.partition >= range.first && partition.partition < range.end;
           });
  });
}

Result<std::int64_t> parse_offset_time(std::string_view text) {
  struct Name {
    std::string_view name;
    std::int64_t time;
  };
  constexpr Name names[] = {
      {"latest", client::latest_timestamp},
      {"earliest", client::earliest_timestamp},
      {"max-timestamp", client::max_record_timestamp},
      {"earliest-local", client::earliest_local_timestamp},
      {"latest-tiered", client::latest_tiered_timestamp},
      {"earliest-pending-upload", client::earliest_pending_upload_timestamp},
  };
  for (const auto& known : names) {
    if (known.name == text) return known.time;
  }
  std::int64_t time = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), time);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return fail(ErrorCode::invalid_request,
                fmt::format("Malformed time argument {}. Please use -1 or latest / -2 or earliest "
                            "/ -3 or max-timestamp / -4 or earliest-local / -5 or latest-tiered / "
                            "-6 or earliest-pending-upload, or a specified long format timestamp",
                            text));
  }
  return time;
}

}  // namespace arus::cli
