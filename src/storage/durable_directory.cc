#include "storage/durable_directory.h"

#include <vector>

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

}  // namespace arus::storage
