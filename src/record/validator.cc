#include "record/validator.h"

#include "record/record_scanner.h"

namespace arus::record {
namespace {

std::unexpected<BatchRejection> reject(ErrorCode code, std::string message) {
  return std::unexpected(BatchRejection{{code, std::move(message)}, {}});
}

std::unexpected<BatchRejection> reject(Error error) {
  return std::unexpected(BatchRejection{std::move(error), {}});
}

std::string where(const ValidationOptions& options) {
  if (options.partition.empty()) return {};
  return " in topic partition " + std::string(options.partition);
}

using Check = std::expected<void, BatchRejection>;

// The one batch in the bytes. What is cut off behind it is left to the caller to drop.
std::expected<BatchView, BatchRejection> find_batch(ByteView records,
                                                    const ValidationOptions& options) {
  BatchReader reader{records};
  const auto batch = reader.next();
  if (!reader.status()) return reject(reader.status().error());
  if (!batch) return reject(ErrorCode::invalid_record, "There is no whole record batch");
  if (batch->is_legacy()) {
    return reject(ErrorCode::invalid_record, "Record batches of format " +
                                                 std::to_string(batch->magic()) +
                                                 " are not taken any more, only of format 2");
  }
  if (batch->compression() == Compression::zstd && !options.zstd_allowed) {
    return reject(ErrorCode::unsupported_compression_type,
                  "Zstandard compression needs version 7 of Produce");
  }
  if (reader.next()) {
    return reject(ErrorCode::invalid_record, "There is more than one record batch");
  }
  if (!reader.status()) return reject(reader.status().error());
  return *batch;
}

Check check_envelope(const BatchView& batch, const ValidationOptions& options) {
  if (options.origin == Origin::client && batch.base_offset() != Offset{0}) {
    return reject(ErrorCode::invalid_record, "The base offset of the batch" + where(options) +
                                                 " should be 0, but it is " +
                                                 std::to_string(batch.base_offset().value()));
  }
  if (batch.size_bytes() > options.max_message_bytes) {
    return reject(ErrorCode::message_too_large,
                  "The record batch" + where(options) + " has " +
                      std::to_string(batch.size_bytes()) + " bytes, and " +
                      std::to_string(options.max_message_bytes) + " are allowed");
  }
  if (!batch.crc_matches()) {
    return reject(ErrorCode::corrupt_message,
                  "The checksum of the record batch" + where(options) + " is wrong");
  }
  if (!is_known(batch.compression())) {
    return reject(ErrorCode::invalid_record, "The record batch names no codec that exists");
  }
  return {};
}

// What a client's header must not say.
Check check_client_header(const BatchView& batch) {
  if (batch.is_control()) {
    return reject(ErrorCode::invalid_record, "Clients may not write control records");
  }
  if (batch.has_delete_horizon()) {
    return reject(ErrorCode::invalid_record, "Clients may not set a delete horizon");
  }
  if (batch.has_producer() && (batch.base_sequence() < 0 || batch.producer_epoch() < 0)) {
    return reject(ErrorCode::invalid_record,
                  "Sequence number " + std::to_string(batch.base_sequence()) + " and epoch " +
                      std::to_string(batch.producer_epoch()) + " cannot belong to producer " +
                      std::to_string(batch.producer_id().value()));
  }
  if (batch.is_transactional() && !batch.has_producer()) {
    return reject(ErrorCode::invalid_record, "A transactional batch needs a producer id");
  }
  return {};
}

Check check_counts(const BatchView& batch) {
  if (batch.last_offset_delta() < 0 || batch.count() <= 0) {
    return reject(ErrorCode::invalid_record, "A batch cannot have " +
                                                 std::to_string(batch.count()) +
                                                 " records with a last offset delta of " +
                                                 std::to_string(batch.last_offset_delta()));
  }
  if (batch.count() - 1 != batch.last_offset_delta()) {
    return reject(ErrorCode::invalid_record, "The batch has " + std::to_string(batch.count()) +
                                                 " records but its last offset delta is " +
                                                 std::to_string(batch.last_offset_delta()));
  }
  const auto count = static_cast<std::size_t>(batch.count());
  if (batch.compression() == Compression::none &&
      count > batch.records().size() / format::min_record_bytes) {
    return reject(ErrorCode::invalid_record,
                  std::to_string(count) + " records do not fit into the batch");
  }
  return {};
}

std::int64_t saturated(__int128 value) {
  constexpr __int128 most = std::numeric_limits<std::int64_t>::max();
  constexpr __int128 least = std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(std::clamp(value, least, most));
}

// The timestamps that the topic takes, both ends included.
struct TimestampRange {
  explicit TimestampRange(const ValidationOptions& options)
      : from_ms(saturated(__int128{options.now_ms} - options.timestamp_before_max_ms)),
        to_ms(saturated(__int128{options.now_ms} + options.timestamp_after_max_ms)),
        checked(options.timestamp_type == TimestampType::create_time) {}

