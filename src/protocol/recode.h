// Decoding a message and encoding it again, for tests and fuzzing.
#pragma once

#include "protocol/catalog.h"
#include "protocol/wire.h"

namespace arus::protocol {

template <class Message>
Result<Recoded> recode(const Slice& body, std::int16_t version) {
  auto message = Message::decode(body, version);
  if (!message) return fail(std::move(message).error());
  ARUS_TRY(message->check(version));
  Writer out;
  message->encode(out, version);
  Recoded recoded;
  recoded.exact_size = out.size() == message->encoded_size(version);
  recoded.bytes = out.take_bytes();
  const Message copy = *message;
  recoded.equal_to_copy = copy == *message;
  return recoded;
}

}  // namespace arus::protocol
