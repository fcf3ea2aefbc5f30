#include "storage/durable_directory.h"

#include <vector>

#include "storage/file_names.h"
#include "storage/presence.h"

namespace arus::storage {

std::string parent_directory(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  if (path == "/") return path;
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  path.resize(std::max<std::size_t>(slash, 1));
  return path;
}

Result<> create_directories_durably(env::FileSystem& files, const std::string& path) {
  std::vector<std::string> parents;  // of what is absent, the innermost first
  for (std::string at = path; !files.exists(at);) {
    std::string parent = parent_directory(at);
    if (parent == at || parent == ".") {
      parents.push_back(std::move(parent));
      break;
    }
    parents.push_back(parent);
    at = std::move(parent);
  }
  ARUS_TRY(files.create_directories(path));
  for (auto parent = parents.rbegin(); parent != parents.rend(); ++parent) {
    ARUS_TRY(files.sync_directory(*parent));
  }
  return {};
}

Result<> sync_file(env::FileSystem& files, const std::string& path) {
  const auto file = files.open(path, env::OpenMode::read_write);
  return unless_gone(file ? (*file)->sync() : fail(file.error()));
}

Result<> sync_partition_folder(env::FileSystem& files, const std::string& folder, bool created) {
  if (created) ARUS_TRY(sync_file(files, join_path(folder, partition_metadata_name)));
  return unless_gone(files.sync_directory(folder));
}

}  // namespace arus::storage