  [[nodiscard]] bool takes(std::int64_t timestamp_ms) const {
    return !checked || timestamp_ms == no_timestamp ||
           (timestamp_ms >= from_ms && timestamp_ms <= to_ms);
  }

  std::int64_t from_ms;
  std::int64_t to_ms;
  bool checked;  // with LogAppendTime the records' own timestamps do not matter
};

// Gathers what is wrong with single records.
class RecordErrors {
 public:
  RecordErrors(const ValidationOptions& options, const TimestampRange& range)
      : options_(options), range_(range) {}

  void keyless(std::int32_t index) {
    add(index, "Compacted topic cannot accept message without key" + where(options_));
  }
  void out_of_range(std::int32_t index, std::int64_t timestamp_ms) {
    timestamps_ = true;
    add(index, "Timestamp " + std::to_string(timestamp_ms) + " of message " +
                   std::to_string(index) + " is out of range. It should be within [" +
                   std::to_string(range_.from_ms) + ", " + std::to_string(range_.to_ms) + "]");
  }
  void log_append_time(std::int32_t index) {
    timestamps_ = true;
    add(index, "Producers may not set the timestamp type to LogAppendTime.");
  }
  [[nodiscard]] bool empty() const { return total_ == 0; }
  [[nodiscard]] std::unexpected<BatchRejection> rejection() {
    if (timestamps_) {
      return std::unexpected(BatchRejection{
          {ErrorCode::invalid_timestamp, "One or more records have an invalid timestamp"},
          std::move(errors_)});
    }
    std::string message = std::to_string(total_) + (total_ == 1 ? " record was" : " records were") +
                          " rejected; first: " + errors_.front().message;
    return std::unexpected(
        BatchRejection{{ErrorCode::invalid_record, std::move(message)}, std::move(errors_)});
  }

 private:
  void add(std::int32_t index, std::string message) {
    ++total_;
    if (errors_.size() < max_record_errors) errors_.push_back({index, std::move(message)});
  }

