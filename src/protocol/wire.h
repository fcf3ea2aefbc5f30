// What generated messages are made of: strings, bytes, counts and tags, in both encodings.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/reader.h"
#include "base/result.h"
#include "base/writer.h"

namespace arus::protocol {

// A tagged field that this version of the schema does not know, kept to be written again.
struct RawTag {
  std::uint32_t tag = 0;
  Slice bytes;
  friend bool operator==(const RawTag&, const RawTag&) = default;
};

// One pointer while there are none, which is nearly always. Ordered by tag.
class UnknownTags {
 public:
  UnknownTags() = default;
  UnknownTags(const UnknownTags& other) { *this = other; }
  UnknownTags(UnknownTags&&) noexcept = default;
  UnknownTags& operator=(const UnknownTags& other) {
    if (this != &other) {
      tags_ = other.tags_ ? std::make_unique<std::vector<RawTag>>(*other.tags_) : nullptr;
    }
    return *this;
  }
  UnknownTags& operator=(UnknownTags&&) noexcept = default;
  ~UnknownTags() = default;

  void add(RawTag tag) {
    if (!tags_) tags_ = std::make_unique<std::vector<RawTag>>();
    tags_->push_back(std::move(tag));
  }
  void clear() { tags_ = nullptr; }
  [[nodiscard]] std::size_t size() const { return tags_ ? tags_->size() : 0; }
  [[nodiscard]] const RawTag& operator[](std::size_t i) const { return (*tags_)[i]; }
  friend bool operator==(const UnknownTags& a, const UnknownTags& b) {
    return a.size() == b.size() && (!a.tags_ || *a.tags_ == *b.tags_);
  }

 private:
  std::unique_ptr<std::vector<RawTag>> tags_;
};

// A reader that can hand out slices of the buffer it reads, without copying.
class Decoder : public Reader {
 public:
  explicit Decoder(const Slice& body) : Reader(body.view()), body_(&body) {}
  explicit Decoder(ByteView bytes) : Reader(bytes) {}

  Slice slice(std::size_t count) {
    const std::size_t at = position();
    const ByteView view = bytes(count);
    if (view.size() != count) return {};
    return body_ != nullptr ? body_->sub(at, count) : Slice::copy_of(view);
  }

 private:
  const Slice* body_ = nullptr;
};

// Null where it is not allowed, and lengths beyond what is left, make the decoder fail. Text is
// checked to be UTF-8.
std::string read_string(Decoder& in, bool flexible);
std::optional<std::string> read_nullable_string(Decoder& in, bool flexible);
Slice read_bytes(Decoder& in, bool flexible);
std::optional<Slice> read_nullable_bytes(Decoder& in, bool flexible);
// The count of an array whose elements take at least `least_bytes` each; −1 is null.
std::int32_t read_count(Decoder& in, bool flexible, std::size_t least_bytes);

void write_string(Writer& out, std::string_view text, bool flexible);
void write_nullable_string(Writer& out, const std::optional<std::string>& text, bool flexible,
                           bool null_permitted);
void write_bytes(Writer& out, const Slice& bytes, bool flexible);
void write_nullable_bytes(Writer& out, const std::optional<Slice>& bytes, bool flexible,
                          bool null_permitted);
void write_count(Writer& out, std::size_t count, bool flexible);
void write_null(Writer& out, bool flexible);

[[nodiscard]] inline std::size_t string_size(std::size_t length, bool flexible) {
  return length + (flexible ? uvarint_size(length + 1) : 2);
}
[[nodiscard]] inline std::size_t bytes_size(std::size_t length, bool flexible) {
  return length + (flexible ? uvarint_size(length + 1) : 4);
}
[[nodiscard]] inline std::size_t count_size(std::size_t count, bool flexible) {
  return flexible ? uvarint_size(count + 1) : 4;
}

// Walks the tags at the end of a struct. A tag that the caller does not take is kept as it is.
// Tags out of order, twice the same, or of another size than they claim make the decoder fail.
class TagReader {
 public:
  TagReader(Decoder& in, UnknownTags& unknown) : in_(in), unknown_(unknown) { unknown_.clear(); }
  bool next();
  [[nodiscard]] std::uint32_t tag() const { return tag_; }
  void taken() { taken_ = true; }

 private:
  bool finish_one();

  Decoder& in_;
  UnknownTags& unknown_;
  std::uint32_t left_ = 0;
  std::uint32_t tag_ = 0;
  std::size_t end_ = 0;
  bool began_ = false;
  bool in_tag_ = false;
  bool taken_ = false;
};

// Writes the tags at the end of a struct, known and unknown ones in one ascending order.
class TagWriter {
 public:
  TagWriter(Writer& out, const UnknownTags& unknown) : out_(out), unknown_(unknown) {}
  void expect() { ++known_; }
  void begin() { out_.uvarint(known_ + unknown_.size()); }
  // The field's own bytes follow.
  void field(std::uint32_t tag, std::size_t size_bytes);
  void end() { write_below(UINT64_MAX); }

 private:
  void write_below(std::uint64_t tag);

  Writer& out_;
  const UnknownTags& unknown_;
  std::size_t known_ = 0;
  std::size_t next_ = 0;
};

// The size of what TagWriter writes.
class TagSizes {
 public:
  explicit TagSizes(const UnknownTags& unknown);
  void field(std::uint32_t tag, std::size_t size_bytes) {
    ++count_;
    bytes_ += uvarint_size(tag) + uvarint_size(size_bytes) + size_bytes;
  }
  [[nodiscard]] std::size_t total() const { return uvarint_size(count_) + bytes_; }

 private:
  std::size_t count_;
  std::size_t bytes_ = 0;
};

[[nodiscard]] std::unexpected<Error> not_carried(std::string_view message, std::string_view field,
                                                 std::int16_t version);
[[nodiscard]] std::unexpected<Error> not_decoded(std::string_view message, std::int16_t version,
                                                 std::string_view why);

template <class Message>
Result<Message> decode_whole(const Slice& body, std::int16_t version) {
  if (version < Message::min_version || version > Message::max_version) {
    return not_decoded(Message::message_name, version, "there is no such version");
  }
  Decoder in{body};
  Message message;
  message.read(in, version);
  if (!in.ok())
    return not_decoded(Message::message_name, version, "it ends early or holds a bad length");
  if (!in.at_end()) return not_decoded(Message::message_name, version, "bytes follow it");
  return message;
}

template <class Message>
Result<Message> decode_part(Reader& from, std::int16_t version) {
  if (version < Message::min_version || version > Message::max_version) {
    return not_decoded(Message::message_name, version, "there is no such version");
  }
  Decoder in{from.rest()};
  Message message;
  message.read(in, version);
  if (!in.ok()) {
    from.fail();
    return not_decoded(Message::message_name, version, "it ends early or holds a bad length");
  }
  from.skip(in.position());
  return message;
}

}  // namespace arus::protocol
