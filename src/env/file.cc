#include "env/file.h"

#include <cerrno>

namespace arus::env {

namespace {

std::string parent_of(const std::string& path) {
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<Bytes> FileSystem::read_file(const std::string& path, std::int64_t limit_bytes) {
  auto file = open(path, OpenMode::read);
  if (!file) return fail(std::move(file).error());
  const auto size = (*file)->size();
  if (!size) return fail(size.error());
  if (*size > limit_bytes) {
    return fail(Error{ErrorCode::kafka_storage_error,
                      path + ": read: the file has " + std::to_string(*size) +
                          " bytes, more than the " + std::to_string(limit_bytes) + " allowed",
                      EFBIG});
  }
  Bytes bytes(static_cast<std::size_t>(*size));
  const auto count = (*file)->read_at(bytes, 0);
  if (!count) return fail(count.error());
  // Part of a file could pass for one that ends there.
  if (*count != bytes.size()) {
    return fail(Error{ErrorCode::kafka_storage_error, path + ": read: it ends too early", EIO});
  }
  return bytes;
}

Result<> FileSystem::replace_file(const std::string& path, ByteView bytes, bool durable) {
  const std::string temporary = path + ".tmp";
  {
    auto file = open(temporary, OpenMode::create);
    if (!file) return fail(std::move(file).error());
    ARUS_TRY((*file)->truncate(0));
    ARUS_TRY((*file)->write_at(bytes, 0));
    ARUS_TRY((*file)->sync());
  }
  ARUS_TRY(rename(temporary, path));
  if (durable) ARUS_TRY(sync_directory(parent_of(path)));
  return {};
}

}  // namespace arus::env
