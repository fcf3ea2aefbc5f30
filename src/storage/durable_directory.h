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

// Brings the names in a partition's folder to stable storage; where it is `created`, its topic id
// before them, so that what they lead to never survives without. The folder's own name is its
// parent's to flush. One that is gone needs nothing. Blocking.
[[nodiscard]] Result<> sync_partition_folder(env::FileSystem& files, const std::string& folder,
                                             bool created);
// The same for one file. Blocking.
[[nodiscard]] Result<> sync_file(env::FileSystem& files, const std::string& path);

}  // namespace arus::storage
