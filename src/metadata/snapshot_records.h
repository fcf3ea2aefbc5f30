// An image as the records of a snapshot.
#pragma once

#include <functional>

#include "base/bytes.h"
#include "base/result.h"
#include "metadata/image.h"
#include "protocol/record_codec.h"

namespace arus::metadata {

// A record in the version that the image's metadata.version implies. What that version cannot say
// is left out.
Result<Bytes> encode_record(const protocol::MetadataRecord& record, std::int16_t metadata_version);

// Gives all that the image holds, in the order in which Kafka writes it: features with
// metadata.version first, brokers, controllers, topics each with its partitions, configs, quotas,
// producer ids, ACLs, SCRAM credentials, tokens. Applied to an empty image the records give this
// one again. Reads only the image: may run on the pool.
void visit_records(const MetadataImage& image,
                   const std::function<void(const protocol::MetadataRecord&)>& visit);

// The records of single things, as a snapshot holds them.
[[nodiscard]] protocol::RegisterBrokerRecord to_record(const BrokerImage& broker);
[[nodiscard]] protocol::RegisterControllerRecord to_record(const ControllerImage& controller);
[[nodiscard]] protocol::PartitionRecord to_record(const Uuid& topic_id, std::int32_t index,
                                                  const PartitionImage& partition);

}  // namespace arus::metadata
