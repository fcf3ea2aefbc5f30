// A request and the place for its answer, for code that need not know their types.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "base/writer.h"

namespace arus::client {

// Everything between a call and the wire is compiled once and not for each API. Both messages
// belong to the caller, who awaits the answer before letting go of them.
struct Question {
  std::int16_t api_key = -1;
  std::int16_t lowest = 0;  // the versions that may be spoken
  std::int16_t highest = 0;
  const void* request = nullptr;
  void* answer = nullptr;
  // The body in that version, behind what stands in `out`; fails where the version cannot say it.
  Result<> (*encode)(const void* request, Writer& out, std::int16_t version) = nullptr;
  Result<> (*decode)(void* answer, const Slice& body, std::int16_t version) = nullptr;
};

template <class Request>
Result<> encode_request(const void* request, Writer& out, std::int16_t version) {
  const auto& message = *static_cast<const Request*>(request);
  ARUS_TRY(message.check(version));
  message.encode(out, version);
  return {};
}

template <class Response>
Result<> decode_response(void* answer, const Slice& body, std::int16_t version) {
  auto decoded = Response::decode(body, version);
  if (!decoded) return fail(std::move(decoded).error());
  static_cast<std::optional<Response>*>(answer)->emplace(std::move(*decoded));
  return {};
}

template <class Request>
Question question(const Request& request, std::optional<typename Request::Response>& answer,
                  std::int16_t highest) {
  return {.api_key = Request::api_key,
          .lowest = Request::min_version,
          .highest = highest < Request::max_version ? highest : Request::max_version,
          .request = &request,
          .answer = &answer,
          .encode = &encode_request<Request>,
          .decode = &decode_response<typename Request::Response>};
}

}  // namespace arus::client
