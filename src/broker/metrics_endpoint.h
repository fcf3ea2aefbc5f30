// GET /metrics for Prometheus.
#pragma once

#include <memory>

#include "env/environment.h"
#include "metrics/metrics.h"

namespace arus::broker {

// A responder for one page: it reads a request's head, answers once and closes. At most
// `max_scrapes` at a time, each for a few seconds. Owner: the loop of its listener.
class MetricsEndpoint {
 public:
  static constexpr std::size_t max_scrapes = 8;
  static constexpr std::size_t max_head_bytes = 8 * 1024;
  static constexpr env::Duration patience = env::seconds(5);

  MetricsEndpoint(std::unique_ptr<env::Listener> listener, const metrics::Registry& registry);

  // Until close(), and until the last scrape has ended.
  env::Task<void> run();
  void close();

 private:
  env::Task<void> answer(std::unique_ptr<env::Socket> socket);

  std::unique_ptr<env::Listener> listener_;
  const metrics::Registry& registry_;
  bool closed_ = false;
  env::Gate scrapes_;
};

}  // namespace arus::broker
