// The limits of the network, each with a name. Sizes in bytes, times in milliseconds.
#pragma once

#include <cstddef>
#include <cstdint>

namespace arus::net {

// What a connection may claim before it has proven anything; larger frames grow as bytes arrive.
inline constexpr std::size_t unproven_frame_bytes = 256 * 1024;
// One loop's buffer for reading what is small or just begins.
inline constexpr std::size_t scratch_bytes = 64 * 1024;
// What one connection reads in one turn of its loop before others go on.
inline constexpr std::size_t read_turn_bytes = 1024 * 1024;
// Requests of one connection that may be under way at once.
inline constexpr std::size_t max_requests_in_flight = 128;
// Answers that a connection may owe before nothing more is read from it.
inline constexpr std::size_t max_unsent_answer_bytes = 4 * 1024 * 1024;
// What is handed to the socket at once; a deadline holds for each such part.
inline constexpr std::size_t write_part_bytes = 256 * 1024;
inline constexpr std::size_t write_part_pieces = 64;
// The same of a file, which the system sends by itself.
inline constexpr std::size_t write_file_part_bytes = 1024 * 1024;
// The smallest request: key, version, correlation id.
inline constexpr std::size_t min_frame_bytes = 8;

static_assert(read_turn_bytes >= scratch_bytes);
static_assert(max_unsent_answer_bytes >= write_part_bytes);

// What an installation may change; the defaults are Kafka's where Kafka has the key.
struct ConnectionLimits {
  std::int32_t request_max_bytes = 104857600;        // socket.request.max.bytes
  std::int64_t connections_max_idle_ms = 600000;     // connections.max.idle.ms
  std::int64_t send_timeout_ms = 30000;              // arus.send.timeout.ms
  std::int32_t max_connections = 0x7fffffff;         // max.connections
  std::int32_t max_connections_per_ip = 0x7fffffff;  // max.connections.per.ip
  std::int64_t stalled_frame_timeout_ms = 2000;      // only while the memory budget is used up
};

}  // namespace arus::net
