#include "storage/verify_repair.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "storage/aborted_transactions.h"
#include "storage/batch_scanner.h"
#include "storage/checkpoint_file.h"
#include "storage/durable_directory.h"
#include "storage/file_names.h"
#include "storage/index_builder.h"

namespace arus::storage {

namespace {

constexpr std::string_view damaged_ending = ".damaged";
constexpr std::string_view cut_ending = ".cut";
constexpr std::int64_t copy_bytes = std::int64_t{1} << 20;

// A name that nothing has yet: what an earlier repair kept stays.
std::string free_name(env::FileSystem& files, const std::string& path, std::string_view ending) {
  std::string name = path + std::string(ending);
  for (int i = 1; files.exists(name); ++i) {
    name = fmt::format("{}.{}{}", path, i, ending);
  }
  return name;
}

Result<> set_aside(env::FileSystem& files, const std::string& path, std::string_view ending) {
  if (!files.exists(path)) return {};
  ARUS_TRY(files.rename(path, free_name(files, path, ending)));
  return files.sync_directory(parent_directory(path));
}

struct FoundFiles {
  std::vector<Offset> segments;  // ascending
  std::set<Offset> snapshots;
};

Result<FoundFiles> list_log(env::FileSystem& files, const std::string& folder) {
  const auto entries = files.list(folder);
  if (!entries) return fail(entries.error());
  FoundFiles found;
  for (const auto& entry : *entries) {
    if (const auto base = parse_segment_file_name(entry.name, suffix::log)) {
      found.segments.push_back(*base);
    }
    if (const auto at = parse_segment_file_name(entry.name, suffix::producer_snapshot)) {
      found.snapshots.insert(*at);
    }
  }
  std::ranges::sort(found.segments);
  return found;
}

// Behind damage the batches are looked for no further: their entries would lead readers past it.
Result<> rebuild_indexes(env::FileSystem& files, const Repair& repair) {
  const std::string folder = parent_directory(repair.file);
  const auto found = list_log(files, folder);
  if (!found) return fail(found.error());
  const auto file = files.open(repair.file, env::OpenMode::read);
  if (!file) return fail(file.error());
  const auto size = (*file)->size();
  if (!size) return fail(size.error());
  IndexBuilder index;
  BatchScanner scanner(**file, 0, *size, env::ReadMode::may_block);
  Offset next = repair.segment;
  while (const auto batch = scanner.next()) {
    if (batch->last_offset < next) break;
    index.add(batch->last_offset, batch->position, batch->size_bytes, batch->max_timestamp_ms,
              repair.index_interval_bytes);
    next = batch->last_offset + 1;
  }
  const Result<>& status = scanner.status();
  if (!status && status.error().code != ErrorCode::corrupt_message) return fail(status.error());
  index.finish();
  Bytes offsets;
  for (const auto& entry : index.offsets) encode(entry, repair.segment, offsets);
  Bytes times;
  for (const auto& entry : index.times) encode(entry, repair.segment, times);
  const auto path = [&](std::string_view kind) {
    return join_path(folder, segment_file_name(repair.segment, kind));
  };
  ARUS_TRY(files.replace_file(path(suffix::offset_index), offsets));
  ARUS_TRY(files.replace_file(path(suffix::time_index), times));
  const auto aborted =
      find_aborted_transactions(files, folder, found->segments, found->snapshots, repair.segment);
  if (!aborted) return fail(aborted.error());
  if (!aborted->empty()) {
    return files.replace_file(path(suffix::transaction_index), encode_transaction_index(*aborted));
  }
  ARUS_TRY(files.remove(path(suffix::transaction_index)));
  return files.sync_directory(folder);
}

// No checkpoint may speak of what is cut: a start would miss it.
Result<> lower_checkpoints(env::FileSystem& files, const std::string& root, const Repair& repair) {
  for (const std::string_view name :
       {recovery_point_checkpoint_name, high_watermark_checkpoint_name, log_start_checkpoint_name,
        cleaner_checkpoint_name}) {
    const std::string path = join_path(root, name);
    if (!files.exists(path)) continue;
    const auto text = files.read_file(path);
    if (!text) return fail(text.error());
    auto entries = parse_offset_checkpoint(as_text(*text));
    if (!entries) continue;
    bool changed = false;
    for (PartitionOffset& entry : *entries) {
      if (entry.partition != repair.partition || entry.offset <= repair.offset) continue;
      entry.offset = repair.offset;
      changed = true;
    }
    if (changed) {
      ARUS_TRY(files.replace_file(path, as_bytes(encode_offset_checkpoint(*entries))));
    }
  }
  return {};
}

Result<> copy_tail(env::FileSystem& files, env::File& from, std::int64_t position,
                   std::int64_t size, const std::string& path) {
  const auto to = files.open(path, env::OpenMode::create_new);
  if (!to) return fail(to.error());
  Bytes piece;
  for (std::int64_t at = position; at < size; at += copy_bytes) {
    piece.resize(static_cast<std::size_t>(std::min(copy_bytes, size - at)));
    ARUS_TRY(read_fully(from, piece, at, env::ReadMode::may_block));
    ARUS_TRY((*to)->write_at(piece, at - position));
  }
  ARUS_TRY((*to)->sync());
  return files.sync_directory(parent_directory(path));
}

// First what speaks of the end, then from the end to the front, so that at no time there is a gap.
Result<> cut_log(env::FileSystem& files, const std::string& root, const Repair& repair) {
  const std::string folder = parent_directory(repair.file);
  const auto found = list_log(files, folder);
  if (!found) return fail(found.error());
  ARUS_TRY(lower_checkpoints(files, root, repair));
  for (const Offset at : found->snapshots) {
    if (at <= repair.offset) continue;
    ARUS_TRY(set_aside(files, join_path(folder, segment_file_name(at, suffix::producer_snapshot)),
                       cut_ending));
  }
  for (auto base = found->segments.rbegin();
       base != found->segments.rend() && *base > repair.segment; ++base) {
    for (const std::string_view kind :
         {suffix::log, suffix::offset_index, suffix::time_index, suffix::transaction_index}) {
      ARUS_TRY(set_aside(files, join_path(folder, segment_file_name(*base, kind)), cut_ending));
    }
  }
  const auto file = files.open(repair.file, env::OpenMode::read_write);
  if (!file) return fail(file.error());
  const auto size = (*file)->size();
  if (!size) return fail(size.error());
  if (*size > repair.position) {
    const std::string kept =
        free_name(files, fmt::format("{}.from-{}", repair.file, repair.position), cut_ending);
    ARUS_TRY(copy_tail(files, **file, repair.position, *size, kept));
    ARUS_TRY((*file)->truncate(repair.position));
    ARUS_TRY((*file)->sync());
  }
  return rebuild_indexes(files, repair);
}

}  // namespace

Result<> apply_repair(env::FileSystem& files, const std::string& root, const Repair& repair) {
  switch (repair.kind) {
    case RepairKind::rebuild_indexes:
      return rebuild_indexes(files, repair);
    case RepairKind::set_file_aside:
      return set_aside(files, repair.file, damaged_ending);
    case RepairKind::cut_log:
      break;
  }
  return cut_log(files, root, repair);
}

}  // namespace arus::storage
