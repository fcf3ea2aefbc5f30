#include "storage/closing_files.h"

#include "storage/file_names.h"

namespace arus::storage {

Result<> write_closing_files(env::FileSystem& files, const ClosingFiles& left) {
  for (const auto& index : left.indexes) {
    const auto file = files.open(index.path, env::OpenMode::create);
    if (!file) return fail(file.error());
    if (!index.bytes.empty()) ARUS_TRY((*file)->write_at(ByteView(index.bytes), index.position));
  }
  for (const auto& each : left.replaced) ARUS_TRY(replace_unsynced(files, each.path, each.bytes));
  return {};
}

// A crash may leave a new file torn, but one sector old or new: such a file is written in place,
// since a rename over another file makes the system write it out first.
Result<> replace_unsynced(env::FileSystem& files, const std::string& path, ByteView bytes) {
  constexpr std::int64_t sector_bytes = 512;
  const auto size_bytes = std::ssize(bytes);
  const auto before = files.file_size(path);
  const bool in_place = !before || (*before <= size_bytes && size_bytes <= sector_bytes);
  const std::string target = in_place ? path : path + std::string(suffix::temporary);
  {
    const auto file = files.open(target, env::OpenMode::create);
    if (!file) return fail(file.error());
    ARUS_TRY((*file)->write_at(bytes, 0));
    const auto size = in_place ? Result<std::int64_t>(size_bytes) : (*file)->size();
    if (!size) return fail(size.error());
    if (*size > size_bytes) ARUS_TRY((*file)->truncate(size_bytes));
  }
  return in_place ? Result<>{} : files.rename(target, path);
}

}  // namespace arus::storage
