// Files of the operating system.
#pragma once

#include "env/file.h"

namespace arus::env {

class RealFile final : public File {
 public:
  RealFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  ~RealFile() override;
  Result<std::size_t> read_at(MutableByteView buffer, std::int64_t offset, ReadMode mode) override;
  Result<> write_at(std::span<const ByteView> pieces, std::int64_t offset) override;
  Result<> sync() override;
  Result<> start_write_back() override;
  std::unique_ptr<FilePin> pin() override;
  Result<std::int64_t> size() override;
  Result<> truncate(std::int64_t size_bytes) override;
  void drop_cache(std::int64_t offset, std::int64_t length) override;
  void disable_read_ahead() override;
  [[nodiscard]] const std::string& path() const override { return path_; }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  const std::string path_;
  const int descriptor_;
};

class RealFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  bool exists(const std::string& path) override;
  Result<std::int64_t> file_size(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override;
  Result<> create_directories(const std::string& path) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> remove(const std::string& path) override;
  Result<> remove_tree(const std::string& directory) override;
  Result<> sync_directory(const std::string& path) override;
  Result<std::unique_ptr<HeldFileSystem>> hold(const std::string& directory) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  Result<Space> space(const std::string& path) override;
};

}  // namespace arus::env
