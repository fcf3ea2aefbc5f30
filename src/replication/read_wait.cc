#include "replication/read_wait.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "env/event.h"

namespace arus::replication {
namespace {

// What wakes the fetch; on its own loop. Shared with messages that may come late.
class Wake final : public net::CloseWatch {
 public:
  void on_connection_closed() override { wake(); }
  void wake() {
    woken_ = true;
    event_.notify_all();
  }
  env::Task<void> wait(env::TimePoint deadline) {
    if (!woken_) co_await event_.wait_until(deadline);
  }

 private:
  bool woken_ = false;
  env::Event event_;
};

using WatchPointer = std::unique_ptr<ReadWatch>;

WatchPointer watch_here(LoopPartitions& partitions, const std::vector<ReadWatch::Seen>& seen,
                        std::int64_t missing_bytes, env::Loop& home,
                        const std::shared_ptr<Wake>& wake) {
  return std::make_unique<ReadWatch>(partitions, seen, missing_bytes, [wake, &home] {
    if (home.is_current()) {
      wake->wake();
    } else {
      home.post([wake] { wake->wake(); });
    }
  });
}

}  // namespace

env::Task<void> wait_for_more(PartitionTable& table, std::vector<Awaited> awaited,
                              std::int64_t missing_bytes, env::TimePoint deadline,
                              net::CloseWatchList& client) {
  env::Loop& home = *env::Loop::current();
  const auto wake = std::make_shared<Wake>();
  client.add(*wake);
  std::vector<std::vector<ReadWatch::Seen>> parts(table.loop_count());
  for (const auto& one : awaited) parts[one.loop].push_back(one.seen);
  const auto busy = std::ranges::count_if(parts, [](const auto& part) { return !part.empty(); });
  // Each loop sees only its part of the growth.
  const std::int64_t share = std::max<std::int64_t>(missing_bytes / std::max<long>(busy, 1), 1);
  std::vector<WatchPointer> watches(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty()) continue;
    LoopPartitions* const partitions = &table.on(i);
    watches[i] = co_await env::call(partitions->loop(), [&, partitions] {
      return watch_here(*partitions, parts[i], share, home, wake);
    });
  }
  co_await wake->wait(deadline);
  for (std::size_t i = 0; i < watches.size(); ++i) {
    if (!watches[i]) continue;
    env::Loop& loop = table.on(i).loop();
    if (loop.is_current()) {
      watches[i].reset();
    } else {
      // A watch is taken off where its partitions live.
      loop.post([watch = std::move(watches[i])]() mutable { watch.reset(); });
    }
  }
}

}  // namespace arus::replication
