#include "protocol/encoder.h"

namespace arus::protocol {
namespace {

// No more than can be said, and no half of a character.
std::string_view sayable(std::string_view text) {
  if (text.size() <= max_text_bytes) return text;
  std::size_t size = max_text_bytes;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80U) --size;
  return text.substr(0, size);
}

}  // namespace

void Encoder::put(bool value) {
  size_ += 1;
  if (out_ != nullptr) out_->boolean(value);
}
void Encoder::put(std::int8_t value) {
  size_ += 1;
  if (out_ != nullptr) out_->i8(value);
}
void Encoder::put(std::int16_t value) {
  size_ += 2;
  if (out_ != nullptr) out_->i16(value);
}
void Encoder::put(std::int32_t value) {
  size_ += 4;
  if (out_ != nullptr) out_->i32(value);
}
void Encoder::put(std::int64_t value) {
  size_ += 8;
  if (out_ != nullptr) out_->i64(value);
}
void Encoder::put(std::uint16_t value) {
  size_ += 2;
  if (out_ != nullptr) out_->u16(value);
}
void Encoder::put(std::uint32_t value) {
  size_ += 4;
  if (out_ != nullptr) out_->u32(value);
}
void Encoder::put(double value) {
  size_ += 8;
  if (out_ != nullptr) out_->f64(value);
}
void Encoder::put(const Uuid& value) {
  size_ += 16;
  if (out_ != nullptr) out_->uuid(value);
}

void Encoder::uvarint(std::uint64_t value) {
  size_ += uvarint_size(value);
  if (out_ != nullptr) out_->uvarint(value);
}

void Encoder::raw(ByteView bytes) {
  size_ += bytes.size();
  if (out_ != nullptr) out_->bytes(bytes);
}

void Encoder::text(std::string_view value) {
  value = sayable(value);
  if (flexible_) {
    uvarint(value.size() + 1);
  } else {
    put(static_cast<std::int16_t>(value.size()));
  }
  raw(as_bytes(value));
}

void Encoder::put(const std::optional<std::string>& value, bool null_permitted) {
  if (value || !null_permitted) return text(value ? std::string_view(*value) : std::string_view{});
  if (flexible_) {
    uvarint(0);
  } else {
    put(std::int16_t{-1});
  }
}

void Encoder::put_legacy(const std::optional<std::string>& value) {
  const bool flexible = flexible_;
  flexible_ = false;
  put(value, true);
  flexible_ = flexible;
}

void Encoder::count(std::int64_t count, bool null_permitted) {
  if (count < 0 && !null_permitted) count = 0;
  if (flexible_) {
    uvarint(static_cast<std::uint64_t>(count + 1));
  } else {
    put(static_cast<std::int32_t>(count));
  }
}

void Encoder::put(const Slice& value) {
  count(static_cast<std::int64_t>(value.size()), false);
  size_ += value.size();
  if (out_ != nullptr) out_->share(value);
}

void Encoder::put(const std::optional<Slice>& value, bool null_permitted) {
  if (value) return put(*value);
  count(-1, null_permitted);
}

template <class T>
void Encoder::put(const std::vector<T>& items) {
  count(static_cast<std::int64_t>(items.size()), false);
  for (const T& item : items) put(item);
}

template <class T>
void Encoder::put(const std::optional<std::vector<T>>& items, bool null_permitted) {
  if (items) return put(*items);
  count(-1, null_permitted);
}

// The element types that the schema has.
// NOLINTBEGIN(bugprone-macro-parentheses): a type
#define ARUS_ARRAY_OF(T)                                \
  template void Encoder::put<T>(const std::vector<T>&); \
  template void Encoder::put<T>(const std::optional<std::vector<T>>&, bool);
// NOLINTEND(bugprone-macro-parentheses)
ARUS_ARRAY_OF(std::int8_t)
ARUS_ARRAY_OF(std::int16_t)
ARUS_ARRAY_OF(std::int32_t)
ARUS_ARRAY_OF(std::int64_t)
ARUS_ARRAY_OF(Uuid)
ARUS_ARRAY_OF(BrokerId)
ARUS_ARRAY_OF(ProducerId)
ARUS_ARRAY_OF(ErrorCode)
ARUS_ARRAY_OF(std::string)
ARUS_ARRAY_OF(Slice)
#undef ARUS_ARRAY_OF

void Encoder::put_tags(const UnknownTags& tags) {
  if (tags.empty()) return uvarint(0);
  TagWriter(*this, tags, 0).end();
}

void TagWriter::begin_field(std::uint32_t tag, std::size_t size_bytes) {
  write_below(tag);
  out_.uvarint(tag);
  out_.uvarint(size_bytes);
}

void TagWriter::write_below(std::uint64_t tag) {
  for (; next_ < unknown_.size() && unknown_[next_].tag < tag; ++next_) {
    out_.uvarint(unknown_[next_].tag);
    out_.uvarint(unknown_[next_].bytes.size());
    out_.raw(unknown_[next_].bytes.view());
  }
}

}  // namespace arus::protocol
