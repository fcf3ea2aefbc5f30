// What the metadata log in a log directory says of partitions, for checking them.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "env/file.h"
#include "metadata/image.h"
#include "storage/verify_directory.h"

namespace arus::cli {

struct MetadataRead {
  // Null where the directory has no metadata log, or where that cannot be read to its end.
  std::shared_ptr<const metadata::MetadataImage> image;
  std::vector<storage::Finding> findings;  // what the log's bytes alone do not show
};

// Reads the newest snapshot and the log behind it, and the file quorum-state. Blocking.
[[nodiscard]] MetadataRead read_metadata(env::FileSystem& files, const std::string& directory);

// What the node with this identity must have in the directory.
[[nodiscard]] storage::ExpectedPartitions expected_partitions(
    const metadata::MetadataImage& image, const storage::DirectoryIdentity& identity);

}  // namespace arus::cli
