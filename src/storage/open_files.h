// The descriptors that the readers of one loop keep open.
#pragma once

#include <cstddef>
#include <memory>

#include "env/file.h"

namespace arus::storage {

class OpenFiles;

// A place for one open file, in whoever reads it; empty when the file was pushed out or never
// opened. Owner: one loop.
class OpenFile {
 public:
  OpenFile() = default;
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile();

 private:
  friend class OpenFiles;
  std::shared_ptr<env::File> file_;
  OpenFiles* files_ = nullptr;
  OpenFile* newer_ = nullptr;
  OpenFile* older_ = nullptr;
};

// Holds at most `limit` files; the least recently used goes first. Readers on the pool share a
// file that is pushed out until they are done. Owner: one loop; outlives every OpenFile in it.
class OpenFiles {
 public:
  explicit OpenFiles(std::size_t limit) : limit_(limit) {}
  OpenFiles(const OpenFiles&) = delete;
  OpenFiles& operator=(const OpenFiles&) = delete;

  // The file, as just used; null when it is not open.
  [[nodiscard]] std::shared_ptr<env::File> use(OpenFile& place);
  void put(OpenFile& place, std::shared_ptr<env::File> file);
  void remove(OpenFile& place);
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  void unlink(OpenFile& place);
  void push_newest(OpenFile& place);

  const std::size_t limit_;
  std::size_t size_ = 0;
  OpenFile* newest_ = nullptr;
  OpenFile* oldest_ = nullptr;
};

}  // namespace arus::storage
