// The stored records of consumer groups.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "coordinator/group/consumer_group.h"
#include "coordinator/runtime/record.h"
#include "protocol/record/consumer_group_current_member_assignment_value.h"
#include "protocol/record/consumer_group_target_assignment_member_value.h"

namespace arus::coordinator::consumer_records {

[[nodiscard]] Record epoch(const std::string& group, std::int32_t epoch,
                           std::int64_t metadata_hash);
[[nodiscard]] Record epoch_tombstone(const std::string& group);
[[nodiscard]] Record member(const std::string& group, const std::string& member,
                            const MemberMetadata& metadata);
[[nodiscard]] Record member_tombstone(const std::string& group, const std::string& member);
[[nodiscard]] Record target_epoch(const std::string& group, std::int32_t epoch,
                                  std::int64_t timestamp_ms);
[[nodiscard]] Record target_epoch_tombstone(const std::string& group);
[[nodiscard]] Record target(const std::string& group, const std::string& member,
                            const PartitionSet& target);
[[nodiscard]] Record target_tombstone(const std::string& group, const std::string& member);
[[nodiscard]] Record current(const std::string& group, const std::string& member,
                             const CurrentAssignment& current);
[[nodiscard]] Record current_tombstone(const std::string& group, const std::string& member);
[[nodiscard]] Record regex(const std::string& group, const std::string& regex,
                           const ResolvedRegex& resolved);
[[nodiscard]] Record regex_tombstone(const std::string& group, const std::string& regex);
// Before Kafka 4.1 topics were kept whole; the record is not written any more.
[[nodiscard]] Record partition_metadata_tombstone(const std::string& group);

[[nodiscard]] MemberMetadata metadata_of(protocol::ConsumerGroupMemberMetadataValue value);
[[nodiscard]] PartitionSet target_of(
    const protocol::ConsumerGroupTargetAssignmentMemberValue& value);
[[nodiscard]] CurrentAssignment current_of(
    const protocol::ConsumerGroupCurrentMemberAssignmentValue& value);

}  // namespace arus::coordinator::consumer_records
