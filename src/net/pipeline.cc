#include "net/pipeline.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "base/log.h"
#include "env/loop.h"

namespace arus::net {
namespace {

const LogComponent pipeline_log{"net.pipeline"};
constexpr auto api_versions_key = static_cast<std::int16_t>(protocol::ApiKey::api_versions);

// An ApiVersions request of a version from the future gets error 35 and the range of ApiVersions
// itself, in the form of version 0, which everyone can read (KIP-511).
Answer refuse_version(std::int32_t correlation_id, protocol::VersionRange own) {
  Writer out(32);
  out.i32(correlation_id);
  out.i16(static_cast<std::int16_t>(ErrorCode::unsupported_version));
  out.i32(1);
  out.i16(api_versions_key);
  out.i16(own.min);
  out.i16(own.max);
  return {.bytes = protocol::make_frame(std::move(out))};
}

Answer hang_up(const Peer& peer, const std::string& why) {
  pipeline_log.info("closing connection from {}: {}", peer.remote.host, why);
  return {.bytes = {}, .close = true};
}

}  // namespace

HandlerTable::HandlerTable(const std::vector<const Handler*>& handlers) : all_(handlers) {
  std::ranges::sort(all_, {}, [](const Handler* handler) { return handler->key(); });
  for (const Handler* const handler : all_) {
    const auto key = static_cast<std::size_t>(handler->key());
    if (key >= by_key_.size()) by_key_.resize(key + 1);
    ARUS_ASSERT(by_key_[key] == nullptr);
    by_key_[key] = handler;
  }
}

const Handler* HandlerTable::find(std::int16_t key) const {
  const auto index = static_cast<std::size_t>(key);
  return key < 0 || index >= by_key_.size() ? nullptr : by_key_[index];
}

Pipeline::Pipeline(const std::vector<const Handler*>& handlers, const AccessRules& rules,
                   metrics::Registry& registry)
    : handlers_(handlers), rules_(rules) {
  for (const Handler* const handler : handlers_.all()) {
    const auto key = static_cast<std::size_t>(handler->key());
    if (key >= metrics_.size()) metrics_.resize(key + 1);
    const std::string name{protocol::api_info(handler->key())->name};
    metrics_[key].requests =
        &registry.counter("arus_requests_total", "Requests handled.", {{"api", name}});
    metrics_[key].durations =
        &registry.histogram("arus_request_duration_seconds",
                            "From a request's arrival to its answer.", {{"api", name}});
  }
}

env::Task<Answer> Pipeline::serve(Slice frame, std::shared_ptr<Peer> peer) {
  const auto kind = protocol::peek_request(frame.view());
  if (!kind) co_return hang_up(*peer, "a frame is too short for a request");
  const Handler* const handler = handlers_.find(kind->api_key);
  if (handler == nullptr) {
    co_return hang_up(*peer, fmt::format("API {} is not served", kind->api_key));
  }
  if (!handler->takes(kind->version)) {
    if (kind->api_key == api_versions_key) {
      co_return refuse_version(kind->correlation_id, handler->advertised());
    }
    co_return hang_up(*peer, fmt::format("API {} has no version {}", kind->api_key, kind->version));
  }
  auto head = protocol::read_request_head(frame.view());
  if (!head) co_return hang_up(*peer, head.error().message);
  const env::TimePoint received = env::Loop::current()->now();
  Call call{.frame = std::move(frame),
            .body_at = head->size_bytes,
            .api_key = head->api_key,
            .version = head->version,
            .correlation_id = head->correlation_id,
            .client_id = std::move(head->client_id),
            .peer = std::move(peer),
            .rules = &rules_,
            .handlers = &handlers_,
            .received = received};
  Answer answer = co_await handler->serve(std::move(call));
  const ApiMetrics& numbers = metrics_[static_cast<std::size_t>(handler->key())];
  numbers.requests->add();
  numbers.durations->observe_us(
      std::chrono::duration_cast<env::microseconds>(env::Loop::current()->now() - received)
          .count());
  co_return answer;
}

}  // namespace arus::net
