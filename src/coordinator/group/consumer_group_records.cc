#include "coordinator/group/consumer_group_records.h"

#include <algorithm>
#include <utility>

#include "protocol/record/consumer_group_current_member_assignment_key.h"
#include "protocol/record/consumer_group_member_metadata_key.h"
#include "protocol/record/consumer_group_metadata_key.h"
#include "protocol/record/consumer_group_metadata_value.h"
#include "protocol/record/consumer_group_partition_metadata_key.h"
#include "protocol/record/consumer_group_regular_expression_key.h"
#include "protocol/record/consumer_group_regular_expression_value.h"
#include "protocol/record/consumer_group_target_assignment_member_key.h"
#include "protocol/record/consumer_group_target_assignment_metadata_key.h"
#include "protocol/record/consumer_group_target_assignment_metadata_value.h"

namespace arus::coordinator::consumer_records {
namespace {

constexpr std::int16_t version = 0;

using protocol::ConsumerGroupCurrentMemberAssignmentKey;
using protocol::ConsumerGroupCurrentMemberAssignmentValue;
using protocol::ConsumerGroupMemberMetadataKey;
using protocol::ConsumerGroupMemberMetadataValue;
using protocol::ConsumerGroupMetadataKey;
using protocol::ConsumerGroupMetadataValue;
using protocol::ConsumerGroupPartitionMetadataKey;
using protocol::ConsumerGroupRegularExpressionKey;
using protocol::ConsumerGroupRegularExpressionValue;
using protocol::ConsumerGroupTargetAssignmentMemberKey;
using protocol::ConsumerGroupTargetAssignmentMemberValue;
using protocol::ConsumerGroupTargetAssignmentMetadataKey;
using protocol::ConsumerGroupTargetAssignmentMetadataValue;

template <class Key>
Key group_key(const std::string& group) {
  Key key;
  key.group_id = group;
  return key;
}

template <class Key>
Key member_key(const std::string& group, const std::string& member) {
  Key key;
  key.group_id = group;
  key.member_id = member;
  return key;
}

ConsumerGroupRegularExpressionKey regex_key(const std::string& group, const std::string& regex) {
  ConsumerGroupRegularExpressionKey key;
  key.group_id = group;
  key.regular_expression = regex;
  return key;
}

std::vector<ConsumerGroupCurrentMemberAssignmentValue::TopicPartitions> stored(
    const OwnedPartitions& owned) {
  std::vector<ConsumerGroupCurrentMemberAssignmentValue::TopicPartitions> topics;
  topics.reserve(owned.size());
  for (const auto& topic : owned) {
    auto& into = topics.emplace_back();
    into.topic_id = topic.topic;
    into.assignment_epochs.emplace();
    for (const auto& one : topic.partitions) {
      into.partitions.push_back(one.partition);
      into.assignment_epochs->push_back(one.epoch);
    }
  }
  return topics;
}

// Records of earlier versions have no epochs: the member's own then counts for all.
OwnedPartitions owned_of(
    const std::vector<ConsumerGroupCurrentMemberAssignmentValue::TopicPartitions>& stored,
    std::int32_t member_epoch) {
  OwnedPartitions owned;
  owned.reserve(stored.size());
  for (const auto& topic : stored) {
    auto& into = owned.emplace_back(OwnedTopic{topic.topic_id, {}}).partitions;
    const auto& epochs = topic.assignment_epochs;
    const bool has_epochs = epochs && epochs->size() == topic.partitions.size();
    for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
      into.push_back({topic.partitions[i], has_epochs ? (*epochs)[i] : member_epoch});
    }
  }
  return normalized(std::move(owned));
}

MemberState state_of(std::int8_t number) {
  switch (static_cast<MemberState>(number)) {
    case MemberState::stable:
    case MemberState::unrevoked_partitions:
    case MemberState::unreleased_partitions:
      return static_cast<MemberState>(number);
    case MemberState::unknown:
      break;
  }
  return MemberState::unknown;
}

}  // namespace

Record epoch(const std::string& group, std::int32_t epoch, std::int64_t metadata_hash) {
  ConsumerGroupMetadataValue value;
  value.epoch = epoch;
  value.metadata_hash = metadata_hash;
  return Record::of(group_key<ConsumerGroupMetadataKey>(group), value, version);
}

Record epoch_tombstone(const std::string& group) {
  return Record::tombstone(group_key<ConsumerGroupMetadataKey>(group));
}

