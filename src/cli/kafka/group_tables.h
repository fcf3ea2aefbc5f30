// The tables of kafka-consumer-groups and kafka-groups, column by column as Kafka prints them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/group_view.h"
#include "client/group_admin.h"

namespace arus::cli::kafka {

// "Consumer" for "consumer", "PreparingRebalance" for "preparingrebalance"; "Unknown" for others.
std::string group_type_text(std::string_view type);
std::string group_state_text(std::string_view state);

// --list with --type or --state.
std::string listing_table(std::span<const client::ListedGroup> groups, bool types, bool states);
// kafka-groups --list.
std::string all_groups_table(std::span<const client::ListedGroup> groups);

// --describe; verbose adds leader epochs.
std::string offsets_table(std::string_view group, std::span<const GroupPartitionView> partitions,
                          bool verbose);
// --describe --members.
std::string members_table(const client::GroupDescription& group, bool verbose);
// --describe --state.
std::string state_table(const client::GroupDescription& group, bool verbose);

// The plan of --reset-offsets.
std::string reset_table(const std::map<std::string, ResetPlan>& plans);

// "topic:0,1;other:2", or "-" for nothing.
std::string assignment_text(std::span<const TopicPartition> partitions);

}  // namespace arus::cli::kafka
