// Where the fields of a record batch stand. All integers are big-endian; sizes in bytes.
//
// A batch of format 2 is this header and then `count` records, compressed together or not. The
// checksum covers everything from the attributes to the end, so that the base offset and the
// leader epoch can be assigned without touching it. Formats 0 and 1 share the first 17 bytes but
// for the four before the magic, which are their checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace arus::record {

namespace format {

inline constexpr std::size_t base_offset_at = 0;         // int64
inline constexpr std::size_t length_at = 8;              // int32: bytes after this field
inline constexpr std::size_t leader_epoch_at = 12;       // int32
inline constexpr std::size_t magic_at = 16;              // int8
inline constexpr std::size_t crc_at = 17;                // uint32
inline constexpr std::size_t attributes_at = 21;         // int16; the checksum begins here
inline constexpr std::size_t last_offset_delta_at = 23;  // int32
inline constexpr std::size_t base_timestamp_at = 27;     // int64
inline constexpr std::size_t max_timestamp_at = 35;      // int64
inline constexpr std::size_t producer_id_at = 43;        // int64
inline constexpr std::size_t producer_epoch_at = 51;     // int16
inline constexpr std::size_t base_sequence_at = 53;      // int32
inline constexpr std::size_t count_at = 57;              // int32
inline constexpr std::size_t records_at = 61;

inline constexpr std::size_t header_bytes = records_at;
inline constexpr std::size_t log_overhead_bytes = 12;  // base offset and length
inline constexpr std::size_t bytes_up_to_magic = 17;

static_assert(length_at == base_offset_at + 8);
static_assert(log_overhead_bytes == length_at + 4);
static_assert(leader_epoch_at == log_overhead_bytes);
static_assert(magic_at == leader_epoch_at + 4);
static_assert(bytes_up_to_magic == magic_at + 1);
static_assert(crc_at == magic_at + 1);
static_assert(attributes_at == crc_at + 4);
static_assert(last_offset_delta_at == attributes_at + 2);
static_assert(base_timestamp_at == last_offset_delta_at + 4);
static_assert(max_timestamp_at == base_timestamp_at + 8);
static_assert(producer_id_at == max_timestamp_at + 8);
static_assert(producer_epoch_at == producer_id_at + 8);
static_assert(base_sequence_at == producer_epoch_at + 2);
static_assert(count_at == base_sequence_at + 4);
static_assert(records_at == count_at + 4);

// Offsets are never negative, and the last of a batch must have a number too.
inline constexpr std::int64_t max_base_offset =
    std::numeric_limits<std::int64_t>::max() - std::numeric_limits<std::int32_t>::max() - 1;

inline constexpr std::int8_t magic_0 = 0;
inline constexpr std::int8_t magic_1 = 1;
inline constexpr std::int8_t magic_2 = 2;

// Bits of the attributes.
inline constexpr std::int16_t compression_mask = 0x07;
inline constexpr std::int16_t timestamp_type_mask = 0x08;  // set: LogAppendTime
inline constexpr std::int16_t transactional_mask = 0x10;   // format 2 only, as those below
inline constexpr std::int16_t control_mask = 0x20;
inline constexpr std::int16_t delete_horizon_mask = 0x40;  // base timestamp is a delete horizon

// A record of format 2: varint length, int8 attributes (0), varlong timestamp delta, varint offset
// delta, varint key length (-1: null) and key, varint value length and value, varint header count,
// and of each header varint key length, key, varint value length (-1: null), value.
inline constexpr std::size_t min_record_bytes = 7;  // length and six fields of one byte each

// Formats 0 and 1: offset and length as above, then one message.
namespace legacy {
inline constexpr std::size_t crc_at = 12;         // uint32 CRC-32 of everything after it
inline constexpr std::size_t attributes_at = 17;  // int8
inline constexpr std::size_t timestamp_at = 18;   // int64, format 1 only
inline constexpr std::size_t key_at_0 = 18;       // int32 length (-1: null), key, the same of value
inline constexpr std::size_t key_at_1 = 26;
inline constexpr std::size_t min_length_0 = 14;  // smallest value of the length field
inline constexpr std::size_t min_length_1 = 22;
static_assert(crc_at == log_overhead_bytes);
static_assert(attributes_at == magic_at + 1);
static_assert(timestamp_at == attributes_at + 1);
static_assert(key_at_1 == timestamp_at + 8);
static_assert(min_length_0 == key_at_0 - log_overhead_bytes + 8);
static_assert(min_length_1 == key_at_1 - log_overhead_bytes + 8);
}  // namespace legacy

}  // namespace format

enum class Compression : std::int8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };
enum class TimestampType : std::int8_t { create_time = 0, log_append_time = 1 };

inline constexpr std::int64_t no_timestamp = -1;
inline constexpr std::int16_t no_producer_epoch = -1;
inline constexpr std::int32_t no_sequence = -1;

}  // namespace arus::record
