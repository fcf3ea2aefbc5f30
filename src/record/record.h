// The records inside a batch.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/reader.h"
#include "base/result.h"
#include "base/writer.h"
#include "record/batch.h"
#include "record/compression.h"

namespace arus::record {

struct Header {
  std::string_view key;
  std::optional<ByteView> value;  // nothing: null
};

// Pulls the headers of one record. The bytes are checked as they are read: damage ends the
// iteration and ok() says so.
class HeaderReader {
 public:
  HeaderReader(ByteView bytes, std::int32_t count) : reader_(bytes), left_(count) {}
  std::optional<Header> next();
  [[nodiscard]] bool ok() const { return reader_.ok(); }

 private:
  Reader reader_;
  std::int32_t left_;
};

// One record. Views point into the batch, or, of a compressed batch, into the reader that gave it,
// and then hold until its next call of next().
struct RecordView {
  Offset offset;
  std::int64_t timestamp_ms = no_timestamp;  // the batch's own with LogAppendTime
  std::optional<ByteView> key;               // nothing: null
  std::optional<ByteView> value;
  std::int32_t header_count = 0;
  ByteView header_bytes;
  std::size_t size_bytes = 0;  // in the batch, before compression

  [[nodiscard]] HeaderReader headers() const { return {header_bytes, header_count}; }
};

// Pulls the records of one batch of any format, compressed or not:
//
//   RecordReader reader{batch, scratch};
//   while (auto record = reader.next()) …
//   if (!reader.status()) …
//
// Ends with INVALID_RECORD or CORRUPT_MESSAGE in status() where the bytes do not hold what the
// header promised; the checksum of the batch is not looked at. Of a compressed batch of format 2
// one record at a time is in memory; of formats 0 and 1 all of them are, within the limits. Batch
// and scratch must outlive the reader.
class RecordReader {
 public:
  RecordReader(const BatchView& batch, CodecScratch& scratch, DecompressionLimits limits = {});
  // For a batch that is not compressed; of one that is, status() has the error at once.
  explicit RecordReader(const BatchView& batch);
  ~RecordReader();
  RecordReader(RecordReader&&) noexcept;
  RecordReader& operator=(RecordReader&&) = delete;

  std::optional<RecordView> next();
  [[nodiscard]] const Result<>& status() const { return status_; }

 private:
  struct Stream;  // of a compressed batch
  struct Legacy;  // of formats 0 and 1

  std::optional<RecordView> fail_with(ErrorCode code, const char* message);
  std::optional<ByteView> next_body();
  std::optional<RecordView> end();
  std::optional<RecordView> decode(ByteView body);

  BatchView batch_;
  Reader plain_;
  std::int32_t left_;
  bool ended_ = false;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Legacy> legacy_;
  Result<> status_;
};

}  // namespace arus::record
