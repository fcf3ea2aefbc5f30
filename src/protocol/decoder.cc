#include "protocol/decoder.h"

#include <algorithm>

#include "protocol/utf8.h"

namespace arus::protocol {
namespace {

constexpr const char* null_refused = "null where it is not allowed";
// What the allocator and the owner of a slice take beside the bytes of a copy.
constexpr std::size_t copy_overhead_bytes = 96;
constexpr const char* beyond_end = "a length or count exceeds what is left";

std::size_t unfolded_limit(std::size_t size) {
  return std::min(std::max(size, min_unfolded_bytes / unfolded_bytes_per_byte),
                  max_unfolded_bytes / unfolded_bytes_per_byte) *
         unfolded_bytes_per_byte;
}

}  // namespace

Decoder::Decoder(const Slice& body)
    : Reader(body.view()), body_(&body), unfolded_left_(unfolded_limit(body.size())) {}
Decoder::Decoder(ByteView bytes) : Reader(bytes), unfolded_left_(unfolded_limit(bytes.size())) {}

void Decoder::refuse(const char* why) {
  if (ok()) problem_ = why;
  fail();
}

void Decoder::read(bool& value) { value = boolean(); }
void Decoder::read(std::int8_t& value) { value = i8(); }
void Decoder::read(std::int16_t& value) { value = i16(); }
void Decoder::read(std::int32_t& value) { value = i32(); }
void Decoder::read(std::int64_t& value) { value = i64(); }
void Decoder::read(std::uint16_t& value) { value = u16(); }
void Decoder::read(std::uint32_t& value) { value = u32(); }
void Decoder::read(double& value) { value = f64(); }
void Decoder::read(Uuid& value) { value = uuid(); }
void Decoder::read(ErrorCode& value) { value = static_cast<ErrorCode>(i16()); }
void Decoder::read(BrokerId& value) { value = BrokerId{i32()}; }
void Decoder::read(ProducerId& value) { value = ProducerId{i64()}; }

// −1 is null. Anything else is at most what is left.
std::int64_t Decoder::length(bool short_length) {
  std::int64_t length;
  if (flexible_) {
    length = std::int64_t{uvarint()} - 1;
    if (short_length && length > INT16_MAX) refuse("a text is longer than 32767 bytes");
  } else {
    length = short_length ? std::int64_t{i16()} : std::int64_t{i32()};
  }
  if (!ok()) return 0;
  if (length < -1 || length > static_cast<std::int64_t>(remaining())) {
    refuse(beyond_end);
    return 0;
  }
  return length;
}

bool Decoder::text(std::string& value, std::int64_t length) {
  const std::string_view raw = Reader::text(static_cast<std::size_t>(length));
  if (!is_utf8(raw)) {
    refuse("a text is not UTF-8");
    return false;
  }
  value.assign(raw);
  return true;
}

Slice Decoder::slice(std::size_t count, bool shared) {
  const std::size_t at = position();
  const ByteView view = bytes(count);
  if (view.size() != count) return {};
  if (shared && body_ != nullptr) return body_->sub(at, count);
  return unfold(copy_overhead_bytes) ? Slice::copy_of(view) : Slice{};
}

void Decoder::read(std::string& value) {
  const std::int64_t size = length(true);
  if (size < 0) return refuse(null_refused);
  text(value, size);
}

void Decoder::read(std::optional<std::string>& value, bool null_permitted) {
  value.reset();
  const std::int64_t size = length(true);
  if (size >= 0) {
    text(value.emplace(), size);
  } else if (!null_permitted) {
    refuse(null_refused);
  }
}

void Decoder::read_legacy(std::optional<std::string>& value) {
  const bool flexible = flexible_;
  flexible_ = false;
  read(value, true);
  flexible_ = flexible;
}

void Decoder::read(Slice& value) {
  const std::int64_t size = length(false);
  if (size < 0) return refuse(null_refused);
  value = slice(static_cast<std::size_t>(size), false);
}

void Decoder::share(Slice& value) {
  const std::int64_t size = length(false);
  if (size < 0) return refuse(null_refused);
  value = slice(static_cast<std::size_t>(size), true);
}

void Decoder::read(std::optional<Slice>& value, bool null_permitted) {
  value.reset();
  const std::int64_t size = length(false);
  if (size >= 0) {
    value = slice(static_cast<std::size_t>(size), false);
  } else if (!null_permitted) {
    refuse(null_refused);
  }
}

void Decoder::share(std::optional<Slice>& value, bool null_permitted) {
  value.reset();
  const std::int64_t size = length(false);
  if (size >= 0) {
    value = slice(static_cast<std::size_t>(size), true);
  } else if (!null_permitted) {
    refuse(null_refused);
  }
}

std::int32_t Decoder::count(std::size_t least_bytes, std::size_t element_bytes,
                            bool null_permitted) {
  const std::int64_t count = flexible_ ? std::int64_t{uvarint()} - 1 : std::int64_t{i32()};
  if (!ok()) return 0;
  if (count == -1) {
    if (!null_permitted) refuse(null_refused);
    return null_permitted ? -1 : 0;
  }
  if (count < 0 || static_cast<std::size_t>(count) > remaining() / least_bytes) {
    refuse(beyond_end);
    return 0;
  }
  if (!unfold(static_cast<std::size_t>(count) * element_bytes)) return 0;
  return static_cast<std::int32_t>(count);
}

bool Decoder::unfold(std::size_t bytes) {
  if (bytes > unfolded_left_) {
    refuse("it unfolds to too much memory");
    return false;
  }
  unfolded_left_ -= bytes;
  return true;
}

template <class T>
void Decoder::read(std::vector<T>& items) {
  constexpr bool sized = std::is_same_v<T, std::string> || std::is_same_v<T, Slice>;
  std::int32_t left = count(sized ? 1 : sizeof(T), sizeof(T), false);
  items.clear();
  // Numbers are all there already; texts are believed one by one.
  if (!sized) items.reserve(static_cast<std::size_t>(left));
  for (; left > 0 && ok(); --left) read(items.emplace_back());
}

template <class T>
void Decoder::read(std::optional<std::vector<T>>& items, bool null_permitted) {
  items.reset();
  constexpr bool sized = std::is_same_v<T, std::string> || std::is_same_v<T, Slice>;
  std::int32_t left = count(sized ? 1 : sizeof(T), sizeof(T), null_permitted);
  if (left < 0) return;
  auto& into = items.emplace();
  if (!sized) into.reserve(static_cast<std::size_t>(left));
  for (; left > 0 && ok(); --left) read(into.emplace_back());
}

// The element types that the schema has.
// NOLINTBEGIN(bugprone-macro-parentheses): a type takes none.
#define ARUS_ARRAY_OF(T)                           \
  template void Decoder::read<T>(std::vector<T>&); \
  template void Decoder::read<T>(std::optional<std::vector<T>>&, bool);
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

bool Decoder::present(bool null_permitted) {
  if (i8() >= 0) return ok();
  if (!null_permitted) refuse(null_refused);
  return false;
}

void Decoder::read_tags(UnknownTags& tags) {
  TagReader reader(*this, tags);
  while (reader.next()) {
  }
}

bool TagReader::finish_one() {
  if (!in_tag_) return true;
  in_tag_ = false;
  if (!taken_) {
    if (!in_.unfold(sizeof(RawTag) + copy_overhead_bytes)) return false;
    unknown_.add({tag_, Slice::copy_of(in_.bytes(end_ - in_.position()))});
  } else if (in_.ok() && in_.position() != end_) {
    in_.refuse("a tag has another size than it says");
  }
  return in_.ok();
}

bool TagReader::next() {
  if (!began_) {
    left_ = in_.uvarint();
    // Each takes a byte for its number and one for its size.
    if (left_ > in_.remaining() / 2) in_.refuse(beyond_end);
  } else if (!finish_one()) {
    return false;
  }
  if (left_ == 0 || !in_.ok()) return false;
  --left_;
  const std::uint32_t tag = in_.uvarint();
  const std::uint32_t size = in_.uvarint();
  if (!in_.ok()) return false;
  if (size > in_.remaining() || (began_ && tag <= tag_)) {
    in_.refuse(size > in_.remaining() ? beyond_end : "tags are out of order");
    return false;
  }
  began_ = true;
  tag_ = tag;
  end_ = in_.position() + size;
  in_tag_ = true;
  taken_ = false;
  return true;
}

}  // namespace arus::protocol
