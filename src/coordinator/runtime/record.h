// Records of the coordinators' topics, as they stand in the log.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/ids.h"
#include "protocol/coordinator_record.h"

namespace arus::coordinator {

// A key (int16 type, body) and a value (int16 version, body); no value deletes the key.
struct Record {
  Bytes key;
  std::optional<Bytes> value;
  friend bool operator==(const Record&, const Record&) = default;

  template <class Key, class Value>
  [[nodiscard]] static Record of(const Key& key, const Value& value, std::int16_t version) {
    return {protocol::encode_coordinator_key(key),
            protocol::encode_coordinator_value(value, version)};
  }
  template <class Key>
  [[nodiscard]] static Record tombstone(const Key& key) {
    return {protocol::encode_coordinator_key(key), std::nullopt};
  }
};

// A record as it is applied: just appended, or read from the log. The bytes live for the call.
struct ReplayedRecord {
  Offset offset = no_offset;
  std::int64_t timestamp_ms = -1;
  // Of the transaction it belongs to; no_producer outside of any.
  ProducerId producer_id = no_producer;
  std::int16_t producer_epoch = -1;
  ByteView key;
  std::optional<ByteView> value;
};

}  // namespace arus::coordinator
