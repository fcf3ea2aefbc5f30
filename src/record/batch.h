// Record batches as bytes: a view, in-place assignment, and iteration over several.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/endian.h"
#include "base/ids.h"
#include "base/result.h"
#include "record/batch_format.h"

namespace arus::record {

// A view of one whole batch. Of format 2 every accessor below holds; of formats 0 and 1 (is_legacy)
// a batch is one message, possibly a compressed set of messages, and only the members of the first
// group may be called. The view exists only over bytes whose length, magic and base offset were
// checked; no other field is believed, and the checksum is compared only by crc_matches(). The
// bytes must outlive the view.
class BatchView {
 public:
  // The batch at the front of `bytes`, whatever follows it. CORRUPT_MESSAGE when the base offset,
  // the length or the magic cannot be, or when the batch does not end within `bytes`.
  [[nodiscard]] static Result<BatchView> parse(ByteView bytes);

  // Every format.
  [[nodiscard]] ByteView bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size_bytes() const { return bytes_.size(); }
  [[nodiscard]] std::int8_t magic() const { return field<std::int8_t>(format::magic_at); }
  [[nodiscard]] bool is_legacy() const { return magic() < format::magic_2; }
  // Of a compressed set of formats 0 and 1 this is the offset of its *last* message; where the
  // first is needed, read its records.
  [[nodiscard]] Offset base_offset() const {
    return Offset{field<std::int64_t>(format::base_offset_at)};
  }
  [[nodiscard]] Offset last_offset() const {
    return is_legacy() ? base_offset() : base_offset() + last_offset_delta();
  }
  [[nodiscard]] Offset next_offset() const { return last_offset() + 1; }
  // The codec bits; 5 to 7 name no codec and fail where the records are read.
  [[nodiscard]] Compression compression() const {
    return static_cast<Compression>(attributes() & format::compression_mask);
  }
  [[nodiscard]] TimestampType timestamp_type() const {
    return (attributes() & format::timestamp_type_mask) != 0 ? TimestampType::log_append_time
                                                             : TimestampType::create_time;
  }
  // Milliseconds since 1970, or no_timestamp.
  [[nodiscard]] std::int64_t max_timestamp_ms() const {
    if (!is_legacy()) return field<std::int64_t>(format::max_timestamp_at);
    return magic() == format::magic_1 ? field<std::int64_t>(format::legacy::timestamp_at)
                                      : no_timestamp;
  }
  [[nodiscard]] LeaderEpoch leader_epoch() const {
    return is_legacy() ? no_leader_epoch
                       : LeaderEpoch{field<std::int32_t>(format::leader_epoch_at)};
  }
  [[nodiscard]] std::uint32_t crc() const {
    return field<std::uint32_t>(is_legacy() ? format::legacy::crc_at : format::crc_at);
  }
  [[nodiscard]] std::uint32_t compute_crc() const;
  [[nodiscard]] bool crc_matches() const { return crc() == compute_crc(); }
  [[nodiscard]] std::int16_t attributes() const {
    return is_legacy() ? field<std::int8_t>(format::legacy::attributes_at)
                       : field<std::int16_t>(format::attributes_at);
  }
  [[nodiscard]] bool is_transactional() const { return flag(format::transactional_mask); }
  [[nodiscard]] bool is_control() const { return flag(format::control_mask); }
  [[nodiscard]] bool has_producer() const { return !is_legacy() && producer_id() > no_producer; }

  // Format 2 only.
  [[nodiscard]] std::int32_t last_offset_delta() const {
    return field<std::int32_t>(format::last_offset_delta_at);
  }
  // With has_delete_horizon() this field holds the horizon instead; deltas still count from it.
  [[nodiscard]] std::int64_t base_timestamp_ms() const {
    return field<std::int64_t>(format::base_timestamp_at);
  }
  [[nodiscard]] bool has_delete_horizon() const { return flag(format::delete_horizon_mask); }
  [[nodiscard]] ProducerId producer_id() const {
    return ProducerId{field<std::int64_t>(format::producer_id_at)};
  }
  [[nodiscard]] std::int16_t producer_epoch() const {
    return field<std::int16_t>(format::producer_epoch_at);
  }
  [[nodiscard]] std::int32_t base_sequence() const {
    return field<std::int32_t>(format::base_sequence_at);
  }
  // base_sequence plus last_offset_delta, wrapping from 2^31-1 to 0; no_sequence without one.
  [[nodiscard]] std::int32_t last_sequence() const;
  [[nodiscard]] std::int32_t count() const { return field<std::int32_t>(format::count_at); }
  // The records section, compressed or not.
  [[nodiscard]] ByteView records() const { return bytes_.subspan(format::records_at); }

 private:
  friend class BatchReader;
  explicit BatchView(ByteView bytes) : bytes_(bytes) {}
  template <class T>
  [[nodiscard]] T field(std::size_t at) const {
    return load_big<T>(bytes_.data() + at);
  }
  [[nodiscard]] bool flag(std::int16_t mask) const {
    return !is_legacy() && (attributes() & mask) != 0;
  }

  ByteView bytes_;
};

// `sequence` + `n`, wrapping from 2^31-1 to 0; `n` may be negative.
[[nodiscard]] std::int32_t add_to_sequence(std::int32_t sequence, std::int32_t n);

// Assignment in place, for whoever knows that nobody reads the batch yet. The bytes are one whole
// batch of format 2.
//
// These two are outside the checksum.
void set_base_offset(MutableByteView batch, Offset base_offset);
void set_leader_epoch(MutableByteView batch, LeaderEpoch leader_epoch);
// Writes the kind of timestamp and the largest one; where either changes, the checksum is computed
// again. With log_append_time every record of the batch has this timestamp.
void set_max_timestamp(MutableByteView batch, TimestampType type, std::int64_t max_timestamp_ms);

// Pulls the batches out of bytes that hold several, one after the other:
//
//   BatchReader reader{bytes};
//   while (auto batch = reader.next()) …
//   if (!reader.status()) …
//
// An incomplete batch at the end is no error: next() gives nothing and position() stays before it
// (an answer to a fetch may end so). A length or magic that cannot be ends the iteration with
// CORRUPT_MESSAGE in status(). Views point into the bytes, which must outlive them.
class BatchReader {
 public:
  explicit BatchReader(ByteView bytes) : bytes_(bytes) {}

  std::optional<BatchView> next();
  [[nodiscard]] const Result<>& status() const { return status_; }
  // Where the next batch begins; what stands from here on has not been read.
  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] std::size_t remaining() const { return bytes_.size() - position_; }

 private:
  ByteView bytes_;
  std::size_t position_ = 0;
  Result<> status_;
};

// The size of the batch whose first 17 bytes `front` holds, checked as parse() does; for readers
// of files that load the header first. Nothing when `front` is shorter than 17 bytes.
[[nodiscard]] Result<std::optional<std::size_t>> batch_size_bytes(ByteView front);

}  // namespace arus::record
