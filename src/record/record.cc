#include "record/record.h"

#include "base/assert.h"
#include "record/legacy.h"

namespace arus::record {
namespace {

constexpr std::size_t max_varint_bytes = 5;

// int32 length, -1 for null, and so many bytes.
std::optional<ByteView> read_nullable(Reader& reader) {
  const std::int32_t length = reader.varint();
  if (length == -1) return std::nullopt;
  if (length < 0) reader.fail();
  return reader.bytes(length < 0 ? 0 : static_cast<std::size_t>(length));
}

}  // namespace

std::optional<Header> HeaderReader::next() {
  if (left_ <= 0) return std::nullopt;
  --left_;
  Header header;
  const auto key = read_nullable(reader_);
  header.value = read_nullable(reader_);
  if (!key) reader_.fail();
  if (left_ == 0 && reader_.remaining() != 0) reader_.fail();
  if (!reader_.ok()) {
    left_ = 0;
    return std::nullopt;
  }
  header.key = as_text(*key);
  return header;
}

// The plain bytes of a compressed batch, as far as the record at hand needs them.
struct RecordReader::Stream {
  Stream(CodecScratch& scratch, const BatchView& batch, const DecompressionLimits& limits)
      : decompressor(scratch, batch.compression(), batch.records(), limits),
        buffer(std::size_t{8} << 10) {}

  [[nodiscard]] ByteView ready() const { return {buffer.data() + begin, end - begin}; }

  // Makes `count` bytes ready, or as many as there are.
  Result<> ensure(std::size_t count) {
    while (end - begin < count) {
      if (begin != 0) {
        std::memmove(buffer.data(), buffer.data() + begin, end - begin);
        end -= begin;
        begin = 0;
      }
      // A claimed size is believed only as far as bytes keep coming.
      if (end == buffer.size()) buffer.resize(std::min(2 * buffer.size(), count));
      auto got = decompressor.read(MutableByteView{buffer}.subspan(end));
      if (!got) return fail(std::move(got).error());
      if (*got == 0) break;
      end += *got;
    }
    return {};
  }

  Decompressor decompressor;
  Bytes buffer;
  std::size_t begin = 0;
  std::size_t end = 0;
};

struct RecordReader::Legacy {
  LegacyReader reader;
};

RecordReader::RecordReader(const BatchView& batch, CodecScratch& scratch,
                           DecompressionLimits limits)
    : batch_(batch), plain_(ByteView{}), left_(0) {
  if (batch.is_legacy()) {
    legacy_ = std::make_unique<Legacy>(LegacyReader{batch, scratch, limits});
    return;
  }
  left_ = batch.count();
  if (batch.compression() == Compression::none) {
    plain_ = Reader{batch.records()};
  } else {
    stream_ = std::make_unique<Stream>(scratch, batch, limits);
  }
}

RecordReader::RecordReader(const BatchView& batch) : batch_(batch), plain_(ByteView{}), left_(0) {
  if (batch.compression() != Compression::none) {
    fail_with(ErrorCode::invalid_record, "The batch is compressed");
  } else if (batch.is_legacy()) {
    CodecScratch unused;
    legacy_ = std::make_unique<Legacy>(LegacyReader{batch, unused});
  } else {
    left_ = batch.count();
    plain_ = Reader{batch.records()};
  }
}

RecordReader::~RecordReader() = default;
RecordReader::RecordReader(RecordReader&&) noexcept = default;

std::optional<RecordView> RecordReader::fail_with(ErrorCode code, const char* message) {
  status_ = fail(code, message);
  ended_ = true;
  return std::nullopt;
}

std::optional<RecordView> RecordReader::next() {
  if (ended_) return std::nullopt;
  if (legacy_ != nullptr) {
    auto record = legacy_->reader.next();
    if (!record) {
      ended_ = true;
      status_ = legacy_->reader.status();
    }
    return record;
  }
  if (left_ < 0) return fail_with(ErrorCode::invalid_record, "The record count is negative");
  if (left_ == 0) return end();
  const auto body = next_body();
  if (!body) return std::nullopt;
  --left_;
  return decode(*body);
}

// The bytes of the next record after its length.
std::optional<ByteView> RecordReader::next_body() {
  if (stream_ == nullptr) {
    const std::int32_t length = plain_.varint();
    if (length < 0) plain_.fail();
    const ByteView body = plain_.bytes(plain_.ok() ? static_cast<std::size_t>(length) : 0);
    if (plain_.ok()) return body;
    fail_with(ErrorCode::invalid_record, "The batch ends before its last record");
    return std::nullopt;
  }
  auto ensured = stream_->ensure(max_varint_bytes);
  if (ensured) {
    Reader front{stream_->ready()};
    const std::int32_t length = front.varint();
    if (!front.ok() || length < 0) {
      fail_with(ErrorCode::invalid_record, "The batch ends before its last record");
      return std::nullopt;
    }
    stream_->begin += front.position();
    const auto size = static_cast<std::size_t>(length);
    ensured = stream_->ensure(size);
    if (ensured && stream_->ready().size() >= size) {
      const ByteView body = stream_->ready().first(size);
      stream_->begin += size;
      return body;
    }
  }
  if (ensured) {
    fail_with(ErrorCode::invalid_record, "The batch ends before its last record");
  } else {
    status_ = ensured;
    ended_ = true;
  }
  return std::nullopt;
}

std::optional<RecordView> RecordReader::end() {
  if (stream_ != nullptr) {
    if (auto ensured = stream_->ensure(1); !ensured) {
      status_ = ensured;
      ended_ = true;
      return std::nullopt;
    }
  }
  const std::size_t beyond = stream_ != nullptr ? stream_->ready().size() : plain_.remaining();
  if (beyond != 0) {
    return fail_with(ErrorCode::invalid_record, "The batch goes on behind its last record");
  }
  ended_ = true;
  return std::nullopt;
}

std::optional<RecordView> RecordReader::decode(ByteView body) {
  Reader reader{body};
  RecordView record;
  reader.skip(1);  // attributes: none are defined
  const std::int64_t timestamp_delta = reader.varlong();
  record.offset = batch_.base_offset() + reader.varint();
  record.timestamp_ms =
      batch_.timestamp_type() == TimestampType::log_append_time
          ? batch_.max_timestamp_ms()
          : static_cast<std::int64_t>(static_cast<std::uint64_t>(batch_.base_timestamp_ms()) +
                                      static_cast<std::uint64_t>(timestamp_delta));
  record.key = read_nullable(reader);
  record.value = read_nullable(reader);
  record.header_count = reader.varint();
  record.header_bytes = reader.rest();
  record.size_bytes = varint_size(static_cast<std::int32_t>(body.size())) + body.size();
  const std::size_t most_headers = record.header_bytes.size() / 2;
  const bool headers_fit = record.header_count >= 0 &&
                           static_cast<std::size_t>(record.header_count) <= most_headers &&
                           (record.header_count != 0 || record.header_bytes.empty());
  if (!reader.ok() || !headers_fit) {
    return fail_with(ErrorCode::invalid_record, "A record contradicts its own length");
  }
  return record;
}

}  // namespace arus::record
