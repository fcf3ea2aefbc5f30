// Batches from anywhere: views, records, validation, recompression.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/crc32c.h"
#include "record/recompress.h"
#include "record/record.h"
#include "record/validator.h"

namespace arus::record {
namespace {

constexpr DecompressionLimits limits{.output_bytes = 1 << 20, .window_bytes = 8 << 20};

std::int64_t read_all(const BatchView& batch, CodecScratch& scratch, bool& whole) {
  RecordReader reader{batch, scratch, limits};
  std::int64_t count = 0;
  whole = true;
  while (const auto record = reader.next()) {
    auto headers = record->headers();
    while (headers.next()) {
    }
    whole = whole && headers.ok();
    ++count;
  }
  whole = whole && reader.status().has_value();
  return count;
}

// What the validator took must hold wherever the batch goes from there.
void check_validated(const Bytes& bytes, const ValidatedBatch& facts, CodecScratch& scratch) {
  ARUS_ASSERT(facts.size_bytes <= bytes.size());
  const auto batch = BatchView::parse(bytes);
  ARUS_ASSERT(batch.has_value());
  bool whole = false;
  ARUS_ASSERT(read_all(*batch, scratch, whole) == facts.count && whole);
  const auto other =
      recompress(scratch, *batch,
                 {.compression = Compression::lz4, .max_batch_bytes = 8 << 20, .limits = limits});
  ARUS_ASSERT(other.has_value());
  BatchValidator validator{scratch};
  const auto again = validator.validate(*other, {.limits = limits});
  ARUS_ASSERT(again.has_value() && again->count == facts.count);
  ARUS_ASSERT(again->max_timestamp_ms == facts.max_timestamp_ms);
}

}  // namespace
}  // namespace arus::record

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace arus;
  using namespace arus::record;
  Bytes bytes{data, data + size};
  CodecScratch scratch;
  BatchReader reader{bytes};
  while (const auto batch = reader.next()) {
    bool whole = false;
    read_all(*batch, scratch, whole);
    static_cast<void>(decoder_memory_bytes(batch->compression(), batch->bytes()));
  }
  // Few inputs have the right checksum by chance: the rest of the checks would never be seen.
  if (bytes.size() >= format::header_bytes) {
    bytes[format::magic_at] = 2;
    store_big(bytes.data() + format::base_offset_at, std::int64_t{0});
    store_big(bytes.data() + format::length_at,
              static_cast<std::int32_t>(bytes.size() - format::log_overhead_bytes));
    store_big(bytes.data() + format::crc_at,
              crc32c(ByteView{bytes}.subspan(format::attributes_at)));
  }
  BatchValidator validator{scratch};
  const auto facts = validator.validate(bytes, {.limits = limits});
  if (facts) check_validated(bytes, *facts, scratch);
  static_cast<void>(validator.validate(bytes, {.header_only = true, .compacted = true}));
  return 0;
}
