// Making directories so that a power cut does not take them back.
#pragma once

#include <string>

#include "base/result.h"
#include "env/file.h"

namespace arus::storage {

// The directory that holds this entry: "/" and "." are their own.
[[nodiscard]] std::string parent_directory(std::string path);

// Makes the directory and those above it that are absent; the names of all that were made are on
// stable storage afterwards. Blocking.
[[nodiscard]] Result<> create_directories_durably(env::FileSystem& files, const std::string& path);

}  // namespace arus::storage
