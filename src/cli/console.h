// Where a command writes, and how it runs against a cluster.
#pragma once

#include <fmt/core.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "client/cluster.h"
#include "env/environment.h"

namespace arus::cli {

// The standard streams of a command; in tests, strings. Output is collected and leaves when it is
// large or when flush() is called; errors leave at once, after the output before them. A closed
// pipe makes broken() true: who reads no more is not written to.
class Console {
 public:
  static constexpr std::size_t buffer_bytes = 64 * 1024;

  // Writes to descriptors 1 and 2.
  Console() = default;
  // Collects into strings, for tests.
  Console(std::string& out, std::string& err) : captured_out_(&out), captured_err_(&err) {}
  ~Console() { flush(); }
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  void out(std::string_view text);
  void err(std::string_view text);
  template <class... Args>
  void print(fmt::format_string<Args...> format, Args&&... args) {
    out(fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void print_error(fmt::format_string<Args...> format, Args&&... args) {
    err(fmt::format(format, std::forward<Args>(args)...));
  }
  void flush();
  [[nodiscard]] bool broken() const { return broken_; }
  [[nodiscard]] bool in_is_terminal() const;
  [[nodiscard]] bool out_is_terminal() const;
  [[nodiscard]] bool err_is_terminal() const;

 private:
  void write(int descriptor, std::string_view text);

  std::string buffer_;
  std::string* captured_out_ = nullptr;
  std::string* captured_err_ = nullptr;
  bool broken_ = false;
};

// A machine to run on and a cluster to speak to, for the time of one command.
struct Session {
  env::RealEnvironment& environment;
  client::Cluster& cluster;
  // Set by SIGINT and SIGTERM; the first one also notifies `stop`.
  bool& stopping;
  env::Event& stop;
};

// Turns SIGINT and SIGTERM into `stopping` and `stop`, which the environment keeps alive.
struct StopSignal {
  explicit StopSignal(env::RealEnvironment& environment);
  std::shared_ptr<bool> stopping = std::make_shared<bool>(false);
  std::shared_ptr<env::Event> event = std::make_shared<env::Event>();
};

template <class... Values>
env::Task<int> run_with_cluster(env::RealEnvironment& environment,
                                const client::ClientOptions& options,
                                env::Task<int> (*body)(Session, Values...),
                                std::type_identity_t<Values>... values) {
  client::Cluster cluster{environment, options};
  const StopSignal signal{environment};
  const int status =
      co_await body(Session{environment, cluster, *signal.stopping, *signal.event}, values...);
  co_await cluster.close();
  co_return status;
}

// Runs `body` on loop 0 of a fresh machine with a cluster of these options, closes the cluster and
// gives the body's exit status. The values are references that outlive the call.
template <class... Values>
int run_session(const client::ClientOptions& options, env::Task<int> (*body)(Session, Values...),
                std::type_identity_t<Values>... values) {
  auto environment = env::make_real_environment({});
  return env::run_until_done(*environment,
                             run_with_cluster<Values...>(*environment, options, body, values...));
}

// The same without a cluster.
template <class... Values>
int run_alone(env::Task<int> (*body)(env::RealEnvironment&, Values...),
              std::type_identity_t<Values>... values) {
  auto environment = env::make_real_environment({});
  return env::run_until_done(*environment, body(*environment, values...));
}

// Reads whole lines of a descriptor on a worker, so that the loop goes on meanwhile. Lines end with
// '\n' or "\r\n", which are cut; the last may have no end.
class LineInput {
 public:
  static constexpr std::size_t chunk_bytes = 64 * 1024;
  static constexpr std::size_t max_line_bytes = std::size_t{256} << 20;

  LineInput(env::Environment& environment, int descriptor, const bool& stopping);
  // Some lines, at least one; none at the end, or when `stopping` has become true.
  env::Task<Result<std::vector<std::string>>> next();

 private:
  Result<std::vector<std::string>> read_lines();

  std::unique_ptr<env::Worker> worker_;
  int descriptor_;
  const bool& stopping_;
  std::string rest_;
  bool ended_ = false;
};

}  // namespace arus::cli
