#include "storage/closing_files.h"

#include "storage/rewrite.h"

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

}  // namespace arus::storage
