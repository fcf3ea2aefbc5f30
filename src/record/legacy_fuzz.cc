// Messages of formats 0 and 1 from anywhere.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/crc32.h"
#include "base/endian.h"
#include "record/legacy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace arus;
  using namespace arus::record;
  constexpr DecompressionLimits limits{.output_bytes = 1 << 20, .window_bytes = 8 << 20};
  Bytes bytes{data, data + size};
  if (bytes.size() > format::magic_at) {
    bytes[format::magic_at] &= 1;
    store_big(bytes.data() + format::length_at,
              static_cast<std::int32_t>(bytes.size() - format::log_overhead_bytes));
  }
  const auto batch = BatchView::parse(bytes);
  if (!batch) return 0;
  CodecScratch scratch;
  LegacyReader reader{*batch, scratch, limits};
  std::int64_t count = 0;
  Offset last = no_offset;
  while (const auto record = reader.next()) {
    ARUS_ASSERT(count == 0 || record->offset > last);
    last = record->offset;
    ++count;
  }
  const auto converted = convert_to_format_2(scratch, *batch, limits);
  ARUS_ASSERT(!converted || reader.status());
  if (!converted) return 0;
  const auto after = BatchView::parse(*converted);
  ARUS_ASSERT(after.has_value() && after->count() == count && after->crc_matches());
  return 0;
}
