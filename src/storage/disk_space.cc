#include "storage/disk_space.h"

#include <algorithm>

namespace arus::storage {

namespace {
constexpr std::int64_t reserve_divisor = 20;  // of the whole disk
constexpr std::int64_t return_divisor = 8;    // of the reserve must be free above it
constexpr std::int64_t ballast_divisor = 4;   // of the reserve
constexpr std::int64_t low_factor = 4;        // reserves: a disk with less free fills up
}  // namespace

void SpaceWatch::update(const env::Space& space, std::int64_t ballast_bytes) {
  space_ = space;
  ballast_ = ballast_bytes;
  reserve_ = std::min(configured_, space.total_bytes / reserve_divisor);
  if (configured_ == 0) return;
  full_ = room_bytes() <= (full_ ? reserve_ / return_divisor : 0);
}

std::int64_t SpaceWatch::room_bytes() const {
  if (configured_ == 0) return std::numeric_limits<std::int64_t>::max();
  return free_bytes() - reserve_;
}

std::int64_t SpaceWatch::ballast_target_bytes() const {
  return std::min(reserve_ / ballast_divisor, most_ballast_bytes);
}

// The space that a ballast gives back is not taken for a new one at once.
bool SpaceWatch::wants_ballast() const {
  return ballast_ < ballast_target_bytes() && free_bytes() < low_factor * reserve_ &&
         space_.usable_bytes > 2 * ballast_target_bytes();
}

bool SpaceWatch::drops_ballast() const {
  if (ballast_ == 0) return false;
  return space_.usable_bytes < ballast_target_bytes() / 4 ||
         free_bytes() > 2 * low_factor * reserve_;
}

}  // namespace arus::storage