Record member(const std::string& group, const std::string& member, const MemberMetadata& metadata) {
  ConsumerGroupMemberMetadataValue value;
  value.instance_id = metadata.instance_id;
  value.rack_id = metadata.rack_id;
  value.client_id = metadata.client_id;
  value.client_host = metadata.client_host;
  value.subscribed_topic_names = metadata.topic_names;
  value.subscribed_topic_regex = metadata.topic_regex;
  value.rebalance_timeout_ms = metadata.rebalance_timeout_ms;
  value.server_assignor = metadata.server_assignor;
  value.classic_member_metadata = metadata.classic;
  return Record::of(member_key<ConsumerGroupMemberMetadataKey>(group, member), value, version);
}

Record member_tombstone(const std::string& group, const std::string& member) {
  return Record::tombstone(member_key<ConsumerGroupMemberMetadataKey>(group, member));
}

Record target_epoch(const std::string& group, std::int32_t epoch, std::int64_t timestamp_ms) {
  ConsumerGroupTargetAssignmentMetadataValue value;
  value.assignment_epoch = epoch;
  value.assignment_timestamp = timestamp_ms;
  return Record::of(group_key<ConsumerGroupTargetAssignmentMetadataKey>(group), value, version);
}

Record target_epoch_tombstone(const std::string& group) {
  return Record::tombstone(group_key<ConsumerGroupTargetAssignmentMetadataKey>(group));
}

Record target(const std::string& group, const std::string& member, const PartitionSet& target) {
  ConsumerGroupTargetAssignmentMemberValue value;
  value.topic_partitions.reserve(target.size());
  for (const auto& topic : target) {
    auto& into = value.topic_partitions.emplace_back();
    into.topic_id = topic.topic;
    into.partitions = topic.partitions;
  }
  return Record::of(member_key<ConsumerGroupTargetAssignmentMemberKey>(group, member), value,
                    version);
}

Record target_tombstone(const std::string& group, const std::string& member) {
  return Record::tombstone(member_key<ConsumerGroupTargetAssignmentMemberKey>(group, member));
}

Record current(const std::string& group, const std::string& member,
               const CurrentAssignment& current) {
  ConsumerGroupCurrentMemberAssignmentValue value;
  value.member_epoch = current.epoch;
  value.previous_member_epoch = current.previous_epoch;
  value.state = static_cast<std::int8_t>(current.state);
  value.assigned_partitions = stored(current.assigned);
  value.partitions_pending_revocation = stored(current.pending_revocation);
  return Record::of(member_key<ConsumerGroupCurrentMemberAssignmentKey>(group, member), value,
                    version);
}

Record current_tombstone(const std::string& group, const std::string& member) {
  return Record::tombstone(member_key<ConsumerGroupCurrentMemberAssignmentKey>(group, member));
}

Record regex(const std::string& group, const std::string& regex, const ResolvedRegex& resolved) {
  ConsumerGroupRegularExpressionValue value;
  value.topics = resolved.topics;
  value.version = resolved.version;
  value.timestamp = resolved.timestamp_ms;
  return Record::of(regex_key(group, regex), value, version);
}

Record regex_tombstone(const std::string& group, const std::string& regex) {
  return Record::tombstone(regex_key(group, regex));
}

Record partition_metadata_tombstone(const std::string& group) {
  return Record::tombstone(group_key<ConsumerGroupPartitionMetadataKey>(group));
}

MemberMetadata metadata_of(ConsumerGroupMemberMetadataValue value) {
  MemberMetadata metadata;
  metadata.instance_id = std::move(value.instance_id);
  metadata.rack_id = std::move(value.rack_id);
  metadata.client_id = std::move(value.client_id);
  metadata.client_host = std::move(value.client_host);
  metadata.topic_names = std::move(value.subscribed_topic_names);
  std::ranges::sort(metadata.topic_names);
  const auto repeated = std::ranges::unique(metadata.topic_names);
  metadata.topic_names.erase(repeated.begin(), repeated.end());
  metadata.topic_regex = std::move(value.subscribed_topic_regex).value_or("");
  metadata.rebalance_timeout_ms = value.rebalance_timeout_ms;
  metadata.server_assignor = std::move(value.server_assignor);
  metadata.classic = std::move(value.classic_member_metadata);
  return metadata;
}

PartitionSet target_of(const ConsumerGroupTargetAssignmentMemberValue& value) {
  PartitionSet target;
  target.reserve(value.topic_partitions.size());
  for (const auto& topic : value.topic_partitions) {
    target.push_back({topic.topic_id, topic.partitions});
  }
  return normalized(std::move(target));
}

CurrentAssignment current_of(const ConsumerGroupCurrentMemberAssignmentValue& value) {
  CurrentAssignment current;
  current.epoch = value.member_epoch;
  current.previous_epoch = value.previous_member_epoch;
  current.state = state_of(value.state);
  current.assigned = owned_of(value.assigned_partitions, value.member_epoch);
  current.pending_revocation = owned_of(value.partitions_pending_revocation, value.member_epoch);
  return current;
}

}  // namespace arus::coordinator::consumer_records
