// What a flush that failed leaves behind for the next start of the process.
#pragma once

#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "env/file.h"

namespace arus::storage {

// After a failed flush the system takes the pages for written that it could not write, and goes on
// showing what they hold: a later flush says that all is well, and a power cut then takes them. So
// the directory is marked, and a start that finds the mark writes everything again that may be such
// a page. It need not outlast the machine: with the system's memory those pages are gone, too.
//
// Blocking. Where it fails the next start will hardly be able to write either.
void mark_failed_flush(env::FileSystem& files, const std::string& root);
[[nodiscard]] bool has_failed_flush(env::FileSystem& files, const std::string& root);
// Once everything was written again and flushed.
[[nodiscard]] Result<> unmark_failed_flush(env::FileSystem& files, const std::string& root);

// Writes what a file holds to it again. Blocking.
[[nodiscard]] Result<> write_file_again(env::File& file);

// Writes the files of a partition again in place, but segments that lie wholly below the recovery
// point. Blocking.
[[nodiscard]] Result<> write_again(env::FileSystem& files, const std::string& folder,
                                   Offset recovery_point);

}  // namespace arus::storage
