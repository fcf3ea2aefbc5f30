#include "storage/offset_map.h"

#include <algorithm>

#include "base/assert.h"

namespace arus::storage {

// One slot always stays empty, so that every search ends.
OffsetMap::OffsetMap(std::size_t slots, double load_factor, const SipKey& secret)
    : secret_(secret),
      most_(std::min(
          static_cast<std::size_t>(static_cast<double>(slots) * std::clamp(load_factor, 0.0, 1.0)),
          std::max<std::size_t>(slots, 1) - 1)),
      slots_(std::max<std::size_t>(slots, 1)) {}

std::size_t OffsetMap::find_slot(const Hash128& hash) const {
  std::size_t at = hash.low % slots_.size();
  while (slots_[at].next_offset != 0 && slots_[at].hash != hash) {
    if (++at == slots_.size()) at = 0;
  }
  return at;
}

bool OffsetMap::put(ByteView key, Offset offset) {
  ARUS_ASSERT(offset >= Offset{0});
  const Hash128 hash = sip_hash_128(secret_, key);
  Slot& slot = slots_[find_slot(hash)];
  if (slot.next_offset == 0) {
    if (size_ == most_) return false;
    ++size_;
    slot.hash = hash;
  }
  slot.next_offset = offset.value() + 1;
  return true;
}

std::optional<Offset> OffsetMap::find(ByteView key) const {
  const Slot& slot = slots_[find_slot(sip_hash_128(secret_, key))];
  if (slot.next_offset == 0) return std::nullopt;
  return Offset{slot.next_offset - 1};
}

}  // namespace arus::storage
