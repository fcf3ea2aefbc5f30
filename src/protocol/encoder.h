// Writes the fields of a message, or only counts their bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error_code.h"
#include "base/ids.h"
#include "base/uuid.h"
#include "base/writer.h"
#include "protocol/unknown_tags.h"

namespace arus::protocol {

// The longest text that the old encoding can say; Kafka reads no longer one in either.
inline constexpr std::size_t max_text_bytes = 32767;

// Holds: what is counted is what is written. A longer text than max_text_bytes is cut, at the end
// of a character: check() of a message says so beforehand. Null where it is not permitted becomes
// empty, likewise. Lives on the stack of whoever encodes; not thread-safe.
class Encoder {
 public:
  // Counts only.
  explicit Encoder(bool flexible) : flexible_(flexible) {}
  Encoder(Writer& out, bool flexible) : out_(&out), flexible_(flexible) {}

  [[nodiscard]] bool flexible() const { return flexible_; }
  [[nodiscard]] std::size_t size_bytes() const { return size_; }

  void put(bool value);
  void put(std::int8_t value);
  void put(std::int16_t value);
  void put(std::int32_t value);
  void put(std::int64_t value);
  void put(std::uint16_t value);
  void put(std::uint32_t value);
  void put(double value);
  void put(const Uuid& value);
  void put(ErrorCode value) { put(static_cast<std::int16_t>(value)); }
  void put(BrokerId value) { put(value.value()); }
  void put(ProducerId value) { put(value.value()); }
  void put(const std::string& value) { text(value); }
  void put(const Slice& value);  // shared with the writer when large
  void put(const std::optional<std::string>& value, bool null_permitted);
  void put(const std::optional<Slice>& value, bool null_permitted);
  // In the old encoding also in flexible versions.
  void put_legacy(const std::optional<std::string>& value);
  // Of numbers, text and bytes.
  template <class T>
  void put(const std::vector<T>& items);
  template <class T>
  void put(const std::optional<std::vector<T>>& items, bool null_permitted);

  // Before the elements of an array; −1 is null.
  void count(std::int64_t count, bool null_permitted);
  void present(bool present) { put(static_cast<std::int8_t>(present ? 1 : -1)); }
  void uvarint(std::uint64_t value);
  void raw(ByteView bytes);
  // The tags of a struct that knows none.
  void put_tags(const UnknownTags& tags);

 private:
  void text(std::string_view value);

  Writer* out_ = nullptr;
  std::size_t size_ = 0;
  bool flexible_;
};

// Arrays of structs.
template <class T>
[[gnu::noinline]] void write_structs(Encoder& out, std::int16_t version,
                                     const std::vector<T>& items) {
  out.count(static_cast<std::int64_t>(items.size()), false);
  for (const T& item : items) item.write(out, version);
}
template <class T>
void write_structs(Encoder& out, std::int16_t version, const std::optional<std::vector<T>>& items,
                   bool null_permitted) {
  if (items) {
    write_structs(out, version, *items);
  } else {
    out.count(-1, null_permitted);
  }
}

// Writes the tags at the end of a struct, known and unknown ones in one ascending order.
class TagWriter {
 public:
  TagWriter(Encoder& out, const UnknownTags& unknown, std::size_t known)
      : out_(out), unknown_(unknown) {
    out.uvarint(known + unknown.size());
  }
  // `write` is called twice: once to count.
  template <class Write>
  void field(std::uint32_t tag, const Write& write) {
    Encoder counting(out_.flexible());
    write(counting);
    begin_field(tag, counting.size_bytes());
    write(out_);
  }
  void end() { write_below(UINT64_MAX); }

 private:
  void begin_field(std::uint32_t tag, std::size_t size_bytes);
  void write_below(std::uint64_t tag);

  Encoder& out_;
  const UnknownTags& unknown_;
  std::size_t next_ = 0;
};

}  // namespace arus::protocol
