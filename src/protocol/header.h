// Request and response headers (KIP-482): which version, and what is in them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/writer.h"
#include "protocol/api_key.h"
#include "protocol/wire.h"

namespace arus::protocol {

// A request of a flexible version has header version 2, any other has 1.
[[nodiscard]] std::int16_t request_header_version(const ApiInfo& api, std::int16_t version);
// A response of a flexible version has header version 1, any other 0; ApiVersions always 0, so that
// a client can read it before it knows anything (KIP-511).
[[nodiscard]] std::int16_t response_header_version(const ApiInfo& api, std::int16_t version);

// What stands before the body of a request. The client id keeps the old encoding in all versions.
struct RequestHead {
  std::int16_t api_key = 0;
  std::int16_t version = 0;
  std::int32_t correlation_id = 0;
  std::optional<std::string> client_id;
  std::size_t size_bytes = 0;  // of the header itself: the body begins there
};

// The two numbers that say how to read the rest; nothing when the frame is shorter than those.
struct RequestKind {
  std::int16_t api_key = 0;
  std::int16_t version = 0;
  std::int32_t correlation_id = 0;
};
[[nodiscard]] std::optional<RequestKind> peek_request(ByteView frame);

// Reads the header of a request frame (without its length). INVALID_REQUEST when it is cut short or
// damaged; the API and version must be ones the schema knows, else UNSUPPORTED_VERSION.
[[nodiscard]] Result<RequestHead> read_request_head(ByteView frame);
void write_request_head(Writer& out, std::int16_t api_key, std::int16_t version,
                        std::int32_t correlation_id, const std::optional<std::string>& client_id);
void write_response_head(Writer& out, std::int16_t header_version, std::int32_t correlation_id);

}  // namespace arus::protocol
