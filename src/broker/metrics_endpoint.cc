#include "broker/metrics_endpoint.h"

#include <fmt/core.h>

#include <string>
#include <utility>

namespace arus::broker {
namespace {

// Closes a socket whose peer takes too long.
class Patience final : public env::Timer {
 public:
  Patience(env::Socket& socket, env::Duration duration) : socket_(socket) {
    env::Loop& loop = *env::Loop::current();
    loop.arm(*this, loop.now() + duration);
  }
  void fire() override { socket_.close(); }

 private:
  env::Socket& socket_;
};

std::string response(std::string_view status, std::string_view body) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
      "Content-Length: {}\r\nConnection: close\r\n\r\n{}",
      status, body.size(), body);
}

}  // namespace

MetricsEndpoint::MetricsEndpoint(std::unique_ptr<env::Listener> listener,
                                 const metrics::Registry& registry)
    : listener_(std::move(listener)), registry_(registry) {}

env::Task<void> MetricsEndpoint::run() {
  while (!closed_) {
    auto socket = co_await listener_->accept(*env::Loop::current());
    if (closed_) break;
    if (!socket) {
      co_await env::sleep_for(env::milliseconds(100));
      continue;
    }
    if (scrapes_.running() >= max_scrapes) {
      (*socket)->close();
      continue;
    }
    env::spawn(scrapes_, answer(std::move(*socket)));
  }
  co_await scrapes_.close();
}

void MetricsEndpoint::close() {
  closed_ = true;
  listener_->close();
}

env::Task<void> MetricsEndpoint::answer(std::unique_ptr<env::Socket> socket) {
  const Patience patience_timer(*socket, patience);
  std::string head;
  while (!head.contains("\r\n\r\n") && head.size() < max_head_bytes) {
    std::uint8_t buffer[1024];
    const auto count = co_await socket->read_some(buffer);
    if (!count || *count == 0) break;
    head.append(as_text({buffer, *count}));
  }
  std::string text;
  if (head.starts_with("GET /metrics ") || head.starts_with("GET /metrics?")) {
    text = response("200 OK", registry_.prometheus_text());
  } else if (head.starts_with("GET ")) {
    text = response("404 Not Found", "The metrics are at /metrics.\n");
  } else {
    text = response("400 Bad Request", "");
  }
  const ByteView piece = as_bytes(text);
  static_cast<void>(co_await socket->write({&piece, 1}));
  socket->close();
}

}  // namespace arus::broker
