// What generated messages are made of.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/decoder.h"
#include "protocol/encoder.h"
#include "protocol/unknown_tags.h"

namespace arus::protocol {

class MessagePrinter;  // protocol/print.h

// UNSUPPORTED_VERSION: that version of the message has no place for what the field holds.
[[nodiscard]] std::unexpected<Error> not_carried(std::string_view message, std::string_view field,
                                                 std::int16_t version);
// INVALID_REQUEST.
[[nodiscard]] std::unexpected<Error> not_decoded(std::string_view message, std::int16_t version,
                                                 std::string_view why);
// Success where `field`, what unsayable() of a message gave, is null.
[[nodiscard]] Result<> checked(std::string_view message, const char* field, std::int16_t version);

// One message from where the decoder stands; `whole`: nothing may follow it.
template <class Message>
[[gnu::noinline]] Result<Message> decode_message(Decoder& in, std::int16_t version, bool whole) {
  Result<Message> message;
  if (version < Message::min_version || version > Message::max_version) {
    in.refuse("there is no such version");
  } else {
    message->read(in, version);
    if (whole && in.ok() && !in.at_end()) in.refuse("bytes follow it");
  }
  if (!in.ok()) {  // Not by assignment, which would be more code for each message.
    std::destroy_at(&message);
    std::construct_at(&message, not_decoded(Message::message_name, version, in.problem()));
  }
  return message;
}

template <class Message>
Result<Message> decode_whole(const Slice& body, std::int16_t version) {
  Decoder in{body};
  return decode_message<Message>(in, version, true);
}

template <class Message>
Result<Message> decode_part(Reader& from, std::int16_t version) {
  Decoder in{from.rest()};
  auto message = decode_message<Message>(in, version, false);
  if (message) {
    from.skip(in.position());
  } else {
    from.fail();
  }
  return message;
}

}  // namespace arus::protocol
