// How the committed offsets of a group are moved: strategies, their scope, the plan they give.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/topic_partition.h"

namespace arus::cli {

enum class ResetTo : std::uint8_t {
  earliest,  // the log start
  latest,    // the end
  current,   // the committed offset, or the end where none is committed
  offset,    // a given one, kept within the log
  shift,     // so many records from the committed one, kept within the log
  time,      // the first record at or after a timestamp, or the end
  listed,    // one for each partition, kept within the log
};

struct ResetStrategy {
  ResetTo to = ResetTo::current;
  std::int64_t number = 0;                  // of `offset` and `shift`
  std::int64_t timestamp_ms = 0;            // of `time`
  std::map<TopicPartition, Offset> listed;  // of `listed`

  // Which facts plan_reset() needs of each partition.
  [[nodiscard]] bool needs_start() const;
  [[nodiscard]] bool needs_end() const;
  [[nodiscard]] bool needs_committed() const;
};

// What is known of one partition; what the strategy does not need may be missing.
struct ResetFacts {
  std::optional<Offset> start;
  std::optional<Offset> end;
  std::optional<Offset> committed;
  std::optional<Offset> at_time;  // nothing: no record is that young
};

struct ResetPlan {
  std::map<TopicPartition, Offset> offsets;
  // In Kafka's words: offsets that lay outside of the log, and partitions without a record that is
  // young enough.
  std::vector<std::string> corrections;
  std::vector<std::string> fallbacks;
};

// Decides only. An error where a shift finds nothing committed, or where a needed fact is missing.
Result<ResetPlan> plan_reset(const ResetStrategy& strategy,
                             const std::map<TopicPartition, ResetFacts>& facts);

// "topic", which is all of its partitions, or "topic:0,1,2".
struct TopicScope {
  std::string topic;
  std::optional<std::vector<std::int32_t>> partitions;
};
Result<TopicScope> parse_topic_scope(std::string_view text);

}  // namespace arus::cli
