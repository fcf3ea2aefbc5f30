#include <snappy.h>

#include "base/assert.h"
#include "base/reader.h"
#include "record/codec.h"

namespace arus::record {
namespace {

// Java's framing: this header, version and lowest compatible version (int32 each), then blocks,
// each behind its int32 length. Other clients write one raw block and nothing else.
constexpr std::uint8_t xerial_magic[] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};
constexpr std::int32_t xerial_version = 1;
constexpr std::size_t xerial_header_bytes = 16;
constexpr std::size_t block_bytes = std::size_t{32} << 10;  // that we write
// Blocks up to this plain size go through the library whole; larger ones are streamed.
constexpr std::size_t whole_block_bytes = std::size_t{64} << 10;

bool is_xerial(ByteView bytes) {
  return bytes.size() >= xerial_header_bytes && equal(bytes.first(8), xerial_magic);
}

// One element of a block: bytes to take over, or a stretch of earlier output to repeat.
struct Element {
  std::size_t length;
  std::size_t offset;  // back from here, of a copy
  bool literal;        // `length` bytes follow in the input
};

// The next element's tag. The reader fails where the input ends inside it.
Element read_element(Reader& input) {
  const std::uint8_t tag = input.u8();
  const auto little = [&input](std::size_t width) {
    const ByteView raw = input.bytes(width);
    std::size_t value = 0;
    for (std::size_t i = raw.size(); i > 0; --i) value = value << 8 | raw[i - 1];
    return value;
  };
  switch (tag & 3) {
    case 0: {
      const std::size_t length = tag >> 2;
      return {length < 60 ? length + 1 : little(length - 59) + 1, 0, true};
    }
    case 1:
      return {std::size_t{4} + ((tag >> 2) & 7U), (std::size_t{tag} >> 5 << 8) | input.u8(), false};
    case 2:
      return {std::size_t{1} + (tag >> 2), little(2), false};
    default:
      return {std::size_t{1} + (tag >> 2), little(4), false};
  }
}

// How far back the block's copies reach at most; nothing for a block that is damaged.
std::optional<std::size_t> find_reach(ByteView block, std::size_t plain_bytes) {
  Reader input{block};
  std::size_t produced = 0;
  std::size_t reach = 0;
  while (input.remaining() != 0) {
    const Element element = read_element(input);
    if (element.literal) {
      input.skip(element.length);
    } else if (element.offset == 0 || element.offset > produced) {
      return std::nullopt;
    }
    reach = std::max(reach, element.offset);
    produced += element.length;
    if (!input.ok() || produced > plain_bytes) return std::nullopt;
  }
  if (!input.ok() || produced != plain_bytes) return std::nullopt;
  return reach;
}

// Decodes one block of any size with the memory that its copies' reach asks for.
class BlockStream {
 public:
  Result<> begin(ByteView block, std::size_t plain_bytes, std::size_t window_limit_bytes) {
    const auto reach = find_reach(block, plain_bytes);
    if (!reach) return damaged("The snappy data is damaged");
    if (*reach > window_limit_bytes) return damaged("The snappy data reaches too far back");
    reach_ = *reach;
    // Moving the window costs its size: it pays for at least as many new bytes.
    buffer_.resize(reach_ + std::max(reach_, least_step_bytes));
    input_ = Reader{block};
    read_ = written_ = 0;
    element_ = {};
    return {};
  }

  // Up to `into`.size() bytes; 0 at the end of the block.
  std::size_t read(MutableByteView into) {
    if (read_ == written_) decode_some();
    const std::size_t count = std::min(into.size(), written_ - read_);
    std::copy_n(buffer_.data() + read_, count, into.data());
    read_ += count;
    return count;
  }

  [[nodiscard]] std::size_t memory_bytes() const { return buffer_.capacity(); }

 private:
  static constexpr std::size_t least_step_bytes = std::size_t{64} << 10;

  // The block was walked once already, so that its elements are known to fit.
  void decode_some() {
    if (written_ > reach_) {
      std::memmove(buffer_.data(), buffer_.data() + written_ - reach_, reach_);
      written_ = reach_;
    }
    read_ = written_;
    while (written_ < buffer_.size()) {
      if (element_.length == 0) {
        if (input_.remaining() == 0) return;
        element_ = read_element(input_);
      }
      const std::size_t count = std::min(element_.length, buffer_.size() - written_);
      std::uint8_t* to = buffer_.data() + written_;
      if (element_.literal) {
        std::memcpy(to, input_.bytes(count).data(), count);
      } else {
        repeat(to, count);
      }
      written_ += count;
      element_.length -= count;
    }
  }

  void repeat(std::uint8_t* to, std::size_t count) const {
    const std::uint8_t* from = to - element_.offset;
    if (element_.offset >= count) {
      std::memcpy(to, from, count);
    } else {
      for (std::size_t i = 0; i < count; ++i) to[i] = from[i];  // they overlap: repeats a pattern
    }
  }

  Bytes buffer_;  // the last reach_ bytes that were read, then those not read yet
  std::size_t reach_ = 0;
  std::size_t read_ = 0;
  std::size_t written_ = 0;
  Element element_{};
  Reader input_{ByteView{}};
};

class SnappyDecoder final : public Decoder {
 public:
  Result<> begin(ByteView compressed, const DecompressionLimits& limits) override {
    window_limit_bytes_ = limits.window_bytes;
    source_ = Source::none;
    left_ = compressed;
    if (is_xerial(compressed)) return skip_header();
    left_ = {};
    return open_block(compressed);
  }

