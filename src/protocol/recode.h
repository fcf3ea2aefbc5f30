// What the catalog does with a message: for the generated sources.
#pragma once

#include "protocol/catalog.h"
#include "protocol/print.h"
#include "protocol/wire.h"

namespace arus::protocol {

template <class Message>
Result<Recoded> recode(const Slice& body, std::int16_t version) {
  const Result<Message> message = Message::decode(body, version);
  if (!message) return fail(message.error());
  ARUS_TRY(message->check(version));
  Writer out;
  message->encode(out, version);
  Recoded recoded;
  recoded.exact_size = out.size() == message->encoded_size(version);
  recoded.bytes = out.take_bytes();
  const Result<Message> again = Message::decode(Slice::unowned(recoded.bytes), version);
  recoded.reads_as_equal = again && *again == *message;
  return recoded;
}

template <class Message>
Result<std::string> json_of(const Slice& body, std::int16_t version) {
  const Result<Message> message = Message::decode(body, version);
  if (!message) return fail(message.error());
  return to_json(*message, version);
}

}  // namespace arus::protocol
