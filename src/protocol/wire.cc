#include "protocol/wire.h"

#include <limits>

#include "protocol/utf8.h"

namespace arus::protocol {
namespace {

// −1 is null. Anything else is at most what is left.
std::int64_t read_length(Decoder& in, bool flexible, bool short_length) {
  std::int64_t length;
  if (flexible) {
    length = std::int64_t{in.uvarint()} - 1;
  } else {
    length = short_length ? std::int64_t{in.i16()} : std::int64_t{in.i32()};
  }
  if (length < -1 || length > static_cast<std::int64_t>(in.remaining())) {
    in.fail();
    return 0;
  }
  return length;
}

std::string read_text(Decoder& in, std::int64_t length) {
  const std::string_view text = in.text(static_cast<std::size_t>(length));
  if (!is_utf8(text)) {
    in.fail();
    return {};
  }
  return std::string(text);
}

void write_length(Writer& out, std::size_t length, bool flexible, bool short_length) {
  if (flexible) {
    out.uvarint(length + 1);
  } else if (short_length) {
    out.i16(static_cast<std::int16_t>(length));
  } else {
    out.i32(static_cast<std::int32_t>(length));
  }
}

}  // namespace

std::string read_string(Decoder& in, bool flexible) {
  const std::int64_t length = read_length(in, flexible, true);
  if (length < 0) {
    in.fail();
    return {};
  }
  return read_text(in, length);
}

std::optional<std::string> read_nullable_string(Decoder& in, bool flexible) {
  const std::int64_t length = read_length(in, flexible, true);
  if (length < 0) return std::nullopt;
  return read_text(in, length);
}

Slice read_bytes(Decoder& in, bool flexible) {
  const std::int64_t length = read_length(in, flexible, false);
  if (length < 0) {
    in.fail();
    return {};
  }
  return in.slice(static_cast<std::size_t>(length));
}

std::optional<Slice> read_nullable_bytes(Decoder& in, bool flexible) {
  const std::int64_t length = read_length(in, flexible, false);
  if (length < 0) return std::nullopt;
  return in.slice(static_cast<std::size_t>(length));
}

std::int32_t read_count(Decoder& in, bool flexible, std::size_t least_bytes) {
  const std::int64_t count = flexible ? std::int64_t{in.uvarint()} - 1 : std::int64_t{in.i32()};
  if (!in.ok() || count < -1 ||
      (count > 0 && static_cast<std::size_t>(count) > in.remaining() / least_bytes)) {
    in.fail();
    return 0;
  }
  return static_cast<std::int32_t>(count);
}

void write_string(Writer& out, std::string_view text, bool flexible) {
  write_length(out, text.size(), flexible, true);
  out.text(text);
}

void write_nullable_string(Writer& out, const std::optional<std::string>& text, bool flexible,
                           bool null_permitted) {
  if (text) {
    write_string(out, *text, flexible);
  } else if (!null_permitted) {
    write_string(out, {}, flexible);
  } else if (flexible) {
    out.uvarint(0);
  } else {
    out.i16(-1);
  }
}

void write_bytes(Writer& out, const Slice& bytes, bool flexible) {
  write_length(out, bytes.size(), flexible, false);
  out.share(bytes);
}

void write_nullable_bytes(Writer& out, const std::optional<Slice>& bytes, bool flexible,
                          bool null_permitted) {
  if (bytes) {
    write_bytes(out, *bytes, flexible);
  } else if (!null_permitted) {
    write_bytes(out, {}, flexible);
  } else {
    write_null(out, flexible);
  }
}

void write_count(Writer& out, std::size_t count, bool flexible) {
  write_length(out, count, flexible, false);
}

void write_null(Writer& out, bool flexible) {
  if (flexible) {
    out.uvarint(0);
  } else {
    out.i32(-1);
  }
}

bool TagReader::finish_one() {
  if (!in_tag_) return true;
  in_tag_ = false;
  if (!taken_) {
    unknown_.add({tag_, in_.slice(end_ - in_.position())});
    return in_.ok();
  }
  if (in_.ok() && in_.position() != end_) in_.fail();
  return in_.ok();
}

bool TagReader::next() {
  if (!began_) {
    left_ = in_.uvarint();
  } else if (!finish_one()) {
    return false;
  }
  if (left_ == 0 || !in_.ok()) return false;
  --left_;
  const std::uint32_t tag = in_.uvarint();
  const std::uint32_t size = in_.uvarint();
  if (!in_.ok() || size > in_.remaining() || (began_ && tag <= tag_)) {
    in_.fail();
    return false;
  }
  began_ = true;
  tag_ = tag;
  end_ = in_.position() + size;
  in_tag_ = true;
  taken_ = false;
  return true;
}

void TagWriter::field(std::uint32_t tag, std::size_t size_bytes) {
  write_below(tag);
  out_.uvarint(tag);
  out_.uvarint(size_bytes);
}

void TagWriter::write_below(std::uint64_t tag) {
  for (; next_ < unknown_.size() && unknown_[next_].tag < tag; ++next_) {
    out_.uvarint(unknown_[next_].tag);
    out_.uvarint(unknown_[next_].bytes.size());
    out_.bytes(unknown_[next_].bytes.view());
  }
}

TagSizes::TagSizes(const UnknownTags& unknown) : count_(unknown.size()) {
  for (std::size_t i = 0; i < unknown.size(); ++i) {
    const std::size_t size = unknown[i].bytes.size();
    bytes_ += uvarint_size(unknown[i].tag) + uvarint_size(size) + size;
  }
}

std::unexpected<Error> not_carried(std::string_view message, std::string_view field,
                                   std::int16_t version) {
  return fail(ErrorCode::unsupported_version, std::string(message) + " version " +
                                                  std::to_string(version) + " cannot carry " +
                                                  std::string(field));
}

std::unexpected<Error> not_decoded(std::string_view message, std::int16_t version,
                                   std::string_view why) {
  return fail(ErrorCode::invalid_request, std::string(message) + " version " +
                                              std::to_string(version) + ": " + std::string(why));
}

}  // namespace arus::protocol
