// Walks over the batches of a segment's file without loading more of them than their headers.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "env/file.h"
#include "record/batch_format.h"

namespace arus::storage {

// The fields of a batch that the log works with. Of formats 0 and 1 base and last offset are both
// that of the message, or of the last one in a compressed set.
struct BatchHeader {
  std::int64_t position = 0;
  std::int64_t size_bytes = 0;
  Offset base_offset;
  Offset last_offset;
  std::int8_t magic = 0;
  std::int16_t attributes = 0;
  LeaderEpoch leader_epoch = no_leader_epoch;
  std::int64_t max_timestamp_ms = record::no_timestamp;
  ProducerId producer_id = no_producer;
  std::int16_t producer_epoch = record::no_producer_epoch;
  std::int32_t base_sequence = record::no_sequence;

  [[nodiscard]] bool is_control() const { return (attributes & record::format::control_mask) != 0; }
  [[nodiscard]] bool is_transactional() const {
    return (attributes & record::format::transactional_mask) != 0;
  }
};

// An error that only says that the answer is not in memory: ask again where waiting is allowed.
[[nodiscard]] bool would_block(const Error& error);

// Reads exactly buffer.size() bytes: fewer is would_block() with cached_only, else an error.
[[nodiscard]] Result<> read_fully(env::File& file, MutableByteView buffer, std::int64_t offset,
                                  env::ReadMode mode);

// Pulls batch headers from [from, to) of a file:
//
//   while (auto batch = scanner.next()) …
//   if (!scanner.status()) …
//
// What does not fit before `to` ends the iteration without an error; position() is then where the
// incomplete batch begins. A length, magic or offset that cannot be ends it with CORRUPT_MESSAGE.
// The file must outlive the scanner.
class BatchScanner {
 public:
  static constexpr std::size_t default_window_bytes = std::size_t{64} << 10;

  BatchScanner(env::File& file, std::int64_t from, std::int64_t to, env::ReadMode mode,
               std::size_t window_bytes = default_window_bytes)
      : file_(file), position_(from), to_(to), mode_(mode), window_bytes_(window_bytes) {}

  std::optional<BatchHeader> next();
  [[nodiscard]] const Result<>& status() const { return status_; }
  [[nodiscard]] std::int64_t position() const { return position_; }
  // All bytes of the batch that next() gave last; valid until the next call of either.
  [[nodiscard]] Result<ByteView> bytes();

 private:
  // Makes `count` bytes from `at` on available; the view may be longer.
  Result<ByteView> load(std::int64_t at, std::size_t count);

  env::File& file_;
  std::int64_t position_;
  const std::int64_t to_;
  const env::ReadMode mode_;
  const std::size_t window_bytes_;
  Bytes window_;
  std::int64_t window_at_ = 0;
  std::int64_t last_position_ = 0;
  std::int64_t last_size_ = 0;
  Result<> status_;
};

}  // namespace arus::storage
