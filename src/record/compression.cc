#include "record/compression.h"

#include "base/assert.h"
#include "record/codec.h"

namespace arus::record {
namespace {

// Bytes that are not compressed, behind the same interface.
class PlainDecoder final : public Decoder {
 public:
  Result<> begin(ByteView plain, const DecompressionLimits& /*limits*/) override {
    left_ = plain;
    return {};
  }
  Result<std::size_t> read(MutableByteView into) override {
    const std::size_t count = std::min(into.size(), left_.size());
    std::copy_n(left_.data(), count, into.data());
    left_ = left_.subspan(count);
    return count;
  }
  [[nodiscard]] std::size_t memory_bytes() const override { return sizeof *this; }

 private:
  ByteView left_;
};

class PlainEncoder final : public Encoder {
 public:
  void begin(std::int32_t /*level*/, std::optional<std::size_t> /*plain_bytes*/,
             Bytes& /*out*/) override {}
  void write(ByteView plain, Bytes& out) override {
    out.insert(out.end(), plain.begin(), plain.end());
  }
  void finish(Bytes& /*out*/) override {}
  [[nodiscard]] std::size_t memory_bytes() const override { return sizeof *this; }
};

struct Codec {
  std::string_view name;
  CompressionLevels levels;
  std::unique_ptr<Decoder> (*make_decoder)();
  std::unique_ptr<Encoder> (*make_encoder)();
};

// In the order of their numbers.
constexpr Codec codecs[] = {
    {"none",
     {0, 0, 0},
     []() -> std::unique_ptr<Decoder> { return std::make_unique<PlainDecoder>(); },
     []() -> std::unique_ptr<Encoder> { return std::make_unique<PlainEncoder>(); }},
    {"gzip", {-1, 9, -1}, make_gzip_decoder, make_gzip_encoder},
    {"snappy", {0, 0, 0}, make_snappy_decoder, make_snappy_encoder},
    {"lz4", {1, 17, 9}, make_lz4_decoder, make_lz4_encoder},
    {"zstd", {-131072, 22, 3}, make_zstd_decoder, make_zstd_encoder},
};

std::size_t index_of(Compression compression) { return static_cast<std::size_t>(compression); }

const Codec& codec(Compression compression) {
  ARUS_ASSERT(is_known(compression));
  return codecs[index_of(compression)];
}

template <class Coder>
std::unique_ptr<Coder> take(std::vector<std::unique_ptr<Coder>>& idle,
                            std::unique_ptr<Coder> (*make)()) {
  if (idle.empty()) return make();
  auto coder = std::move(idle.back());
  idle.pop_back();
  return coder;
}

template <class Coder>
void give_back(std::vector<std::unique_ptr<Coder>>& idle, std::unique_ptr<Coder> coder) {
  if (coder == nullptr || idle.size() >= CodecScratch::keep_idle) return;
  if (coder->memory_bytes() <= CodecScratch::keep_bytes) idle.push_back(std::move(coder));
}

}  // namespace

std::string_view compression_name(Compression compression) {
  return is_known(compression) ? codec(compression).name : "unknown";
}

std::optional<Compression> parse_compression(std::string_view name) {
  if (name == "uncompressed") return Compression::none;
  for (std::size_t i = 0; i < std::size(codecs); ++i) {
    if (codecs[i].name == name) return static_cast<Compression>(i);
  }
  return std::nullopt;
}

bool is_known(Compression compression) {
  return compression >= Compression::none && compression <= Compression::zstd;
}

CompressionLevels compression_levels(Compression compression) { return codec(compression).levels; }

CodecScratch::CodecScratch() = default;
CodecScratch::~CodecScratch() = default;

Decompressor::Decompressor(CodecScratch& scratch, Compression compression, ByteView compressed,
                           DecompressionLimits limits)
    : scratch_(scratch), compression_(compression), output_limit_bytes_(limits.output_bytes) {
  static_assert(std::size(codecs) == CodecScratch::codec_count);
  if (!is_known(compression)) {
    failure_ = Error{ErrorCode::invalid_record, "The batch names no codec that exists"};
    return;
  }
  decoder_ = take(scratch_.decoders_[index_of(compression)], codec(compression).make_decoder);
  if (auto begun = decoder_->begin(compressed, limits); !begun) failure_ = std::move(begun).error();
}

Decompressor::~Decompressor() {
  if (decoder_ != nullptr) {
    give_back(scratch_.decoders_[index_of(compression_)], std::move(decoder_));
  }
}

Result<std::size_t> Decompressor::read(MutableByteView into) {
  ARUS_ASSERT(!into.empty());
  if (failure_) return fail(*failure_);
  auto count = decoder_->read(into);
  if (!count) {
    failure_ = std::move(count).error();
    return fail(*failure_);
  }
  produced_bytes_ += *count;
  if (produced_bytes_ > output_limit_bytes_) {
    failure_ = Error{ErrorCode::message_too_large, "The batch is larger than " +
                                                       std::to_string(output_limit_bytes_) +
                                                       " bytes without compression"};
    return fail(*failure_);
  }
  return count;
}

std::size_t decoder_memory_bytes(Compression compression, ByteView compressed) {
  constexpr std::size_t gzip_bytes = std::size_t{48} << 10;
  switch (compression) {
    case Compression::none:
      return 0;
    case Compression::gzip:
      return gzip_bytes;
    case Compression::snappy:
      return snappy_window_bytes(compressed);
    case Compression::lz4:
      return lz4_window_bytes(compressed);
    case Compression::zstd:
      return zstd_window_bytes(compressed);
  }
  return 0;
}

Result<Bytes> decompress(CodecScratch& scratch, Compression compression, ByteView compressed,
                         DecompressionLimits limits) {
  constexpr std::size_t first_bytes = 4096;
  Decompressor decompressor{scratch, compression, compressed, limits};
  Bytes plain(std::max(first_bytes, std::min(4 * compressed.size(), limits.output_bytes)));
  std::size_t filled = 0;
  for (;;) {
    if (filled == plain.size()) plain.resize(2 * plain.size());
    auto count = decompressor.read(MutableByteView{plain}.subspan(filled));
    if (!count) return fail(std::move(count).error());
    if (*count == 0) break;
    filled += *count;
  }
  plain.resize(filled);
  return plain;
}

Compressor::Compressor(CodecScratch& scratch, Compression compression, Bytes& out,
                       std::optional<std::int32_t> level, std::optional<std::size_t> plain_bytes)
    : scratch_(scratch), compression_(compression), out_(out) {
  const Codec& chosen = codec(compression);
  encoder_ = take(scratch_.encoders_[index_of(compression)], chosen.make_encoder);
  const std::int32_t wanted = level.value_or(chosen.levels.fallback);
  encoder_->begin(std::clamp(wanted, chosen.levels.min, chosen.levels.max), plain_bytes, out_);
}

Compressor::~Compressor() {
  give_back(scratch_.encoders_[index_of(compression_)], std::move(encoder_));
}

void Compressor::write(ByteView plain) {
  if (!plain.empty()) encoder_->write(plain, out_);
}

void Compressor::finish() { encoder_->finish(out_); }

}  // namespace arus::record
