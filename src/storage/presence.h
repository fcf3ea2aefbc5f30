// Whether something is missing for sure: a disk that does not answer is not a reason to go without.
#pragma once

#include <cerrno>
#include <string>

#include "env/file.h"

namespace arus::storage {

[[nodiscard]] inline bool is_gone(env::FileSystem& files, const std::string& path) {
  const auto size = files.file_size(path);
  return !size && size.error().os_error == ENOENT;
}

}  // namespace arus::storage
