// What consumers of the classic protocol put into the bytes that brokers only pass on.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "coordinator/group/partition_set.h"
#include "metadata/image.h"
#include "protocol/record/consumer_protocol_assignment.h"
#include "protocol/record/consumer_protocol_subscription.h"

namespace arus::coordinator {

// An int16 version and a body in it; versions that are newer than ours are read as our newest, and
// what follows is left.
[[nodiscard]] Result<protocol::ConsumerProtocolSubscription> read_subscription(ByteView bytes);
// Empty bytes are no partitions.
[[nodiscard]] Result<protocol::ConsumerProtocolAssignment> read_assignment(ByteView bytes);
// The version that a member's metadata is written in; 0 where it cannot be read.
[[nodiscard]] std::int16_t protocol_version_of(ByteView metadata);
// Topics that are gone are left out.
[[nodiscard]] Slice write_assignment(const PartitionSet& set, const metadata::MetadataImage& image,
                                     std::int16_t version);

// By names as the image knows them; what it does not know is left out.
template <class Topics>
[[nodiscard]] PartitionSet by_id(const Topics& topics, const metadata::MetadataImage& image) {
  PartitionSet set;
  for (const auto& topic : topics) {
    const auto found = image.topic(topic.topic);
    if (found != nullptr) set.push_back({found->id, topic.partitions});
  }
  return normalized(std::move(set));
}

}  // namespace arus::coordinator
