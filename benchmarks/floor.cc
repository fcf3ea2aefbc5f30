#include "benchmarks/floor.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "benchmarks/process.h"

namespace arus::benchmark {
namespace {

// A pair of TCP sockets over loopback.
struct Pair {
  int near = -1;
  int far = -1;
};

Pair connected_pair() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address);
  ::listen(listener, 1);
  socklen_t length = sizeof address;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  Pair pair;
  pair.near = ::socket(AF_INET, SOCK_STREAM, 0);
  ::connect(pair.near, reinterpret_cast<sockaddr*>(&address), sizeof address);
  pair.far = ::accept(listener, nullptr, nullptr);
  const int one = 1;
  ::setsockopt(pair.near, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::setsockopt(pair.far, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::close(listener);
  return pair;
}

bool transfer(int descriptor, std::uint8_t* bytes, std::size_t count, bool sending) {
  while (count > 0) {
    const ssize_t done =
        sending ? ::write(descriptor, bytes, count) : ::read(descriptor, bytes, count);
    if (done <= 0) return false;
    bytes += done;
    count -= static_cast<std::size_t>(done);
  }
  return true;
}

// Runs `measured` in a child process while `other` runs here; gives the child's CPU time in s.
double child_cpu_s(const std::function<void()>& measured, const std::function<void()>& other) {
  const pid_t child = ::fork();
  if (child == 0) {
    measured();
    std::_Exit(0);
  }
  other();
  int status = 0;
  rusage usage{};
  ::wait4(child, &status, 0, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

double receive_crc_write_cpu_s(const std::string& directory, std::int64_t bytes,
                               std::int64_t frame_bytes) {
  const std::string path = directory + "/floor";
  const Pair pair = connected_pair();
  Bytes frame(static_cast<std::size_t>(frame_bytes), 0x5a);
  const std::int64_t frames = bytes / frame_bytes;
  const double cpu = child_cpu_s(
      [&] {
        ::close(pair.near);
        const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
        std::uint32_t sum = 0;
        for (std::int64_t i = 0; i < frames; ++i) {
          if (!transfer(pair.far, frame.data(), frame.size(), false)) std::_Exit(1);
          sum ^= crc32c(frame);
          if (::write(file, frame.data(), frame.size()) < 0) std::_Exit(1);
        }
        if (sum == 1) std::_Exit(2);  // keeps the sum alive
      },
      [&] {
        ::close(pair.far);
        for (std::int64_t i = 0; i < frames; ++i) {
          if (!transfer(pair.near, frame.data(), frame.size(), true)) break;
        }
      });
  ::close(pair.near);
  ::close(pair.far);
  ::unlink(path.c_str());
  return cpu;
}

namespace {

constexpr std::size_t block_bytes = 1 << 20;

void drain(int descriptor) {
  Bytes sink(block_bytes);
  while (::read(descriptor, sink.data(), sink.size()) > 0) {
  }
}

double stream_cpu_s(int file, std::int64_t bytes, bool by_sendfile) {
  const Pair pair = connected_pair();
  const double cpu = child_cpu_s(
      [&] {
        ::close(pair.far);
        Bytes block(block_bytes);
        off_t offset = 0;
        while (offset < bytes) {
          if (by_sendfile) {
            if (::sendfile(pair.near, file, &offset, block.size()) <= 0) std::_Exit(1);
            continue;
          }
          const ssize_t got = ::pread(file, block.data(), block.size(), offset);
          if (got <= 0) std::_Exit(1);
          if (!transfer(pair.near, block.data(), static_cast<std::size_t>(got), true)) {
            std::_Exit(1);
          }
          offset += got;
        }
      },
      [&] {
        ::close(pair.near);
        drain(pair.far);
      });
  ::close(pair.near);
  ::close(pair.far);
  return cpu;
}

// The reader asks for `asked` bytes at a time, and takes in `bytes_per_s` on the whole, at work all
// the time.
double answer_cpu_s(int file, std::int64_t bytes, std::size_t asked, double bytes_per_s) {
  const Pair pair = connected_pair();
  std::uint8_t request = 0;
  const double cpu = child_cpu_s(
      [&] {
        ::close(pair.far);
        off_t offset = 0;
        while (offset < bytes && ::read(pair.near, &request, 1) == 1) {
          const off_t end = std::min(offset + static_cast<off_t>(asked), static_cast<off_t>(bytes));
          while (offset < end) {
            const auto left = std::min(block_bytes, static_cast<std::size_t>(end - offset));
            if (::sendfile(pair.near, file, &offset, left) <= 0) std::_Exit(1);
          }
        }
      },
      [&] {
        ::close(pair.near);
        Bytes block(asked);
        const double began = now_s();
        double taken = 0;
        while (::send(pair.far, &request, 1, MSG_NOSIGNAL) == 1 &&
               transfer(pair.far, block.data(), block.size(), false)) {
          taken += static_cast<double>(asked);
          while (now_s() - began < taken / bytes_per_s) {
          }
        }
      });
  ::close(pair.near);
  ::close(pair.far);
  return cpu;
}

}  // namespace

SendFloor send_file_cpu_s(const std::string& directory, std::int64_t bytes, double bytes_per_s) {
  const std::string path = directory + "/floor";
  const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0600);
  const Bytes block(block_bytes, 0x5a);
  const std::int64_t blocks = bytes / std::ssize(block);
  for (std::int64_t i = 0; i < blocks; ++i) {
    if (::write(file, block.data(), block.size()) < 0) break;
  }
  const std::int64_t written = blocks * std::ssize(block);
  const SendFloor floor{
      .streamed_s = std::min(stream_cpu_s(file, written, true), stream_cpu_s(file, written, false)),
      .asked_s = answer_cpu_s(file, written, block_bytes, INFINITY),
      .at_pace_s = answer_cpu_s(file, written, 4 * block_bytes, bytes_per_s)};
  ::close(file);
  ::unlink(path.c_str());
  return floor;
}

namespace {

std::vector<double> sync_writes_s(const std::string& directory, std::size_t bytes, int count,
                                  bool written_before) {
  const std::string path = directory + "/floor";
  const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
  const Bytes block(bytes, 0x5a);
  if (written_before) {
    for (int i = 0; i < count; ++i) {
      if (::write(file, block.data(), block.size()) < 0) break;
    }
    ::fsync(file);
    ::lseek(file, 0, SEEK_SET);
  }
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    const double began = now_s();
    if (::write(file, block.data(), block.size()) < 0 || ::fdatasync(file) != 0) break;
    times.push_back(now_s() - began);
  }
  ::close(file);
  ::unlink(path.c_str());
  return times;
}

}  // namespace

std::vector<double> sync_times_s(const std::string& directory, std::size_t bytes, int count) {
  return sync_writes_s(directory, bytes, count, false);
}

std::vector<double> overwrite_sync_times_s(const std::string& directory, std::size_t bytes,
                                           int count) {
  return sync_writes_s(directory, bytes, count, true);
}

namespace {

// On the nth of these processors, or on any where there are fewer.
void stay_on(const cpu_set_t& allowed, int nth) {
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || nth-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ::sched_setaffinity(0, sizeof one, &one);
    return;
  }
}

}  // namespace

std::vector<double> echo_times_s(int count, bool apart) {
  const Pair pair = connected_pair();
  cpu_set_t before;
  ::sched_getaffinity(0, sizeof before, &before);
  const pid_t child = ::fork();
  if (apart) stay_on(before, child == 0 ? 1 : 0);
  if (child == 0) {
    ::close(pair.near);
    std::uint8_t bytes[14];
    while (transfer(pair.far, bytes, sizeof bytes, false)) {
      if (!transfer(pair.far, bytes, sizeof bytes, true)) break;
    }
    std::_Exit(0);
  }
  ::close(pair.far);
  std::vector<double> times;
  std::uint8_t bytes[14] = {};
  for (int i = 0; i < count; ++i) {
    const double began = now_s();
    if (!transfer(pair.near, bytes, sizeof bytes, true)) break;
    if (!transfer(pair.near, bytes, sizeof bytes, false)) break;
    times.push_back(now_s() - began);
  }
  ::close(pair.near);
  ::waitpid(child, nullptr, 0);
  ::sched_setaffinity(0, sizeof before, &before);
  return times;
}

}  // namespace arus::benchmark
