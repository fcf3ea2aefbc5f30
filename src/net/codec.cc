#include "net/codec.h"

#include "base/log.h"

namespace arus::net {
namespace {

const LogComponent codec_log{"net.pipeline"};

}  // namespace

void begin_answer(Writer& out, const Call& call) {
  const protocol::ApiInfo& api = *protocol::api_info(call.api_key);
  protocol::write_response_head(out, protocol::response_header_version(api, call.version),
                                call.correlation_id);
}

Answer close_because(const Call& call, const Error& error) {
  codec_log.info("closing connection from {}: {}", call.peer->remote.host, error.message);
  return {.bytes = {}, .close = true};
}

}  // namespace arus::net
