// Records of the metadata log and of the coordinators' topics, with the frame around each.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/metadata_record.h"

namespace arus::protocol {

// A record of __cluster_metadata: uvarint frame version 1, uvarint key, uvarint version, body.
struct VersionedRecord {
  MetadataRecord record;
  std::int16_t version = 0;
  friend bool operator==(const VersionedRecord&, const VersionedRecord&) = default;
};

// The value of a metadata record. Unknown kinds, versions and trailing bytes are errors.
[[nodiscard]] Result<VersionedRecord> decode_metadata_record(ByteView value);
// An error when the version cannot carry what the record says.
[[nodiscard]] Result<Bytes> encode_metadata_record(const MetadataRecord& record,
                                                   std::int16_t version);
[[nodiscard]] std::int16_t record_key(const MetadataRecord& record);
[[nodiscard]] std::string_view record_name(const MetadataRecord& record);
[[nodiscard]] std::int16_t highest_version(const MetadataRecord& record);

// Keys and values of coordinator records: an int16 (the type in keys, the version in values), then
// the body.
[[nodiscard]] Result<std::int16_t> coordinator_prefix(ByteView bytes);
template <class Message>
[[nodiscard]] Result<Message> decode_coordinator_key(ByteView bytes) {
  Reader in{bytes};
  if (in.i16() != Message::record_key || !in.ok()) {
    return not_decoded(Message::message_name, 0, "it is a key of another kind");
  }
  auto key = Message::decode(in, 0);
  if (key && !in.at_end()) return not_decoded(Message::message_name, 0, "bytes follow it");
  return key;
}
template <class Message>
[[nodiscard]] Result<Message> decode_coordinator_value(ByteView bytes) {
  Reader in{bytes};
  const std::int16_t version = in.i16();
  if (!in.ok()) return not_decoded(Message::message_name, 0, "it is cut short");
  auto value = Message::decode(in, version);
  if (value && !in.at_end()) return not_decoded(Message::message_name, version, "bytes follow it");
  return value;
}
template <class Message>
[[nodiscard]] Bytes encode_coordinator_key(const Message& key) {
  Writer out;
  out.i16(Message::record_key);
  key.encode(out, 0);
  return out.take_bytes();
}
template <class Message>
[[nodiscard]] Bytes encode_coordinator_value(const Message& value, std::int16_t version) {
  Writer out;
  out.i16(version);
  value.encode(out, version);
  return out.take_bytes();
}

}  // namespace arus::protocol
