// Env: all that the operating system does for a node, real or simulated.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "env/event.h"
#include "env/file.h"
#include "env/loop.h"
#include "env/socket.h"
#include "env/time.h"
#include "env/worker.h"

namespace arus::env {

// Seeded in the simulation. Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(MutableByteView bytes) = 0;
  std::uint64_t next();
  std::uint64_t below(std::uint64_t bound);
};

// Everything a node asks of the outside. It outlives all loops' work.
class Environment {
 public:
  virtual ~Environment() = default;
  virtual Clock& clock() = 0;
  virtual FileSystem& files() = 0;
  virtual Random& random() = 0;
  virtual Pool& pool() = 0;
  [[nodiscard]] virtual std::size_t loop_count() const = 0;
  virtual Loop& loop(std::size_t index) = 0;
  virtual std::unique_ptr<Worker> make_worker(std::string name) = 0;
  // Another pool, for what must not wait behind the rest. It ends before the loops do.
  virtual std::unique_ptr<Pool> make_pool(std::string name, std::size_t threads) = 0;
  // Binds and listens at once; accepting goes on `owner`. Port 0 is any free one. An empty host or
  // "::" takes IPv4 too. A name is resolved at once, which may block: for the start of a node.
  virtual Result<std::unique_ptr<Listener>> listen(Loop& owner, const Address& address,
                                                   int backlog) = 0;
  // Resolves and connects; the socket belongs to the current loop.
  virtual Task<Result<std::unique_ptr<Socket>>> connect(Address address, TimePoint deadline) = 0;
};

struct RealOptions {
  std::size_t loops = 1;
  std::size_t pool_threads = 2;
};

// The machine. Loops run on threads of their own, but loop 0, which run() runs.
class RealEnvironment : public Environment {
 public:
  // Runs loop 0 on this thread, the others on theirs, until stop() was called.
  virtual void run() = 0;
  // Thread-safe.
  virtual void stop() = 0;
  // SIGINT and SIGTERM call `handler` on loop 0 instead of ending the process.
  virtual void on_stop_signal(Work handler) = 0;
};

// Ignores SIGPIPE for the whole process.
std::unique_ptr<RealEnvironment> make_real_environment(const RealOptions& options);

// Raises the soft limit of open descriptors to the hard one; gives the limit that holds now.
std::size_t raise_descriptor_limit();

namespace detail {
template <class T>
Detached run_and_stop(RealEnvironment& environment, Task<T> task, std::optional<T>& result) {
  result.emplace(co_await std::move(task));
  environment.stop();
}
inline Detached run_and_stop(RealEnvironment& environment, Task<void> task, bool& done) {
  co_await std::move(task);
  done = true;
  environment.stop();
}
}  // namespace detail

// Runs one task to its end on loop 0, for commands and tests. May be called again afterwards.
template <class T>
T run_until_done(RealEnvironment& environment, Task<T> task) {
  std::conditional_t<std::is_void_v<T>, bool, std::optional<T>> result{};
  environment.loop(0).post([&] { detail::run_and_stop(environment, std::move(task), result); });
  environment.run();
  ARUS_ASSERT(result);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace arus::env
