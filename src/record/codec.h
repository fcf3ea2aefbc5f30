// What a codec implements; only compression.cc and the codecs themselves include this.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "record/compression.h"

namespace arus::record {

// Decodes one records section after another. begin() forgets what was before, also after an error.
class Decoder {
 public:
  Decoder() = default;
  virtual ~Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  virtual Result<> begin(ByteView compressed, const DecompressionLimits& limits) = 0;
  // Fills as much of `into` as it can; 0 only at the end.
  virtual Result<std::size_t> read(MutableByteView into) = 0;
  // What it holds and would keep if it were kept.
  [[nodiscard]] virtual std::size_t memory_bytes() const = 0;
};

// Encodes one records section after another, each begin() … finish(), appending to `out`.
class Encoder {
 public:
  Encoder() = default;
  virtual ~Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  // The level lies within the codec's range.
  virtual void begin(std::int32_t level, std::optional<std::size_t> plain_bytes, Bytes& out) = 0;
  virtual void write(ByteView plain, Bytes& out) = 0;
  virtual void finish(Bytes& out) = 0;
  [[nodiscard]] virtual std::size_t memory_bytes() const = 0;
};

[[nodiscard]] std::unique_ptr<Decoder> make_gzip_decoder();
[[nodiscard]] std::unique_ptr<Encoder> make_gzip_encoder();
[[nodiscard]] std::unique_ptr<Decoder> make_snappy_decoder();
[[nodiscard]] std::unique_ptr<Encoder> make_snappy_encoder();
[[nodiscard]] std::unique_ptr<Decoder> make_lz4_decoder();
[[nodiscard]] std::unique_ptr<Encoder> make_lz4_encoder();
[[nodiscard]] std::unique_ptr<Decoder> make_zstd_decoder();
[[nodiscard]] std::unique_ptr<Encoder> make_zstd_encoder();

// The largest memory that the windows of these frames ask for; 0 where they cannot be read.
[[nodiscard]] std::size_t snappy_window_bytes(ByteView compressed);
[[nodiscard]] std::size_t lz4_window_bytes(ByteView compressed);
[[nodiscard]] std::size_t zstd_window_bytes(ByteView compressed);

// Kafka's writers of message format 0 computed the header checksum of lz4 frames over the wrong
// bytes; these are the same bytes with the right one.
[[nodiscard]] Bytes repair_lz4_header(ByteView compressed);

inline std::unexpected<Error> damaged(const char* what) {
  return fail(ErrorCode::corrupt_message, what);
}

}  // namespace arus::record