  const ValidationOptions& options_;
  const TimestampRange& range_;
  std::vector<RecordError> errors_;
  std::int64_t total_ = 0;
  bool timestamps_ = false;
};

struct LargestTimestamp {
  std::int64_t timestamp_ms = no_timestamp;
  std::int32_t delta = 0;
};

// Kafka minds the flag only where the topic would set it itself; elsewhere it is taken away when
// the batch is stored, and the records' own timestamps hold.
bool claims_log_append_time(const BatchView& batch, const ValidationOptions& options) {
  return options.origin == Origin::client &&
         options.timestamp_type == TimestampType::log_append_time &&
         batch.timestamp_type() == TimestampType::log_append_time;
}

// Every record in turn; the largest timestamp among them.
std::expected<LargestTimestamp, BatchRejection> check_records(const BatchView& batch,
                                                              const ValidationOptions& options,
                                                              RecordScanner& scanner) {
  const TimestampRange range{options};
  RecordErrors errors{options, range};
  LargestTimestamp largest;
  const auto base_ms = static_cast<std::uint64_t>(batch.base_timestamp_ms());
  const bool marked = claims_log_append_time(batch, options);
  const std::int32_t count = batch.count();
  ScannedRecord record{};
  for (std::int32_t index = 0; index < count; ++index) {
    if (!scanner.next(record)) return reject(scanner.failure());
    if (record.offset_delta != index) {
      return reject(ErrorCode::invalid_record, "Record " + std::to_string(index) +
                                                   " of the batch has the offset delta " +
                                                   std::to_string(record.offset_delta));
    }
    const auto timestamp_ms =
        static_cast<std::int64_t>(base_ms + static_cast<std::uint64_t>(record.timestamp_delta));
    if (timestamp_ms > largest.timestamp_ms) largest = {timestamp_ms, index};
    if (options.compacted && !record.has_key) [[unlikely]] {
      errors.keyless(index);
    } else if (marked) [[unlikely]] {
      errors.log_append_time(index);
    } else if (!range.takes(timestamp_ms)) [[unlikely]] {
      errors.out_of_range(index, timestamp_ms);
    }
  }
  auto ended = scanner.at_end();
  if (!ended) return reject(std::move(ended).error());
  if (!*ended) {
    return reject(ErrorCode::invalid_record, "The batch goes on behind its last record");
  }
  if (!errors.empty()) return errors.rejection();
  return largest;
}

// What the header alone can tell of the records.
std::expected<LargestTimestamp, BatchRejection> check_header_only(
    const BatchView& batch, const ValidationOptions& options) {
  const TimestampRange range{options};
  RecordErrors errors{options, range};
  if (claims_log_append_time(batch, options)) {
    errors.log_append_time(0);
  } else if (!range.takes(batch.base_timestamp_ms())) {
    errors.out_of_range(0, batch.base_timestamp_ms());
  } else if (!range.takes(batch.max_timestamp_ms())) {
    errors.out_of_range(batch.last_offset_delta(), batch.max_timestamp_ms());
  }
  if (!errors.empty()) return errors.rejection();
  return LargestTimestamp{batch.max_timestamp_ms(), batch.last_offset_delta()};
}

ValidatedBatch describe(const BatchView& batch, const ValidationOptions& options,
                        LargestTimestamp largest, std::size_t plain_bytes) {
  ValidatedBatch facts;
  facts.size_bytes = batch.size_bytes();
  facts.count = batch.count();
  facts.compression = batch.compression();
  facts.timestamp_type = options.timestamp_type;
  facts.max_timestamp_ms = largest.timestamp_ms;
  facts.max_timestamp_delta = largest.delta;
  if (options.timestamp_type == TimestampType::log_append_time) {
    facts.max_timestamp_ms = options.now_ms;
    facts.max_timestamp_delta = 0;
  }
  if (batch.has_producer()) {
    facts.producer_id = batch.producer_id();
    facts.producer_epoch = batch.producer_epoch();
    facts.base_sequence = batch.base_sequence();
    facts.last_sequence = batch.last_sequence();
  }
  facts.transactional = batch.is_transactional();
  facts.control = batch.is_control();
  if (options.target_compression && *options.target_compression != batch.compression() &&
      !batch.is_control()) {
    facts.recompress_to = options.target_compression;
  }
  facts.plain_bytes = plain_bytes;
  return facts;
}

}  // namespace

Validation BatchValidator::validate(ByteView records, const ValidationOptions& options) {
  const auto batch = find_batch(records, options);
  if (!batch) return std::unexpected(batch.error());
  if (auto checked = check_envelope(*batch, options); !checked) {
    return std::unexpected(std::move(checked).error());
  }
  if (options.origin == Origin::client) {
    if (auto checked = check_client_header(*batch); !checked) {
      return std::unexpected(std::move(checked).error());
    }
  }
  if (auto checked = check_counts(*batch); !checked) {
    return std::unexpected(std::move(checked).error());
  }
  if (options.header_only) {
    auto largest = check_header_only(*batch, options);
    if (!largest) return std::unexpected(std::move(largest).error());
    return describe(*batch, options, *largest, 0);
  }
  if (batch->compression() == Compression::none) {
    RecordScanner scanner{batch->records()};
    auto largest = check_records(*batch, options, scanner);
    if (!largest) return std::unexpected(std::move(largest).error());
    return describe(*batch, options, *largest, batch->records().size());
  }
  window_.resize(window_bytes);
  Decompressor source{scratch_, batch->compression(), batch->records(), options.limits};
  RecordScanner scanner{source, window_};
  auto largest = check_records(*batch, options, scanner);
  if (!largest) return std::unexpected(std::move(largest).error());
  return describe(*batch, options, *largest, source.produced_bytes());
}

bool has_transactional_batch(ByteView records) {
  BatchReader reader{records};
  while (const auto batch = reader.next()) {
    if (batch->is_transactional()) return true;
  }
  return false;
}

}  // namespace arus::record
