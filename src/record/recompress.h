// Writes a batch again with another codec.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "record/batch.h"
#include "record/compression.h"

namespace arus::record {

// Plain bytes go from decoder to encoder in pieces of this size.
inline constexpr std::size_t recompress_window_bytes = std::size_t{32} << 10;

struct RecompressOptions {
  Compression compression = Compression::none;
  std::optional<std::int32_t> level;
  // The batch that comes out is at most so large: MESSAGE_TOO_LARGE beyond.
  std::size_t max_batch_bytes = 0;
  DecompressionLimits limits;
};

// The same records, offsets, timestamps and producer in a batch of format 2 with the given codec.
// Its cost is that of both codecs: for the pool, not for a loop. The batch was validated.
[[nodiscard]] Result<Bytes> recompress(CodecScratch& scratch, const BatchView& batch,
                                       const RecompressOptions& options);

}  // namespace arus::record
