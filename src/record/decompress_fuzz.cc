// Compressed bytes from anywhere, and that what is written is read again.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "record/compression.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace arus;
  using namespace arus::record;
  if (size < 2) return 0;
  const auto compression = static_cast<Compression>(data[0] % 6);
  const std::size_t step = 1 + data[1] * std::size_t{37};
  const Bytes bytes{data + 2, data + size};
  constexpr DecompressionLimits limits{.output_bytes = 1 << 20, .window_bytes = 8 << 20};
  CodecScratch scratch;
  Bytes plain;
  bool ended = false;
  {
    Decompressor decompressor{scratch, compression, bytes, limits};
    Bytes piece(step);
    for (;;) {
      const auto count = decompressor.read(piece);
      ended = count.has_value();
      if (!count || *count == 0) break;
      ARUS_ASSERT(*count <= piece.size());
      plain.insert(plain.end(), piece.begin(), piece.begin() + static_cast<long>(*count));
    }
  }
  const auto whole = decompress(scratch, compression, bytes, limits);
  ARUS_ASSERT(whole.has_value() == ended);
  ARUS_ASSERT(!ended || *whole == plain);
  if (!is_known(compression)) return 0;
  static_cast<void>(decoder_memory_bytes(compression, bytes));

  Bytes out;
  Compressor compressor{scratch, compression, out};
  compressor.write(bytes);
  compressor.finish();
  const auto again = decompress(scratch, compression, out);
  ARUS_ASSERT(again.has_value() && *again == bytes);
  return 0;
}
