// Byte streams over TCP, or over the simulated network.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "env/file.h"
#include "env/task.h"

namespace arus::env {

struct Address {
  std::string host;  // an IP address in numbers, or a name to resolve
  std::uint16_t port = 0;
  friend bool operator==(const Address&, const Address&) = default;
  // "host:port"; an IPv6 address in brackets.
  [[nodiscard]] std::string to_string() const;
};

// One connection. Owner: the loop it was accepted or connected on. One reader and one writer at a
// time. Errors carry network_exception; after one the socket is of no more use.
class Socket {
 public:
  virtual ~Socket() = default;
  // Completes when there is something to read or the peer has closed, without a buffer.
  virtual Task<Result<>> wait_readable() = 0;
  // At least one byte, or 0 when the peer has closed its side.
  virtual Task<Result<std::size_t>> read_some(MutableByteView buffer) = 0;
  // What can be read at once without waiting; 0 bytes and os_error EAGAIN when nothing is there.
  virtual Result<std::size_t> try_read(MutableByteView buffer) = 0;
  // All pieces, in order. They must stay valid until it completes.
  virtual Task<Result<>> write(std::span<const ByteView> pieces) = 0;
  // The same for the head of something: the system may hold it back until the rest is written.
  virtual Task<Result<>> write_head(std::span<const ByteView> pieces) = 0;
  // `length` bytes of a file from `offset` on, by sendfile where the system has it. Waits for the
  // disk where they are not cached.
  virtual Task<Result<>> write_file(File& file, std::int64_t offset, std::int64_t length) = 0;
  // The peer reads to the end of what was written; reading goes on here.
  virtual void shutdown_write() = 0;
  // Pending reads and writes complete with an error.
  virtual void close() = 0;
  // Numeric hosts. IPv6 is written as Java writes it ("0:0:0:0:0:0:0:1"), which is what ACLs are
  // compared with; IPv4 over IPv6 is written as IPv4.
  [[nodiscard]] virtual const Address& local() const = 0;
  [[nodiscard]] virtual const Address& remote() const = 0;
};

class Listener {
 public:
  virtual ~Listener() = default;
  // The next connection, owned by `owner`, with TCP_NODELAY and keepalive set. Called on the
  // listener's own loop. Errors that pass (no descriptors left) carry os_error EMFILE or ENFILE.
  virtual Task<Result<std::unique_ptr<Socket>>> accept(class Loop& owner) = 0;
  virtual void close() = 0;
  [[nodiscard]] virtual const Address& local() const = 0;
};

}  // namespace arus::env
