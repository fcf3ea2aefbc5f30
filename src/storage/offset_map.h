// The newest offset of each key, for compaction.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/sip_hash.h"

namespace arus::storage {

// A table of fixed size with open addressing, which holds hashes instead of keys: two keys are
// taken for one only where 128 bits under a secret key agree. Not thread-safe.
class OffsetMap {
 public:
  static constexpr std::size_t slot_bytes = 24;

  // Takes `slots` × slot_bytes of memory at once; at most `load_factor` of the slots are used.
  OffsetMap(std::size_t slots, double load_factor, const SipKey& secret);

  // Offsets of a key ascend. False, and nothing changes, when a new key finds no room.
  [[nodiscard]] bool put(ByteView key, Offset offset);
  [[nodiscard]] std::optional<Offset> find(ByteView key) const;
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Slot {
    Hash128 hash;
    std::int64_t next_offset = 0;  // offset + 1; 0 in an empty slot
  };
  static_assert(sizeof(Slot) == slot_bytes);

  [[nodiscard]] std::size_t find_slot(const Hash128& hash) const;

  const SipKey secret_;
  const std::size_t most_;
  std::size_t size_ = 0;
  std::vector<Slot> slots_;
};

}  // namespace arus::storage
