// The road of a request: header, version, decoding, authorization, handler, answer.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "metrics/metrics.h"
#include "net/handler.h"

namespace arus::net {

// The handlers of one listener by API number.
class HandlerTable {
 public:
  // The handlers outlive the table. No two have the same key.
  explicit HandlerTable(const std::vector<const Handler*>& handlers);
  // Null for an API that is not served.
  [[nodiscard]] const Handler* find(std::int16_t key) const;
  // In order of their numbers.
  [[nodiscard]] const std::vector<const Handler*>& all() const { return all_; }

 private:
  std::vector<const Handler*> by_key_;
  std::vector<const Handler*> all_;
};

// Frames in, answers out. What is no request, or asks for an API or version that is not served,
// ends the connection; only ApiVersions is answered in a version that its sender does not know.
// Immutable but for its counters; used by all loops.
class Pipeline final : public FrameService {
 public:
  Pipeline(const std::vector<const Handler*>& handlers, const AccessRules& rules,
           metrics::Registry& registry);
  env::Task<Answer> serve(Slice frame, std::shared_ptr<Peer> peer) override;
  [[nodiscard]] const HandlerTable& handlers() const { return handlers_; }

 private:
  struct ApiMetrics {
    metrics::Counter* requests = nullptr;
    metrics::Histogram* durations = nullptr;
  };

  HandlerTable handlers_;
  const AccessRules& rules_;
  std::vector<ApiMetrics> metrics_;  // by API number
};

}  // namespace arus::net
