#include "storage/failed_flush.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/log.h"
#include "storage/batch_scanner.h"
#include "storage/file_names.h"

namespace arus::storage {

namespace {

const LogComponent failed_flush_log{"storage.recovery"};

// Of a file of a segment, whatever ending it has.
std::optional<Offset> segment_of(std::string_view name) {
  for (const std::string_view kind :
       {suffix::log, suffix::offset_index, suffix::time_index, suffix::transaction_index}) {
    if (auto base = parse_segment_file_name(name, kind)) return base;
  }
  return std::nullopt;
}

}  // namespace

void mark_failed_flush(env::FileSystem& files, const std::string& root) {
  const auto made = files.open(join_path(root, flush_failed_name), env::OpenMode::create);
  if (!made) failed_flush_log.error("{}", made.error().message);
}

bool has_failed_flush(env::FileSystem& files, const std::string& root) {
  return files.exists(join_path(root, flush_failed_name));
}

Result<> unmark_failed_flush(env::FileSystem& files, const std::string& root) {
  return files.remove(join_path(root, flush_failed_name));
}

Result<> write_file_again(env::File& file) {
  constexpr std::int64_t piece_bytes = 1 << 20;
  const auto size = file.size();
  if (!size) return fail(size.error());
  Bytes piece;
  for (std::int64_t at = 0; at < *size; at += piece_bytes) {
    piece.resize(static_cast<std::size_t>(std::min(piece_bytes, *size - at)));
    ARUS_TRY(read_fully(file, piece, at, env::ReadMode::may_block));
    ARUS_TRY(file.write_at(ByteView(piece), at));
  }
  return {};
}

Result<> write_again(env::FileSystem& files, const std::string& folder, Offset recovery_point) {
  const auto entries = files.list(folder);
  if (!entries) return fail(entries.error());
  std::vector<Offset> bases;
  for (const auto& entry : *entries) {
    if (const auto base = parse_segment_file_name(entry.name, suffix::log)) bases.push_back(*base);
  }
  std::ranges::sort(bases);
  for (const auto& entry : *entries) {
    if (entry.is_directory) continue;
    if (const auto base = segment_of(entry.name)) {
      const auto next = std::ranges::upper_bound(bases, *base);
      if (next != bases.end() && *next <= recovery_point) continue;
    }
    const auto file = files.open(join_path(folder, entry.name), env::OpenMode::read_write);
    if (!file) return fail(file.error());
    ARUS_TRY(write_file_again(**file));
  }
  return {};
}

}  // namespace arus::storage
