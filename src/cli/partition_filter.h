// Which partitions of which topics a user means, as kafka-get-offsets says it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/topic_partition.h"
#include "cli/pattern.h"

namespace arus::cli {

// Rules of which one must match: a pattern for topics (all without one) and ranges of partitions
// (all without any). Ranges leave out their end.
class PartitionFilter {
 public:
  // `partitions` is "0,2-5,7-", where "2-5" means 2, 3, 4.
  static Result<PartitionFilter> of(const std::optional<std::string>& topic,
                                    std::string_view partitions);
  // "topic:0,other:1-3,third:-2,fourth".
  static Result<PartitionFilter> of_rules(std::string_view text);
  [[nodiscard]] bool matches(const TopicPartition& partition) const;

 private:
  struct Range {
    std::int32_t first = 0;
    std::int32_t end = INT32_MAX;
  };
  struct Rule {
    std::optional<Pattern> topic;
    std::vector<Range> partitions;
  };
  static std::optional<Range> parse_range(std::string_view text);

  std::vector<Rule> rules_;
};

// "latest", "earliest", …, or a number, as ListOffsets takes it.
Result<std::int64_t> parse_offset_time(std::string_view text);

}  // namespace arus::cli
