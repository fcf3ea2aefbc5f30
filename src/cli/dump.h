// Prints what the files of a log directory hold: for kafka-dump-log and `arus dump`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/console.h"
#include "cli/record_text.h"
#include "env/file.h"

namespace arus::cli {

struct DumpOptions {
  bool deep = false;                           // the records inside batches
  bool print_data = false;                     // with their keys and values; implies deep
  bool skip_record_metadata = false;           // nothing but keys and values
  bool metadata = false;                       // values are metadata records
  std::optional<CoordinatorKind> coordinator;  // keys and values are a coordinator's
  bool verify_index_only = false;      // index entries are compared with the log, not printed
  bool index_sanity_check = false;     // only whether an index can be used
  std::int64_t max_bytes = INT64_MAX;  // of batches read from one log
};

// One file, by what its name says it is. Errors where it cannot be read at all; damage inside is
// printed. Blocking: for commands.
Result<> dump_file(env::FileSystem& files, Console& console, const std::string& path,
                   const DumpOptions& options);

// Batches of a segment or a snapshot, and the mismatches found on the way.
Result<> dump_batches(env::FileSystem& files, Console& console, const std::string& path,
                      const DumpOptions& options);

}  // namespace arus::cli
