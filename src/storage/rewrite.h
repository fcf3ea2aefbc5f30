// Giving small files new contents. Blocking; nothing is flushed.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "env/file.h"

namespace arus::storage {

// Makes `bytes` all that an open file holds. A file that is not longer is never truncated: ext4
// writes out at once what was truncated to nothing, even if that is what it held.
Result<> rewrite(env::File& file, ByteView bytes);

// Replaces a file that can be made again from the log: after a crash it is as before, as given,
// absent or visibly damaged.
Result<> replace_unsynced(env::FileSystem& files, const std::string& path, ByteView bytes);

}  // namespace arus::storage
