#include "protocol/header.h"

namespace arus::protocol {

std::int16_t request_header_version(const ApiInfo& api, std::int16_t version) {
  return version >= api.first_flexible_version ? 2 : 1;
}

std::int16_t response_header_version(const ApiInfo& api, std::int16_t version) {
  if (api.key == ApiKey::api_versions) return 0;
  return version >= api.first_flexible_version ? 1 : 0;
}

std::optional<RequestKind> peek_request(ByteView frame) {
  Reader in{frame};
  RequestKind kind;
  kind.api_key = in.i16();
  kind.version = in.i16();
  kind.correlation_id = in.i32();
  if (!in.ok()) return std::nullopt;
  return kind;
}

Result<RequestHead> read_request_head(ByteView frame) {
  Decoder in{frame};
  RequestHead head;
  head.api_key = in.i16();
  head.version = in.i16();
  head.correlation_id = in.i32();
  if (!in.ok()) return fail(ErrorCode::invalid_request, "a request header is cut short");
  const ApiInfo* const api = api_info(head.api_key);
  if (api == nullptr) {
    return fail(ErrorCode::unsupported_version,
                "there is no API with the number " + std::to_string(head.api_key));
  }
  in.read(head.client_id, true);
  if (request_header_version(*api, head.version) >= 2) {
    in.set_flexible(true);
    UnknownTags tags;
    in.read_tags(tags);
  }
  if (!in.ok()) return fail(ErrorCode::invalid_request, "a request header is damaged");
  head.size_bytes = in.position();
  return head;
}

void write_request_head(Writer& out, std::int16_t api_key, std::int16_t version,
                        std::int32_t correlation_id, const std::optional<std::string>& client_id) {
  out.i16(api_key);
  out.i16(version);
  out.i32(correlation_id);
  Encoder{out, false}.put(client_id, true);
  if (request_header_version(*api_info(api_key), version) >= 2) out.uvarint(0);
}

void write_response_head(Writer& out, std::int16_t header_version, std::int32_t correlation_id) {
  out.i32(correlation_id);
  if (header_version >= 1) out.uvarint(0);
}

}  // namespace arus::protocol
