// Keys and values of the records in the coordinators' topics.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/wire.h"

namespace arus::protocol {

// Each begins with an int16, the type in keys and the version in values; then comes the body.
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
