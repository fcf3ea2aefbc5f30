// The codecs of record batches, as streams with bounded memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "record/batch_format.h"

namespace arus::record {

// "none", "gzip", "snappy", "lz4", "zstd"; also "uncompressed" when parsed, as configs say.
[[nodiscard]] std::string_view compression_name(Compression compression);
[[nodiscard]] std::optional<Compression> parse_compression(std::string_view name);
// False for the numbers 5 to 7, which attributes can hold and which name no codec.
[[nodiscard]] bool is_known(Compression compression);

// The range of compression levels and the one that is meant where none is given, as Kafka has
// them: gzip -1 to 9 (-1), lz4 1 to 17 (9, which means its fast mode), zstd -131072 to 22 (3).
struct CompressionLevels {
  std::int32_t min;
  std::int32_t max;
  std::int32_t fallback;
};
[[nodiscard]] CompressionLevels compression_levels(Compression compression);

inline constexpr std::size_t max_decompressed_bytes = std::size_t{256} << 20;
// The window that zstd's own level 22 asks for, and the largest that Java's decoder takes.
inline constexpr std::size_t max_zstd_window_bytes = std::size_t{128} << 20;

// What a decoder may cost. Beyond output_bytes reading fails with MESSAGE_TOO_LARGE; a window
// beyond window_bytes is CORRUPT_MESSAGE.
struct DecompressionLimits {
  std::size_t output_bytes = max_decompressed_bytes;
  std::size_t window_bytes = max_zstd_window_bytes;
};

class Decoder;
class Encoder;

// The codecs' own state, kept between uses because making it costs more than decoding a small
// batch. One belongs to one loop or one worker; it must outlive the streams that borrow from it.
// Not thread-safe. What grew beyond keep_bytes is given back after use.
class CodecScratch {
 public:
  static constexpr std::size_t keep_bytes = std::size_t{8} << 20;  // per codec state
  static constexpr std::size_t keep_idle = 2;                      // states of each codec

  CodecScratch();
  ~CodecScratch();
  CodecScratch(const CodecScratch&) = delete;
  CodecScratch& operator=(const CodecScratch&) = delete;

 private:
  friend class Decompressor;
  friend class Compressor;
  static constexpr std::size_t codec_count = 5;
  std::vector<std::unique_ptr<Decoder>> decoders_[codec_count];  // idle ones
  std::vector<std::unique_ptr<Encoder>> encoders_[codec_count];
};

// Reads the plain bytes of one records section. Gzip goes on with members and zstd with frames
// that follow each other, lz4 ends with its first frame, snappy takes a raw block or xerial's
// framing: as Kafka's own readers do. Damage is CORRUPT_MESSAGE; after an error every read repeats
// it. Memory is that of the codec's state and window (see decoder_memory_bytes), never the output.
// The compressed bytes must outlive this.
class Decompressor {
 public:
  Decompressor(CodecScratch& scratch, Compression compression, ByteView compressed,
               DecompressionLimits limits = {});
  ~Decompressor();
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  // Fills the front of `into`, which is not empty, and tells how much; 0 means the end, and
  // whatever checksum the codec has was right.
  [[nodiscard]] Result<std::size_t> read(MutableByteView into);
  [[nodiscard]] std::size_t produced_bytes() const { return produced_bytes_; }

 private:
  CodecScratch& scratch_;
  std::unique_ptr<Decoder> decoder_;
  Compression compression_;
  std::size_t output_limit_bytes_;
  std::size_t produced_bytes_ = 0;
  std::optional<Error> failure_;
};

// What decoding these bytes will need at most for state and windows, found from frame headers
// without decoding; callers charge it to their budget first.
[[nodiscard]] std::size_t decoder_memory_bytes(Compression compression, ByteView compressed);

// Everything at once, for readers that want the records side by side.
[[nodiscard]] Result<Bytes> decompress(CodecScratch& scratch, Compression compression,
                                       ByteView compressed, DecompressionLimits limits = {});

// Appends compressed bytes to `out`, framed as Java's producer does: gzip, xerial snappy of 32 KiB
// blocks, an lz4 frame of independent 64 KiB blocks, one zstd frame. `out` must outlive this.
class Compressor {
 public:
  // A level outside the codec's range is brought into it; nothing means its fallback. Where it is
  // known how many bytes will be written, zstd makes do with smaller tables.
  Compressor(CodecScratch& scratch, Compression compression, Bytes& out,
             std::optional<std::int32_t> level = {}, std::optional<std::size_t> plain_bytes = {});
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  void write(ByteView plain);
  void finish();  // once, last

 private:
  CodecScratch& scratch_;
  std::unique_ptr<Encoder> encoder_;
  Compression compression_;
  Bytes& out_;
};

}  // namespace arus::record
