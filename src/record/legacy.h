// Message formats 0 and 1, as found in directories that Kafka wrote long ago.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "record/batch.h"
#include "record/compression.h"
#include "record/record.h"

namespace arus::record {

// Pulls the messages of one batch of format 0 or 1: the one that it is, or those of the compressed
// set in its value. Offsets inside a set are absolute in format 0, relative in format 1 to the
// set's last, which the outer message carries. A set is decompressed whole, within the limits,
// because its first offset is known only after its last message, and checked whole before the first
// message is given. The checksum of inner messages is looked at, that of the outer one is not.
// Batch must outlive the reader.
class LegacyReader {
 public:
  LegacyReader(const BatchView& batch, CodecScratch& scratch, DecompressionLimits limits = {});

  std::optional<RecordView> next();
  [[nodiscard]] const Result<>& status() const { return status_; }

 private:
  Result<> open_set(ByteView compressed, CodecScratch& scratch, const DecompressionLimits& limits);
  [[nodiscard]] Result<> check_message(const BatchView& message, Offset after) const;

  BatchView batch_;
  Bytes plain_;  // of a compressed set
  BatchReader messages_{ByteView{}};
  std::int64_t shift_ = 0;  // from a message's own offset to the log's
  Result<> status_;
};

// The same records in a batch of format 2, where a reader takes no other: keys, values, offsets and
// timestamps stay, headers and producer are none.
[[nodiscard]] Result<Bytes> convert_to_format_2(CodecScratch& scratch, const BatchView& batch,
                                                DecompressionLimits limits = {});

}  // namespace arus::record
