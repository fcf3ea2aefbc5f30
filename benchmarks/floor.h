// Bare loops that move the same bytes: what the machine itself costs, in the same run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace arus::benchmark {

// CPU seconds of a process that receives `bytes` over loopback in frames of `frame_bytes`,
// checksums each and writes it to a file below `directory`.
double receive_crc_write_cpu_s(const std::string& directory, std::int64_t bytes,
                               std::int64_t frame_bytes);
// CPU seconds of a process that sends a cached file of `bytes` over loopback.
struct SendFloor {
  double streamed_s = 0;  // in one go; the better of sendfile and of read and send
  double asked_s = 0;     // a MB for each request of the reader, by sendfile
  double at_pace_s = 0;   // 4 MB for each request of a reader that is busy, at `bytes_per_s`
};
SendFloor send_file_cpu_s(const std::string& directory, std::int64_t bytes, double bytes_per_s);
// Times of `count` writes of `bytes` to a growing file, each with fdatasync, in s.
std::vector<double> sync_times_s(const std::string& directory, std::size_t bytes, int count);
// The same over the blocks of a file that was written before: what a preallocated log costs.
std::vector<double> overwrite_sync_times_s(const std::string& directory, std::size_t bytes,
                                           int count);
// Round trips of 14 bytes through a bare echo on loopback, in s. Left to the system both ends often
// come to stay on one processor, which is some ten times as quick as `apart`.
std::vector<double> echo_times_s(int count, bool apart = false);

}  // namespace arus::benchmark
