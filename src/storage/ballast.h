// A file that takes space so that it can be given back.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "env/file.h"

namespace arus::storage {

inline constexpr std::string_view ballast_name = "arus-reserve";

// `arus-reserve` at the top of a log directory, which Kafka does not look at. Its contents mean
// nothing and are never flushed. It outlives a stop, so that a start on a full disk finds some
// space. Owner: the writer's thread, or whoever opens the directory.
class Ballast {
 public:
  Ballast(env::FileSystem& files, const std::string& root);

  [[nodiscard]] std::int64_t size_bytes() const { return size_bytes_; }
  // Makes it larger by a piece, up to `target_bytes`.
  Result<> grow(std::int64_t target_bytes);
  // Gives its space back; false where there is none.
  bool release();

 private:
  env::FileSystem& files_;
  const std::string path_;
  std::int64_t size_bytes_ = 0;
};

}  // namespace arus::storage
