// The real environment: loops, workers, files and sockets of this machine.
#include "env/environment.h"

#include <malloc.h>
#include <sys/random.h>
#include <sys/resource.h>

#include <cerrno>
#include <csignal>
#include <thread>

#include "base/log.h"
#include "env/real/file.h"
#include "env/real/loop.h"
#include "env/real/socket.h"
#include "env/real/worker.h"

namespace arus::env {

namespace {

const LogComponent log_to("env.environment");

class RealClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] std::int64_t wall_ms() const override {
    const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<milliseconds>(since_1970).count();
  }
};

class RealRandom final : public Random {
 public:
  void fill(MutableByteView bytes) override {
    while (!bytes.empty()) {
      const ::ssize_t count = ::getrandom(bytes.data(), bytes.size(), 0);
      ARUS_ASSERT(count > 0 || errno == EINTR);
      if (count > 0) bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }
};

class Machine final : public RealEnvironment {
 public:
  explicit Machine(const RealOptions& options) : pool_("pool", options.pool_threads) {
    ARUS_ASSERT(options.loops > 0);
    for (std::size_t i = 0; i < options.loops; ++i) {
      loops_.push_back(std::make_unique<RealLoop>(i));
    }
  }
  // The signals' handlers end before the loop that they run on.
  ~Machine() override { signals_.reset(); }

  Clock& clock() override { return clock_; }
  FileSystem& files() override { return files_; }
  Random& random() override { return random_; }
  Pool& pool() override { return pool_; }
  [[nodiscard]] std::size_t loop_count() const override { return loops_.size(); }
  Loop& loop(std::size_t index) override { return *loops_.at(index); }
  std::unique_ptr<Worker> make_worker(std::string name) override {
    return std::make_unique<RealWorker>(std::move(name));
  }
  std::unique_ptr<Pool> make_pool(std::string name, std::size_t threads) override {
    return std::make_unique<RealPool>(name, threads);
  }
  Result<std::unique_ptr<Listener>> listen(Loop& owner, const Address& address,
                                           int backlog) override {
    return listen_on(static_cast<RealLoop&>(owner), address, backlog);
  }
  [[clang::coro_wrapper]] Task<Result<std::unique_ptr<Socket>>> connect(
      Address address, TimePoint deadline) override {
    return connect_to(pool_, std::move(address), deadline);
  }

  void run() override {
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < loops_.size(); ++i) {
      threads.emplace_back([this, i] {
        name_this_thread("loop-" + std::to_string(i));
        loops_[i]->run();
      });
    }
    loops_[0]->run();
    for (std::thread& thread : threads) thread.join();
  }
  void stop() override {
    for (const auto& loop : loops_) loop->stop();
  }
  void on_stop_signal(Work handler) override {
    stop_handler_ = std::move(handler);
    signals_ = std::make_unique<asio::signal_set>(loops_[0]->io(), SIGINT, SIGTERM, SIGHUP);
    wait_for_signal();
  }

 private:
  void wait_for_signal() {
    signals_->async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      if (signal == SIGHUP) {
        log_to.info("ignored SIGHUP");
      } else {
        log_to.info("received {}", signal == SIGINT ? "SIGINT" : "SIGTERM");
        loops_[0]->post([this] { stop_handler_(); }, Priority::control);
      }
      wait_for_signal();
    });
  }

  RealClock clock_;
  RealFileSystem files_;
  RealRandom random_;
  std::vector<std::unique_ptr<RealLoop>> loops_;
  RealPool pool_;  // ends before the loops that its work posts to
  Work stop_handler_;
  std::unique_ptr<asio::signal_set> signals_;
};

// Requests and answers of a megabyte come and go all the time. By itself malloc gives such memory
// back to the system as soon as it is free, and the system clears each page of it again for the
// next one: 256 page faults for every megabyte. What is larger than the first figure still goes
// back at once, and so does the heap's end when more than the second is free.
void keep_freed_memory() {
  constexpr int own_mapping_from_bytes = 4 << 20;
  constexpr int free_end_up_to_bytes = 8 << 20;
  ::mallopt(M_MMAP_THRESHOLD, own_mapping_from_bytes);
  ::mallopt(M_TRIM_THRESHOLD, free_end_up_to_bytes);
}

}  // namespace

std::unique_ptr<RealEnvironment> make_real_environment(const RealOptions& options) {
  keep_freed_memory();
  // A peer that is gone is an error of the write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  return std::make_unique<Machine>(options);
}

std::size_t raise_descriptor_limit() {
  ::rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur < limit.rlim_max) {
    const ::rlim_t before = std::exchange(limit.rlim_cur, limit.rlim_max);
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  }
  return limit.rlim_cur;
}

}  // namespace arus::env
