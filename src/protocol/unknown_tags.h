// Tagged fields that the schema does not name, kept to be written again (KIP-482).
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace arus::protocol {

struct RawTag {
  std::uint32_t tag = 0;
  Slice bytes;
  friend bool operator==(const RawTag&, const RawTag&) = default;
};

// The unknown tags of one struct, in ascending order. One pointer while there are none, which is
// nearly always. Owned by the struct; a copy is deep.
class UnknownTags {
 public:
  UnknownTags() = default;
  UnknownTags(const UnknownTags& other);
  UnknownTags(UnknownTags&&) noexcept = default;
  UnknownTags& operator=(const UnknownTags& other);
  UnknownTags& operator=(UnknownTags&&) noexcept = default;
  ~UnknownTags() = default;

  void add(RawTag tag);
  void clear() { tags_ = nullptr; }
  [[nodiscard]] bool empty() const { return tags_ == nullptr; }
  [[nodiscard]] std::size_t size() const { return tags_ ? tags_->size() : 0; }
  [[nodiscard]] const RawTag& operator[](std::size_t i) const { return (*tags_)[i]; }
  friend bool operator==(const UnknownTags& a, const UnknownTags& b) {
    return a.size() == b.size() && (a.empty() || *a.tags_ == *b.tags_);
  }

 private:
  // Out of line, so that each of some hundred structs is spared the code.
  struct Free {
    void operator()(std::vector<RawTag>* tags) const;
  };
  std::unique_ptr<std::vector<RawTag>, Free> tags_;
};

}  // namespace arus::protocol
