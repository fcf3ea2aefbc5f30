// What a log leaves beside its batches when it is closed: the last index entries, a producer
// snapshot, the leader epochs. All of it can be made again from the batches.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "env/file.h"

namespace arus::storage {

struct ClosingFiles {
  struct Entries {
    std::string path;
    std::int64_t position = 0;
    Bytes bytes;  // may be none: an empty index is a file too
  };
  struct Whole {
    std::string path;
    Bytes bytes;
  };
  std::vector<Entries> indexes;
  std::vector<Whole> replaced;
  [[nodiscard]] bool empty() const { return indexes.empty() && replaced.empty(); }
};

// Blocking. Nothing is flushed.
Result<> write_closing_files(env::FileSystem& files, const ClosingFiles& left);

}  // namespace arus::storage
