// Records as users hand them over and get them back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/topic_partition.h"
#include "record/batch_format.h"

namespace arus::client {

struct RecordHeader {
  std::string key;
  std::optional<Bytes> value;  // nothing: null
};

// A record to produce. Without a partition the partitioner chooses one; without a timestamp it is
// the time of the call.
struct ProducerRecord {
  std::string topic;
  std::optional<std::int32_t> partition;
  std::optional<std::int64_t> timestamp_ms;
  std::optional<Bytes> key;
  std::optional<Bytes> value;
  std::vector<RecordHeader> headers;
};

// Where a record went. The offset is no_offset with acks=0, and for a batch that the broker had
// already and whose offset it does not remember.
struct Delivered {
  std::int32_t partition = -1;
  Offset offset = no_offset;
  std::int64_t timestamp_ms = -1;
};

// A record as consumed; it owns its bytes.
struct ConsumerRecord {
  std::shared_ptr<const std::string> topic;
  std::int32_t partition = 0;
  Offset offset;
  LeaderEpoch leader_epoch = no_leader_epoch;
  std::int64_t timestamp_ms = -1;
  record::TimestampType timestamp_type = record::TimestampType::create_time;
  std::optional<Bytes> key;
  std::optional<Bytes> value;
  std::vector<RecordHeader> headers;
};

}  // namespace arus::client
