// A segment's file as replaying the commit log would leave it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "env/file.h"

namespace arus::storage {

// Read-only: nothing is replayed. Where writes overlap the later one counts. Owner: whoever reads
// it, one at a time.
class LoggedFile final : public env::File {
 public:
  // `below` is null where there is no file yet.
  LoggedFile(std::string path, std::unique_ptr<env::File> below, std::int64_t below_bytes)
      : path_(std::move(path)),
        below_(std::move(below)),
        below_bytes_(below_bytes),
        size_bytes_(below_bytes) {}

  // Bytes of `lap` that belong at `position`, which is not beyond the size.
  void add(std::shared_ptr<env::File> lap, std::int64_t payload_at, std::int64_t position,
           std::int64_t size_bytes);

  Result<std::size_t> read_at(MutableByteView buffer, std::int64_t offset,
                              env::ReadMode mode = env::ReadMode::may_block) override;
  Result<> write_at(std::span<const ByteView> pieces, std::int64_t offset) override;
  Result<> sync() override { return {}; }
  Result<> start_write_back() override { return {}; }
  std::unique_ptr<env::FilePin> pin() override { return nullptr; }
  Result<std::int64_t> size() override { return size_bytes_; }
  Result<> truncate(std::int64_t size_bytes) override;
  void drop_cache(std::int64_t /*offset*/, std::int64_t /*length*/) override {}
  void disable_read_ahead() override {}
  const std::string& path() const override { return path_; }

 private:
  struct Write {
    std::shared_ptr<env::File> lap;
    std::int64_t payload_at = 0;
    std::int64_t position = 0;
    std::int64_t end = 0;
  };

  const std::string path_;
  const std::unique_ptr<env::File> below_;
  const std::int64_t below_bytes_;
  std::int64_t size_bytes_;
  std::vector<Write> writes_;
};

}  // namespace arus::storage
