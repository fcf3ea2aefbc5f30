// Whether something is missing for sure: a disk that does not answer is not a reason to go without.
#pragma once

#include <cerrno>
#include <string>

#include "base/result.h"
#include "env/file.h"

namespace arus::storage {

[[nodiscard]] inline bool is_gone(env::FileSystem& files, const std::string& path) {
  const auto size = files.file_size(path);
  return !size && size.error().os_error == ENOENT;
}

// What was removed or renamed meanwhile, by a truncation or with its topic, needs no flush.
[[nodiscard]] inline Result<> unless_gone(Result<> result) {
  if (!result && result.error().os_error == ENOENT) return {};
  return result;
}

}  // namespace arus::storage
