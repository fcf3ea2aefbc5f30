// How much of its disk a log directory may still fill, and for whom.
#pragma once

#include <cstdint>
#include <limits>

#include "env/file.h"

namespace arus::storage {

// Decides from what the disk says. Below the reserve clients' records are refused, so that what
// gives space back, and a restart, find some: metadata, checkpoints, recovery, markers. A part of
// the reserve is a file (the ballast), which is removed when something else has taken the rest.
// Sizes are in bytes. Pure.
class SpaceWatch {
 public:
  static constexpr std::int64_t most_ballast_bytes = std::int64_t{16} << 20;

  // `reserve_bytes` as configured; of a small disk a twentieth counts. 0: nobody is refused, and
  // there is no ballast.
  explicit SpaceWatch(std::int64_t reserve_bytes) : configured_(reserve_bytes) {}

  void update(const env::Space& space, std::int64_t ballast_bytes);

  [[nodiscard]] const env::Space& space() const { return space_; }
  [[nodiscard]] std::int64_t reserve_bytes() const { return reserve_; }
  // Clients are refused. It ends a little above the reserve, so that it does not come and go.
  [[nodiscard]] bool full() const { return full_; }
  // What may be written before the reserve is touched; not positive when it is.
  [[nodiscard]] std::int64_t room_bytes() const;
  [[nodiscard]] std::int64_t ballast_target_bytes() const;
  // The ballast should be larger: the disk fills up, and there is still space for it.
  [[nodiscard]] bool wants_ballast() const;
  // The ballast should go: its space is needed, or there is plenty again.
  [[nodiscard]] bool drops_ballast() const;

 private:
  [[nodiscard]] std::int64_t free_bytes() const { return space_.usable_bytes + ballast_; }

  const std::int64_t configured_;
  env::Space space_{};
  std::int64_t ballast_ = 0;
  std::int64_t reserve_ = 0;
  bool full_ = false;
};

// What one loop may hand to the writer until it is told anew.
struct SpaceShare {
  std::int64_t room_bytes = std::numeric_limits<std::int64_t>::max();
  std::int64_t internal_bytes = 0;  // beyond the room, for what the broker itself appends
  bool full = false;                // clients are refused
  bool blocked = false;             // a write found no space: everyone is
};

}  // namespace arus::storage
