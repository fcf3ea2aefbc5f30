#include <lz4frame.h>

#include "base/assert.h"
#include "record/codec.h"

namespace arus::record {
namespace {

constexpr std::size_t smallest_header_bytes = 7;

// What the first bytes of a frame say.
struct FrameFacts {
  bool independent_blocks;
  std::size_t block_bytes;
};

std::optional<FrameFacts> look_at_frame(ByteView bytes) {
  constexpr std::uint8_t magic[] = {0x04, 0x22, 0x4d, 0x18};
  if (bytes.size() < smallest_header_bytes || !equal(bytes.first(4), magic)) return std::nullopt;
  const int block_size_id = (bytes[5] >> 4) & 7;
  if (block_size_id < 4) return std::nullopt;
  return FrameFacts{(bytes[4] & 0x20) != 0, std::size_t{1} << (8 + 2 * block_size_id)};
}

class Lz4Decoder final : public Decoder {
 public:
  Lz4Decoder() {
    ARUS_ASSERT(!LZ4F_isError(LZ4F_createDecompressionContext(&context_, LZ4F_VERSION)));
  }
  ~Lz4Decoder() override { LZ4F_freeDecompressionContext(context_); }

  Result<> begin(ByteView compressed, const DecompressionLimits& /*limits*/) override {
    LZ4F_resetDecompressionContext(context_);
    left_ = compressed;
    ended_ = false;
    const auto frame = look_at_frame(compressed);
    if (!frame) return damaged("The data does not begin with an lz4 frame");
    // Java's readers know no other; who accepted them would lock those readers out of a topic.
    if (!frame->independent_blocks) return damaged("Lz4 blocks that depend on each other");
    largest_block_bytes_ = std::max(largest_block_bytes_, frame->block_bytes);
    return {};
  }

  Result<std::size_t> read(MutableByteView into) override {
    std::size_t filled = 0;
    while (!ended_ && filled < into.size()) {
      std::size_t produced = into.size() - filled;
      std::size_t consumed = left_.size();
      const std::size_t hint = LZ4F_decompress(context_, into.data() + filled, &produced,
                                               left_.data(), &consumed, nullptr);
      if (LZ4F_isError(hint)) return damaged("The lz4 data is damaged");
      filled += produced;
      left_ = left_.subspan(consumed);
      if (hint == 0) {
        ended_ = true;
      } else if (produced == 0 && consumed == 0) {
        return damaged("The lz4 data is cut off");
      }
    }
    return filled;
  }

  // The library holds a block as it came and one as it goes.
  [[nodiscard]] std::size_t memory_bytes() const override { return 2 * largest_block_bytes_; }

 private:
  LZ4F_dctx* context_ = nullptr;
  ByteView left_;
  bool ended_ = true;
  std::size_t largest_block_bytes_ = 0;
};

class Lz4Encoder final : public Encoder {
 public:
  Lz4Encoder() {
    ARUS_ASSERT(!LZ4F_isError(LZ4F_createCompressionContext(&context_, LZ4F_VERSION)));
  }
  ~Lz4Encoder() override { LZ4F_freeCompressionContext(context_); }

  void begin(std::int32_t level, std::optional<std::size_t> /*plain_bytes*/, Bytes& out) override {
    preferences_ = {};
    preferences_.frameInfo.blockSizeID = LZ4F_max64KB;
    preferences_.frameInfo.blockMode = LZ4F_blockIndependent;
    preferences_.compressionLevel = library_level(level);
    append(out, LZ4F_HEADER_SIZE_MAX, [&](std::uint8_t* to, std::size_t room) {
      return LZ4F_compressBegin(context_, to, room, &preferences_);
    });
  }

  void write(ByteView plain, Bytes& out) override {
    append(out, LZ4F_compressBound(plain.size(), &preferences_),
           [&](std::uint8_t* to, std::size_t room) {
             return LZ4F_compressUpdate(context_, to, room, plain.data(), plain.size(), nullptr);
           });
  }

  void finish(Bytes& out) override {
    append(out, LZ4F_compressBound(0, &preferences_), [&](std::uint8_t* to, std::size_t room) {
      return LZ4F_compressEnd(context_, to, room, nullptr);
    });
  }

  [[nodiscard]] std::size_t memory_bytes() const override { return std::size_t{512} << 10; }

 private:
  // The fallback level is the fast mode; all others are high compression, which begins at 3.
  static int library_level(std::int32_t level) {
    if (level == compression_levels(Compression::lz4).fallback) return 0;
    return std::clamp(level, std::int32_t{3}, std::int32_t{LZ4F_compressionLevel_max()});
  }

  template <class Step>
  static void append(Bytes& out, std::size_t room, Step step) {
    const std::size_t before = out.size();
    out.resize(before + room);
    const std::size_t written = step(out.data() + before, room);
    ARUS_ASSERT(!LZ4F_isError(written));
    out.resize(before + written);
  }

  LZ4F_cctx* context_ = nullptr;
  LZ4F_preferences_t preferences_{};
};

}  // namespace

std::unique_ptr<Decoder> make_lz4_decoder() { return std::make_unique<Lz4Decoder>(); }
std::unique_ptr<Encoder> make_lz4_encoder() { return std::make_unique<Lz4Encoder>(); }

std::size_t lz4_window_bytes(ByteView compressed) {
  const auto frame = look_at_frame(compressed);
  return frame ? 2 * frame->block_bytes : 0;
}

Bytes repair_lz4_header(ByteView compressed) {
  Bytes repaired{compressed.begin(), compressed.end()};
  if (!look_at_frame(compressed)) return repaired;
  const std::size_t content_size_bytes = (compressed[4] & 0x08) != 0 ? 8 : 0;
  const std::size_t checksum_at = 6 + content_size_bytes;
  if (repaired.size() <= checksum_at) return repaired;
  LZ4F_dctx* context = nullptr;
  ARUS_ASSERT(!LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)));
  // The checksum is one byte of a hash that the library keeps to itself: one of 256 is right.
  for (int guess = 0; guess < 256; ++guess) {
    repaired[checksum_at] = static_cast<std::uint8_t>(guess);
    LZ4F_resetDecompressionContext(context);
    LZ4F_frameInfo_t info{};
    std::size_t consumed = repaired.size();
    if (!LZ4F_isError(LZ4F_getFrameInfo(context, &info, repaired.data(), &consumed))) break;
  }
  LZ4F_freeDecompressionContext(context);
  return repaired;
}

}  // namespace arus::record
