// The error of a write for which the disk has no space.
#pragma once

#include <cerrno>

#include "base/result.h"

namespace arus::storage {

// The system has refused the bytes and forgotten nothing: once there is space, the same write may
// be tried again. No flush fails so (env/os_error.h).
[[nodiscard]] inline bool is_full_disk(const Error& error) {
  return error.os_error == ENOSPC || error.os_error == EDQUOT;
}

}  // namespace arus::storage
