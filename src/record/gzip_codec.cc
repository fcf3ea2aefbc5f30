#include <zlib.h>

#include "base/assert.h"
#include "record/codec.h"

namespace arus::record {
namespace {

constexpr int gzip_window_bits = 15 + 16;  // 32 KiB, with gzip's header and trailer
constexpr std::size_t inflate_bytes = 48 << 10;
constexpr std::size_t deflate_bytes = 272 << 10;

class GzipDecoder final : public Decoder {
 public:
  GzipDecoder() { ARUS_ASSERT(inflateInit2(&stream_, gzip_window_bits) == Z_OK); }
  ~GzipDecoder() override { inflateEnd(&stream_); }

  Result<> begin(ByteView compressed, const DecompressionLimits& /*limits*/) override {
    ARUS_ASSERT(inflateReset(&stream_) == Z_OK);
    stream_.next_in = const_cast<Bytef*>(compressed.data());
    stream_.avail_in = static_cast<uInt>(compressed.size());
    ended_ = false;
    return {};
  }

  Result<std::size_t> read(MutableByteView into) override {
    stream_.next_out = into.data();
    stream_.avail_out = static_cast<uInt>(into.size());
    while (!ended_ && stream_.avail_out != 0) {
      const int answer = inflate(&stream_, Z_NO_FLUSH);
      if (answer == Z_STREAM_END) {
        begin_next_member();
      } else if (answer == Z_BUF_ERROR ||
                 (answer == Z_OK && stream_.avail_in == 0 && stream_.avail_out != 0)) {
        return damaged("The gzip data is cut off");
      } else if (answer != Z_OK) {
        return damaged("The gzip data is damaged");
      }
    }
    return into.size() - stream_.avail_out;
  }

  [[nodiscard]] std::size_t memory_bytes() const override { return inflate_bytes; }

 private:
  // Another member may follow; anything else behind a member is ignored, as Java does.
  void begin_next_member() {
    const bool another = stream_.avail_in >= 3 && stream_.next_in[0] == 0x1f &&
                         stream_.next_in[1] == 0x8b && stream_.next_in[2] == Z_DEFLATED;
    if (another) {
      ARUS_ASSERT(inflateReset(&stream_) == Z_OK);
    } else {
      ended_ = true;
    }
  }

  z_stream stream_{};
  bool ended_ = true;
};

class GzipEncoder final : public Encoder {
 public:
  ~GzipEncoder() override {
    if (level_) deflateEnd(&stream_);
  }

  void begin(std::int32_t level, std::optional<std::size_t> /*plain_bytes*/,
             Bytes& /*out*/) override {
    if (level_ == level) {
      ARUS_ASSERT(deflateReset(&stream_) == Z_OK);
      return;
    }
    if (level_) deflateEnd(&stream_);
    stream_ = {};
    ARUS_ASSERT(
        deflateInit2(&stream_, level, Z_DEFLATED, gzip_window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    level_ = level;
  }

  void write(ByteView plain, Bytes& out) override {
    stream_.next_in = const_cast<Bytef*>(plain.data());
    stream_.avail_in = static_cast<uInt>(plain.size());
    while (stream_.avail_in != 0) deflate_into(out, Z_NO_FLUSH);
  }

  void finish(Bytes& out) override {
    stream_.avail_in = 0;
    while (deflate_into(out, Z_FINISH) != Z_STREAM_END) {
    }
  }

  [[nodiscard]] std::size_t memory_bytes() const override { return deflate_bytes; }

 private:
  int deflate_into(Bytes& out, int flush) {
    constexpr std::size_t piece_bytes = 16 << 10;
    const std::size_t before = out.size();
    out.resize(before + piece_bytes);
    stream_.next_out = out.data() + before;
    stream_.avail_out = piece_bytes;
    const int answer = deflate(&stream_, flush);
    ARUS_ASSERT(answer == Z_OK || answer == Z_STREAM_END || answer == Z_BUF_ERROR);
    out.resize(before + piece_bytes - stream_.avail_out);
    return answer;
  }

  z_stream stream_{};
  std::optional<std::int32_t> level_;
};

}  // namespace

std::unique_ptr<Decoder> make_gzip_decoder() { return std::make_unique<GzipDecoder>(); }
std::unique_ptr<Encoder> make_gzip_encoder() { return std::make_unique<GzipEncoder>(); }

}  // namespace arus::record
