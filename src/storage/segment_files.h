// Finds and tidies the files of a partition's directory before its log is opened.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "env/file.h"

namespace arus::storage {

// The files of one segment, by presence. Sizes in bytes, −1 where there is none.
struct SegmentFiles {
  std::int64_t log_bytes = -1;
  std::int64_t offset_index_bytes = -1;
  std::int64_t time_index_bytes = -1;
  std::int64_t transaction_index_bytes = -1;
};

struct PartitionFiles {
  std::map<Offset, SegmentFiles> segments;  // only those that have a .log
  std::set<Offset> snapshots;
  bool has_leader_epochs = false;
};

// Lists a partition's directory. What an interrupted write, deletion or compaction left is removed
// first, a finished compaction's swap is completed: exactly one generation stays. Files with names
// that are not of a log (such as those of the metadata quorum) are left alone.
[[nodiscard]] Result<PartitionFiles> collect_partition_files(env::FileSystem& files,
                                                             const std::string& directory);

}  // namespace arus::storage
