#include "storage/rewrite.h"

#include "storage/file_names.h"

namespace arus::storage {

Result<> rewrite(env::File& file, ByteView bytes) {
  if (!bytes.empty()) ARUS_TRY(file.write_at(bytes, 0));
  const auto size = file.size();
  if (!size) return fail(size.error());
  return *size > std::ssize(bytes) ? file.truncate(std::ssize(bytes)) : Result<>{};
}

// A crash may leave a new file torn, but one sector old or new: such a file is written in place,
// since a rename over another file makes the system write it out first.
Result<> replace_unsynced(env::FileSystem& files, const std::string& path, ByteView bytes) {
  constexpr std::int64_t sector_bytes = 512;
  const auto before = files.file_size(path);
  const bool in_place =
      !before || (*before <= std::ssize(bytes) && std::ssize(bytes) <= sector_bytes);
  const std::string target = in_place ? path : path + std::string(suffix::temporary);
  {
    const auto file = files.open(target, env::OpenMode::create);
    if (!file) return fail(file.error());
    ARUS_TRY(rewrite(**file, bytes));
  }
  return in_place ? Result<>{} : files.rename(target, path);
}

}  // namespace arus::storage
