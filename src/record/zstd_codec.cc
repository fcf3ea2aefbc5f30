#include <zstd.h>

#include <bit>

#include "base/assert.h"
#include "base/endian.h"
#include "record/codec.h"

namespace arus::record {
namespace {

constexpr std::size_t context_bytes = std::size_t{192} << 10;  // of a decoder, without its window

std::uint32_t load_little_32(const std::uint8_t* from) {
  return std::byteswap(load_big<std::uint32_t>(from));
}

bool is_skippable(std::uint32_t magic) { return (magic & 0xfffffff0U) == 0x184d2a50U; }

// A frame of the format of RFC 8878; the library would also take its own older ones.
bool begins_a_frame(ByteView bytes) {
  if (bytes.size() < 4) return false;
  const std::uint32_t magic = load_little_32(bytes.data());
  return magic == ZSTD_MAGICNUMBER || is_skippable(magic);
}

// The window of the frame at the front, from its header (RFC 8878, 3.1.1.1); 0 for a skippable one.
std::optional<std::uint64_t> frame_window_bytes(ByteView frame) {
  if (!begins_a_frame(frame) || frame.size() < 6) return std::nullopt;
  if (is_skippable(load_little_32(frame.data()))) return 0;
  const std::uint8_t descriptor = frame[4];
  if ((descriptor & 0x20) == 0) {
    const std::uint64_t base = std::uint64_t{1} << (10 + (frame[5] >> 3));
    return base + (base / 8) * (frame[5] & 7U);
  }
  constexpr std::size_t id_bytes[] = {0, 1, 2, 4};
  constexpr std::size_t size_bytes[] = {1, 2, 4, 8};
  const std::size_t at = 5 + id_bytes[descriptor & 3];
  const std::size_t width = size_bytes[descriptor >> 6];
  if (frame.size() < at + width) return std::nullopt;
  std::uint64_t content = 0;
  for (std::size_t i = width; i > 0; --i) content = content << 8 | frame[at + i - 1];
  return width == 2 ? content + 256 : content;
}

class ZstdDecoder final : public Decoder {
 public:
  ZstdDecoder() : context_(ZSTD_createDCtx()) { ARUS_ASSERT(context_ != nullptr); }
  ~ZstdDecoder() override { ZSTD_freeDCtx(context_); }

  Result<> begin(ByteView compressed, const DecompressionLimits& limits) override {
    ZSTD_DCtx_reset(context_, ZSTD_reset_session_only);
    const auto log = static_cast<int>(std::bit_width(limits.window_bytes)) - 1;
    ARUS_ASSERT(!ZSTD_isError(
        ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, std::clamp(log, 10, 27))));
    input_ = {compressed.data(), compressed.size(), 0};
    ended_ = false;
    return check_frame();
  }

  Result<std::size_t> read(MutableByteView into) override {
    ZSTD_outBuffer output{into.data(), into.size(), 0};
    while (!ended_ && output.pos < output.size) {
      const std::size_t before = input_.pos + output.pos;
      const std::size_t hint = ZSTD_decompressStream(context_, &output, &input_);
      if (ZSTD_isError(hint)) return damaged("The zstd data is damaged or its window too large");
      if (hint == 0) {
        ended_ = input_.pos == input_.size;
        if (!ended_) ARUS_TRY(check_frame());
      } else if (input_.pos + output.pos == before) {
        return damaged("The zstd data is cut off");
      }
    }
    return output.pos;
  }

  [[nodiscard]] std::size_t memory_bytes() const override { return ZSTD_sizeof_DCtx(context_); }

 private:
  [[nodiscard]] Result<> check_frame() const {
    const ByteView left{static_cast<const std::uint8_t*>(input_.src) + input_.pos,
                        input_.size - input_.pos};
    if (!begins_a_frame(left)) return damaged("The data is no zstd frame");
    return {};
  }

  ZSTD_DCtx* context_;
  ZSTD_inBuffer input_{};
  bool ended_ = true;
};

class ZstdEncoder final : public Encoder {
 public:
  ZstdEncoder() : context_(ZSTD_createCCtx()) { ARUS_ASSERT(context_ != nullptr); }
  ~ZstdEncoder() override { ZSTD_freeCCtx(context_); }

  void begin(std::int32_t level, std::optional<std::size_t> plain_bytes, Bytes& /*out*/) override {
    ZSTD_CCtx_reset(context_, ZSTD_reset_session_and_parameters);
    check(ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, level));
    if (plain_bytes) check(ZSTD_CCtx_setPledgedSrcSize(context_, *plain_bytes));
  }

  void write(ByteView plain, Bytes& out) override { run(plain, ZSTD_e_continue, out); }
  void finish(Bytes& out) override { run({}, ZSTD_e_end, out); }

  [[nodiscard]] std::size_t memory_bytes() const override { return ZSTD_sizeof_CCtx(context_); }

 private:
  static void check(std::size_t answer) { ARUS_ASSERT(!ZSTD_isError(answer)); }

  void run(ByteView plain, ZSTD_EndDirective directive, Bytes& out) {
    ZSTD_inBuffer input{plain.data(), plain.size(), 0};
    std::size_t pending = 1;
    while (pending != 0) {
      constexpr std::size_t piece_bytes = 16 << 10;
      const std::size_t before = out.size();
      out.resize(before + piece_bytes);
      ZSTD_outBuffer output{out.data() + before, piece_bytes, 0};
      pending = ZSTD_compressStream2(context_, &output, &input, directive);
      check(pending);
      out.resize(before + output.pos);
      if (directive == ZSTD_e_continue) pending = input.size - input.pos;
    }
  }

  ZSTD_CCtx* context_;
};

}  // namespace

std::unique_ptr<Decoder> make_zstd_decoder() { return std::make_unique<ZstdDecoder>(); }
std::unique_ptr<Encoder> make_zstd_encoder() { return std::make_unique<ZstdEncoder>(); }

std::size_t zstd_window_bytes(ByteView compressed) {
  std::uint64_t largest = 0;
  while (!compressed.empty()) {
    const auto window = frame_window_bytes(compressed);
    const std::size_t frame_bytes =
        ZSTD_findFrameCompressedSize(compressed.data(), compressed.size());
    if (window) largest = std::max(largest, *window);
    if (!window || ZSTD_isError(frame_bytes)) break;
    compressed = compressed.subspan(frame_bytes);
  }
  constexpr std::uint64_t blocks_bytes = std::uint64_t{256} << 10;  // one in, one out
  largest = std::min<std::uint64_t>(largest, max_zstd_window_bytes);
  return context_bytes + static_cast<std::size_t>(largest + blocks_bytes);
}

}  // namespace arus::record
