// Between frames and messages.
#pragma once

#include <cstdint>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "net/answer.h"
#include "net/context.h"
#include "protocol/api_key.h"
#include "protocol/frame.h"
#include "protocol/header.h"
#include "protocol/wire.h"

namespace arus::net {

template <class Request>
using ResponseOf = typename Request::Response;

// The body of a request. Records in it are slices of the frame. Bytes behind the last field are
// ignored, as Kafka does.
template <class Request>
Result<Request> decode_body(const Call& call) {
  const Slice body = call.frame.sub(call.body_at, call.frame.size() - call.body_at);
  protocol::Decoder in{body};
  return protocol::decode_message<Request>(in, call.version, false);
}

// What stands before every body of an answer.
void begin_answer(Writer& out, const Call& call);
// A request that cannot be decoded, or an answer that its version cannot carry, ends the
// connection.
Answer close_because(const Call& call, const Error& error);

template <class Response>
Answer encode_answer(const Call& call, const Response& response) {
  if (const auto carried = response.check(call.version); !carried) {
    return close_because(call, carried.error());
  }
  Writer out(128);
  begin_answer(out, call);
  response.encode(out, call.version);
  return {.bytes = protocol::make_frame(std::move(out))};
}

}  // namespace arus::net