  Result<std::size_t> read(MutableByteView into) override {
    std::size_t filled = 0;
    while (filled < into.size()) {
      const std::size_t count = read_block(into.subspan(filled));
      filled += count;
      if (count != 0) continue;
      if (left_.empty()) break;
      ARUS_TRY(open_next_block());
    }
    return filled;
  }

  [[nodiscard]] std::size_t memory_bytes() const override {
    return whole_.capacity() + stream_.memory_bytes();
  }

 private:
  enum class Source { none, whole, stream };

  Result<> skip_header() {
    Reader header{left_.first(xerial_header_bytes)};
    header.skip(8);
    if (header.i32() < xerial_version) return damaged("The snappy framing has an unknown version");
    left_ = left_.subspan(xerial_header_bytes);
    return {};
  }

  Result<> open_next_block() {
    // Streams that were put one behind the other repeat the header.
    if (is_xerial(left_)) return skip_header();
    Reader reader{left_};
    const std::int32_t length = reader.i32();
    const ByteView block = length < 0 ? ByteView{} : reader.bytes(static_cast<std::size_t>(length));
    if (!reader.ok() || length <= 0) return damaged("The snappy data is cut off");
    left_ = reader.rest();
    return open_block(block);
  }

  Result<> open_block(ByteView block) {
    Reader reader{block};
    const std::size_t plain_bytes = reader.uvarint();
    if (!reader.ok()) return damaged("The snappy data is damaged");
    if (plain_bytes > whole_block_bytes) {
      source_ = Source::stream;
      return stream_.begin(reader.rest(), plain_bytes, window_limit_bytes_);
    }
    whole_.resize(plain_bytes);
    whole_read_ = 0;
    source_ = Source::whole;
    if (!snappy::RawUncompress(as_text(block).data(), block.size(),
                               reinterpret_cast<char*>(whole_.data()))) {
      return damaged("The snappy data is damaged");
    }
    return {};
  }

  std::size_t read_block(MutableByteView into) {
    if (source_ == Source::none) return 0;
    if (source_ == Source::stream) return stream_.read(into);
    const std::size_t count = std::min(into.size(), whole_.size() - whole_read_);
    std::copy_n(whole_.data() + whole_read_, count, into.data());
    whole_read_ += count;
    return count;
  }

  ByteView left_;  // of the framing
  Source source_ = Source::none;
  Bytes whole_;
  std::size_t whole_read_ = 0;
  BlockStream stream_;
  std::size_t window_limit_bytes_ = 0;
};

class SnappyEncoder final : public Encoder {
 public:
  void begin(std::int32_t /*level*/, std::optional<std::size_t> /*plain_bytes*/,
             Bytes& out) override {
    pending_.clear();
    const std::size_t at = out.size();
    out.resize(at + xerial_header_bytes);
    std::copy_n(xerial_magic, 8, out.data() + at);
    store_big(out.data() + at + 8, xerial_version);
    store_big(out.data() + at + 12, xerial_version);
  }

  void write(ByteView plain, Bytes& out) override {
    while (!plain.empty()) {
      if (pending_.empty() && plain.size() >= block_bytes) {
        write_block(plain.first(block_bytes), out);
        plain = plain.subspan(block_bytes);
        continue;
      }
      const std::size_t count = std::min(plain.size(), block_bytes - pending_.size());
      pending_.insert(pending_.end(), plain.begin(), plain.begin() + static_cast<long>(count));
      plain = plain.subspan(count);
      if (pending_.size() == block_bytes) flush(out);
    }
  }

  void finish(Bytes& out) override {
    if (!pending_.empty()) flush(out);
  }

  [[nodiscard]] std::size_t memory_bytes() const override { return pending_.capacity(); }

 private:
  void flush(Bytes& out) {
    write_block(pending_, out);
    pending_.clear();
  }

  static void write_block(ByteView plain, Bytes& out) {
    const std::size_t at = out.size();
    out.resize(at + 4 + snappy::MaxCompressedLength(plain.size()));
    std::size_t length = 0;
    snappy::RawCompress(as_text(plain).data(), plain.size(),
                        reinterpret_cast<char*>(out.data() + at + 4), &length);
    store_big(out.data() + at, static_cast<std::int32_t>(length));
    out.resize(at + 4 + length);
  }

  Bytes pending_;
};

}  // namespace

std::unique_ptr<Decoder> make_snappy_decoder() { return std::make_unique<SnappyDecoder>(); }
std::unique_ptr<Encoder> make_snappy_encoder() { return std::make_unique<SnappyEncoder>(); }

namespace {

std::size_t block_window_bytes(ByteView block) {
  Reader reader{block};
  const std::size_t plain_bytes = reader.uvarint();
  if (plain_bytes <= whole_block_bytes) return plain_bytes;
  const auto reach = find_reach(reader.rest(), plain_bytes);
  return reach ? *reach + std::max(*reach, whole_block_bytes) : 0;
}

}  // namespace

std::size_t snappy_window_bytes(ByteView compressed) {
  if (!is_xerial(compressed)) return block_window_bytes(compressed);
  std::size_t largest = 0;
  Reader frame{compressed.subspan(xerial_header_bytes)};
  while (frame.remaining() != 0) {
    const std::int32_t length = frame.i32();
    if (length < 0) {
      frame.skip(xerial_header_bytes - 4);  // the header of another stream
      continue;
    }
    largest = std::max(largest, block_window_bytes(frame.bytes(static_cast<std::size_t>(length))));
  }
  return largest;
}

}  // namespace arus::record
