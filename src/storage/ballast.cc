#include "storage/ballast.h"

#include <algorithm>

#include "base/log.h"
#include "storage/file_names.h"

namespace arus::storage {

namespace {

const LogComponent ballast_log{"storage.space"};

constexpr std::int64_t ballast_piece_bytes = 1 << 20;

// Bytes that a file system which compresses does not make small.
Bytes incompressible(std::size_t size) {
  Bytes bytes(size);
  std::uint64_t state = 0x9E3779B97F4A7C15ULL;
  for (std::uint8_t& byte : bytes) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    byte = static_cast<std::uint8_t>(state);
  }
  return bytes;
}

}  // namespace

Ballast::Ballast(env::FileSystem& files, const std::string& root)
    : files_(files), path_(join_path(root, ballast_name)) {
  if (!files_.exists(path_)) return;
  size_bytes_ = files_.file_size(path_).value_or(0);
}

Result<> Ballast::grow(std::int64_t target_bytes) {
  const std::int64_t piece = std::min(ballast_piece_bytes, target_bytes - size_bytes_);
  if (piece <= 0) return {};
  auto file = files_.open(path_, env::OpenMode::create);
  if (!file) return fail(std::move(file).error());
  ARUS_TRY((*file)->write_at(incompressible(static_cast<std::size_t>(piece)), size_bytes_));
  size_bytes_ += piece;
  return {};
}

bool Ballast::release() {
  if (size_bytes_ == 0) return false;
  if (const auto removed = files_.remove(path_); !removed) {
    ballast_log.warning("{}", removed.error().message);
    return false;
  }
  ballast_log.info("{}: {} bytes are given back", path_, size_bytes_);
  size_bytes_ = 0;
  return true;
}

}  // namespace arus::storage
