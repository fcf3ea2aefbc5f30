// Offsets of groups as lines of comma separated values, as kafka-consumer-groups exports and reads
// them: "topic,partition,offset", with several groups "group,topic,partition,offset".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "base/topic_partition.h"

namespace arus::cli {

using GroupOffsets = std::map<std::string, std::map<TopicPartition, Offset>>;

// Every line ends with '\n'. A name is quoted where it is longer than 24 characters or has one that
// sorts before '-', as Kafka's writer does.
std::string offsets_as_csv(const GroupOffsets& offsets, bool with_groups);

// With `only_group`, lines without a group belong to it; whether lines have one is decided by the
// first. An error names the line.
Result<GroupOffsets> parse_offsets_csv(std::string_view text,
                                       const std::optional<std::string>& only_group);

}  // namespace arus::cli
