// A server under measurement: started, watched through /proc, stopped.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace arus::benchmark {

// Owner of one server process and its data directory. Stops the one and removes the other.
class ServerProcess {
 public:
  // `options` follow `serve --data DIR --listen 127.0.0.1:PORT`.
  ServerProcess(const std::string& binary, std::string data,
                const std::vector<std::string>& options);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Starts it and waits until it answers an ApiVersions request; gives the time that took, in s.
  double start();
  void stop();  // SIGTERM; waits
  void kill();  // SIGKILL; waits
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] pid_t pid() const { return pid_; }

  // User and system time so far, in s.
  [[nodiscard]] double cpu_s() const;
  // RssAnon, in bytes.
  [[nodiscard]] std::int64_t anonymous_bytes() const;

 protected:
  explicit ServerProcess(std::string data);
  std::vector<std::string> command_;  // the program and its arguments

 private:
  std::string data_;
  int port_;
  pid_t pid_ = -1;
};

// Apache Kafka from the jars in `folder`/libs, on a fresh directory; needs java on the path.
class KafkaProcess final : public ServerProcess {
 public:
  // `settings` are lines of server.properties.
  KafkaProcess(const std::string& folder, const std::string& data,
               const std::vector<std::string>& settings);
};

// A free port of loopback below 32768.
int free_port();
// A connected socket that has been answered one ApiVersions request, or −1.
int greeted_connection(int port);
// Sends one ApiVersions request (version 0) and reads its answer; false when the peer is not there.
bool ask_api_versions(int descriptor);
double now_s();
void sleep_s(double seconds);
// Until `when` on the clock of now_s(), to some microseconds. It never spins: the processor is the
// server's.
void sleep_until(double when);
// Makes the guest touch `bytes` of page cache and gives it back, so that no round pays for memory
// that is used for the first time.
void recycle_memory(const std::string& directory, std::int64_t bytes);

}  // namespace arus::benchmark
