// The checks that records pass before they are appended.
#pragma once

#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "record/batch.h"
#include "record/compression.h"

namespace arus::record {

// Who wrote the batch. Only a client's must begin at offset 0, number its records without gaps and
// carry no control records.
enum class Origin : std::uint8_t { client, coordinator, raft_leader };

// How one partition takes records. Times in milliseconds since 1970.
struct ValidationOptions {
  std::int64_t now_ms = 0;
  Origin origin = Origin::client;
  bool header_only = false;  // arus.batch.validation=header
  std::size_t max_message_bytes = std::numeric_limits<std::int32_t>::max();  // of one batch
  TimestampType timestamp_type = TimestampType::create_time;  // message.timestamp.type
  std::int64_t timestamp_before_max_ms = std::numeric_limits<std::int64_t>::max();
  std::int64_t timestamp_after_max_ms = std::numeric_limits<std::int64_t>::max();
  bool compacted = false;                         // every record needs a key
  std::optional<Compression> target_compression;  // compression.type; nothing: the producer's
  bool zstd_allowed = true;                       // Produce from version 7 on
  DecompressionLimits limits;
  std::string_view partition;  // "topic-0", for messages
};

// What the log needs to know of a batch that passed; the same for every mode.
struct ValidatedBatch {
  std::size_t size_bytes = 0;  // of the batch; an incomplete batch behind it is not to be stored
  std::int32_t count = 0;
  Compression compression = Compression::none;
  // The kind of timestamp and the largest one that the batch must carry when it is stored: with
  // LogAppendTime now_ms. set_max_timestamp() writes them; it costs nothing where they are there.
  TimestampType timestamp_type = TimestampType::create_time;
  std::int64_t max_timestamp_ms = no_timestamp;
  // Which record has it, counted from the batch's first: the first of several; 0 with
  // LogAppendTime, and in header_only mode the last, for want of a look inside.
  std::int32_t max_timestamp_delta = 0;
  ProducerId producer_id = no_producer;
  std::int16_t producer_epoch = no_producer_epoch;
  std::int32_t base_sequence = no_sequence;
  std::int32_t last_sequence = no_sequence;
  bool transactional = false;
  bool control = false;
  // The batch has another codec than the topic wants: recompress() it on the pool before the
  // append. The plain size is that of the records section, or 0 where it was not looked at.
  std::optional<Compression> recompress_to;
  std::size_t plain_bytes = 0;
};

// Why one record was refused; `index` counts from the batch's first.
struct RecordError {
  std::int32_t index;
  std::string message;
};

// Why the whole batch was refused. The records named are some of those to blame: the first
// max_record_errors.
struct BatchRejection {
  Error error;
  std::vector<RecordError> record_errors;
};

inline constexpr std::size_t max_record_errors = 100;

using Validation = std::expected<ValidatedBatch, BatchRejection>;

// Checks the bytes that one partition of a Produce request carries: exactly one batch of format 2,
// its size, checksum, counts, offsets, timestamps, sequence numbers, and every record's structure.
// A compressed batch is decoded once through a window of window_bytes and never held whole. Reads
// only; changes nothing. Errors:
//
//   CORRUPT_MESSAGE               lengths, magic, checksum or compressed data are damaged
//   INVALID_RECORD                no batch or several, an older format, counts, offsets or records
//                                 that contradict each other, control records from clients, a
//                                 record without key where the topic is compacted
//   INVALID_TIMESTAMP             a record's timestamp is out of the topic's range
//   MESSAGE_TOO_LARGE             the batch exceeds max_message_bytes, or its plain size the limit
//   UNSUPPORTED_COMPRESSION_TYPE  zstd before Produce version 7
class BatchValidator {
 public:
  static constexpr std::size_t window_bytes = std::size_t{32} << 10;

  explicit BatchValidator(CodecScratch& scratch) : scratch_(scratch) {}

  [[nodiscard]] Validation validate(ByteView records, const ValidationOptions& options);

 private:
  CodecScratch& scratch_;
  Bytes window_;
};

// Whether any batch in here carries the transactional flag, for the check of authorization that
// comes before validation; false for bytes that are no batch.
[[nodiscard]] bool has_transactional_batch(ByteView records);

}  // namespace arus::record
