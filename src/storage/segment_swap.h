// Exchanging segments for the one that compaction made of them, so that a crash leaves one
// generation: docs/internals/compaction.md has the steps. Blocking.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "env/file.h"

namespace arus::storage {

// The segment `base` in files with the ending `.cleaned`, which are on stable storage.
//
// Gives them the ending `.swap`: from then on a start finishes the exchange. On an error they are
// gone and the log is as before, unless removing them failed too or the disk has failed: then
// `committed` is set, because a start may find either.
[[nodiscard]] Result<> stage_swap(env::FileSystem& files, const std::string& folder, Offset base,
                                  bool& committed);

// An exchange that is staged. It ends with three steps, after each of which the folder is flushed.
// A step that found the disk full is begun again, and goes on where it was.
struct StagedSwap {
  std::string folder;
  Offset base;
  std::vector<Offset> replaced;  // `base` among them
};
// The files of the replaced segments get the ending `.deleted`. Gives the paths of what is to be
// removed later.
[[nodiscard]] Result<std::vector<std::string>> set_aside_replaced(env::FileSystem& files,
                                                                  const StagedSwap& swap);
// The new segment gets its final name, then its indexes do.
[[nodiscard]] Result<> name_swapped_log(env::FileSystem& files, const StagedSwap& swap);
[[nodiscard]] Result<> name_swapped_indexes(env::FileSystem& files, const StagedSwap& swap);

// Removes what a round that was given up has written.
[[nodiscard]] Result<> discard_cleaned(env::FileSystem& files, const std::string& folder,
                                       Offset base);

// At a start, given the names in the folder: removes what an unfinished round left, and finishes an
// exchange that had begun. True where something changed.
[[nodiscard]] Result<bool> recover_swaps(env::FileSystem& files, const std::string& folder,
                                         const std::vector<env::DirectoryEntry>& entries);

}  // namespace arus::storage
