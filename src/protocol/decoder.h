// Reads the fields of a message from bytes that somebody else wrote.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error_code.h"
#include "base/ids.h"
#include "base/reader.h"
#include "base/uuid.h"
#include "protocol/unknown_tags.h"

namespace arus::protocol {

// What the elements of arrays may take in memory, against the bytes that they were read from: a
// message of a few bytes must not unfold to gigabytes.
inline constexpr std::size_t unfolded_bytes_per_byte = 64;
inline constexpr std::size_t min_unfolded_bytes = 64 << 10;
inline constexpr std::size_t max_unfolded_bytes = 256 << 20;

// A cursor over one message, in the compact or the old encoding.
//
// Holds: no count or length is believed before it was held against the bytes left and the memory
// above; text is well-formed UTF-8; after a failure all reads give zero or empty, ok() is false and
// problem() says why. Lives on the stack of whoever decodes; not thread-safe.
class Decoder : public Reader {
 public:
  // Large bytes become slices of `body`, which share its buffer.
  explicit Decoder(const Slice& body);
  // All bytes are copied.
  explicit Decoder(ByteView bytes);

  // Lengths as varints, tags behind each struct (KIP-482).
  void set_flexible(bool flexible) { flexible_ = flexible; }
  [[nodiscard]] bool flexible() const { return flexible_; }
  // Fails, and says why unless it has failed before.
  void refuse(const char* why);
  [[nodiscard]] const char* problem() const { return problem_; }

  void read(bool& value);
  void read(std::int8_t& value);
  void read(std::int16_t& value);
  void read(std::int32_t& value);
  void read(std::int64_t& value);
  void read(std::uint16_t& value);
  void read(std::uint32_t& value);
  void read(double& value);
  void read(Uuid& value);
  void read(ErrorCode& value);
  void read(BrokerId& value);
  void read(ProducerId& value);
  void read(std::string& value);
  void read(Slice& value);   // copied: small bytes must not keep a whole frame alive
  void share(Slice& value);  // into the body, where there is one
  void read(std::optional<std::string>& value, bool null_permitted);
  void read(std::optional<Slice>& value, bool null_permitted);
  void share(std::optional<Slice>& value, bool null_permitted);
  // In the old encoding also in flexible versions.
  void read_legacy(std::optional<std::string>& value);
  // Of numbers, text and bytes.
  template <class T>
  void read(std::vector<T>& items);
  template <class T>
  void read(std::optional<std::vector<T>>& items, bool null_permitted);

  // The count of an array whose elements take at least `least_bytes` each on the wire and
  // `element_bytes` in memory; −1 is null.
  std::int32_t count(std::size_t least_bytes, std::size_t element_bytes, bool null_permitted);
  // Accounts for memory that what was read will take; fails when it is too much.
  bool unfold(std::size_t bytes);
  // Whether a struct follows or null.
  bool present(bool null_permitted);
  // The tags of a struct that knows none.
  void read_tags(UnknownTags& tags);

 private:
  std::int64_t length(bool short_length);
  bool text(std::string& value, std::int64_t length);
  Slice slice(std::size_t count, bool shared);

  const Slice* body_ = nullptr;
  const char* problem_ = "it ends early, or a number is malformed";
  std::size_t unfolded_left_;
  bool flexible_ = false;
};

// Room is made for so many elements before the first of them is believed.
inline constexpr std::int32_t reserved_elements = 64;

// Arrays of structs.
template <class T>
[[gnu::noinline]] void read_structs(Decoder& in, std::int16_t version, std::vector<T>& items,
                                    std::int32_t count) {
  items.clear();
  if (count > 1) items.reserve(static_cast<std::size_t>(std::min(count, reserved_elements)));
  for (; count > 0 && in.ok(); --count) items.emplace_back().read(in, version);
}
template <class T>
void read_structs(Decoder& in, std::int16_t version, std::optional<std::vector<T>>& items,
                  std::int32_t count) {
  items.reset();
  if (count >= 0) read_structs(in, version, items.emplace(), count);
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

}  // namespace arus::protocol
