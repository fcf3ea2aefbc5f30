// How a log directory is, for operators.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/result.h"

namespace arus::storage {

// Wall-clock times are in milliseconds, 0 where the state does not hold.
struct DirectoryStatus {
  std::int64_t total_bytes = -1;  // of the file system, when it was last looked at
  std::int64_t usable_bytes = -1;
  std::int64_t reserve_bytes = 0;  // of it, which clients' records do not get
  bool full = false;               // clients' records are refused
  std::int64_t full_since_ms = 0;
  bool waiting = false;  // a write found no space and is tried again and again
  bool stalled = false;  // the writer makes no progress
  std::int64_t stalled_since_ms = 0;
  std::optional<Error> failure;  // offline for good
  std::int64_t failed_at_ms = 0;
};

// Told on loop 0 when something of it has changed.
using StatusWatcher = std::function<void(const DirectoryStatus&)>;

}  // namespace arus::storage
