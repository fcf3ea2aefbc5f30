#include "net/acceptor.h"

#include <cerrno>
#include <utility>

#include "base/log.h"

namespace arus::net {
namespace {

const LogComponent acceptor_log{"net.acceptor"};
constexpr env::Duration pause_without_descriptors = env::milliseconds(100);

}  // namespace

std::int64_t ConnectionCount::of(const std::string& host) const {
  const auto found = by_host_.find(host);
  return found == by_host_.end() ? 0 : found->second;
}

void ConnectionCount::add(const std::string& host) {
  ++total_;
  ++by_host_[host];
}

void ConnectionCount::remove(const std::string& host) {
  --total_;
  const auto found = by_host_.find(host);
  ARUS_ASSERT(found != by_host_.end());
  if (--found->second == 0) by_host_.erase(found);
  ended_.notify_all();
}

Acceptor::Acceptor(std::string name, std::unique_ptr<env::Listener> listener,
                   std::vector<ConnectionSet*> sets, FrameService& service, ConnectionCount& count,
                   const ConnectionLimits& limits)
    : name_(std::move(name)),
      listener_(std::move(listener)),
      sets_(std::move(sets)),
      service_(service),
      count_(count),
      limits_(limits),
      loop_(*env::Loop::current()) {
  ARUS_ASSERT(!sets_.empty());
}

env::Task<void> Acceptor::run() {
  while (!closed_) {
    if (count_.total() >= limits_.max_connections) {
      co_await count_.ended().wait_until(loop_.now() + env::seconds(1));
      continue;
    }
    ConnectionSet& set = *sets_[next_set_++ % sets_.size()];
    auto socket = co_await listener_->accept(set.loop());
    if (closed_) break;
    if (!socket) {
      const int os_error = socket.error().os_error;
      if (os_error == EMFILE || os_error == ENFILE || os_error == ENOMEM || os_error == ENOBUFS) {
        acceptor_log.warning("listener {}: {}; accepting pauses", name_, socket.error().message);
        co_await env::sleep_for(pause_without_descriptors);
      } else {
        acceptor_log.debug("listener {}: {}", name_, socket.error().message);
        co_await env::yield();
      }
      continue;
    }
    if (count_.of((*socket)->remote().host) >= limits_.max_connections_per_ip) {
      set.metrics().connections_refused.add();
      // The socket belongs to the loop it was accepted for.
      set.loop().post([refused = std::move(*socket)] { refused->close(); });
      continue;
    }
    hand_over(std::move(*socket), set);
  }
}

void Acceptor::hand_over(std::unique_ptr<env::Socket> socket, ConnectionSet& set) {
  const std::string host = socket->remote().host;
  count_.add(host);
  env::Work ended = [&loop = loop_, &count = count_, host] {
    // On the connection's loop; the count belongs to the acceptor's.
    loop.post([&count, host] { count.remove(host); });
  };
  if (set.loop().is_current()) {
    set.adopt(std::move(socket), name_, service_, std::move(ended));
    return;
  }
  set.loop().post([&set, name = name_, &service = service_, socket = std::move(socket),
                   ended = std::move(ended)]() mutable {
    set.adopt(std::move(socket), std::move(name), service, std::move(ended));
  });
}

void Acceptor::close() {
  if (closed_) return;
  closed_ = true;
  listener_->close();
  count_.ended().notify_all();
}

}  // namespace arus::net
