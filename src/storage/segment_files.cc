#include "storage/segment_files.h"

#include "base/log.h"
#include "storage/batch_scanner.h"
#include "storage/file_names.h"

namespace arus::storage {

namespace {

const LogComponent log{"storage.recovery"};

constexpr std::string_view kinds[] = {suffix::log, suffix::offset_index, suffix::time_index,
                                      suffix::transaction_index};

Result<> remove_all(env::FileSystem& files, const std::string& directory, Offset base,
                    std::string_view ending) {
  for (const std::string_view kind : kinds) {
    std::string name = segment_file_name(base, kind);
    name += ending;
    ARUS_TRY(files.remove(join_path(directory, name)));
  }
  return {};
}

// Where the offsets of a segment's file end.
Result<Offset> next_offset(env::FileSystem& files, const std::string& path, Offset base) {
  const auto file = files.open(path, env::OpenMode::read);
  if (!file) return fail(file.error());
  const auto size = (*file)->size();
  if (!size) return fail(size.error());
  BatchScanner scanner(**file, 0, *size, env::ReadMode::may_block);
  Offset next = base;
  while (const auto batch = scanner.next()) next = batch->last_offset + 1;
  return next;
}

// Compaction names the new segment .swap once it is whole; from then on the old ones give way.
Result<> complete_swap(env::FileSystem& files, const std::string& directory, Offset base,
                       const std::set<Offset>& segments) {
  const std::string swapped =
      join_path(directory, segment_file_name(base, suffix::log) + std::string(suffix::swap));
  const auto next = next_offset(files, swapped, base);
  if (!next) return fail(next.error());
  for (const Offset old : segments) {
    if (old >= base && (old < *next || old == base)) {
      ARUS_TRY(remove_all(files, directory, old, ""));
    }
  }
  for (const std::string_view kind : kinds) {
    const std::string name = join_path(directory, segment_file_name(base, kind));
    const std::string from = name + std::string(suffix::swap);
    if (kind != suffix::log && files.exists(from)) ARUS_TRY(files.rename(from, name));
  }
  log.info("{}: completes the swap of segment {}", directory, base.value());
  return files.rename(swapped, join_path(directory, segment_file_name(base, suffix::log)));
}

// True where something was renamed or removed and the directory must be listed again.
Result<bool> tidy(env::FileSystem& files, const std::string& directory,
                  const std::vector<env::DirectoryEntry>& entries) {
  std::set<Offset> segments;
  std::set<Offset> swaps;
  bool changed = false;
  for (const auto& entry : entries) {
    const std::string_view name = entry.name;
    if (entry.is_directory) continue;
    if (name.ends_with(suffix::temporary) || name.ends_with(suffix::deleted) ||
        name.ends_with(suffix::cleaned)) {
      ARUS_TRY(files.remove(join_path(directory, name)));
      changed = true;
    } else if (auto base = parse_segment_file_name(name, suffix::log)) {
      segments.insert(*base);
    } else if (name.ends_with(suffix::swap)) {
      const auto inner = name.substr(0, name.size() - suffix::swap.size());
      if (auto swap = parse_segment_file_name(inner, suffix::log)) swaps.insert(*swap);
    }
  }
  for (const Offset base : swaps) {
    ARUS_TRY(complete_swap(files, directory, base, segments));
    changed = true;
  }
  for (const auto& entry : entries) {
    // Swapped indexes without their log are of a swap that had been completed.
    const std::string_view name = entry.name;
    if (!name.ends_with(suffix::swap) || entry.is_directory) continue;
    ARUS_TRY(files.remove(join_path(directory, name)));
    changed = true;
  }
  return changed;
}

Result<> note_size(env::FileSystem& files, const std::string& directory, std::string_view name,
                   std::int64_t& size) {
  const auto found = files.file_size(join_path(directory, name));
  if (!found) return fail(found.error());
  size = *found;
  return {};
}

}  // namespace

Result<PartitionFiles> collect_partition_files(env::FileSystem& files,
                                               const std::string& directory) {
  auto entries = files.list(directory);
  if (!entries) return fail(std::move(entries).error());
  const auto changed = tidy(files, directory, *entries);
  if (!changed) return fail(changed.error());
  if (*changed) {
    entries = files.list(directory);
    if (!entries) return fail(std::move(entries).error());
  }
  PartitionFiles found;
  for (const auto& entry : *entries) {
    if (entry.is_directory) continue;
    if (auto base = parse_segment_file_name(entry.name, suffix::log)) {
      ARUS_TRY(note_size(files, directory, entry.name, found.segments[*base].log_bytes));
    } else if (auto offset = parse_segment_file_name(entry.name, suffix::producer_snapshot)) {
      found.snapshots.insert(*offset);
    } else if (entry.name == leader_epoch_checkpoint_name) {
      found.has_leader_epochs = true;
    }
  }
  for (const auto& entry : *entries) {
    for (const auto& [kind, size] :
         {std::pair{suffix::offset_index, &SegmentFiles::offset_index_bytes},
          std::pair{suffix::time_index, &SegmentFiles::time_index_bytes},
          std::pair{suffix::transaction_index, &SegmentFiles::transaction_index_bytes}}) {
      const auto base = parse_segment_file_name(entry.name, kind);
      if (!base) continue;
      const auto segment = found.segments.find(*base);
      if (segment == found.segments.end()) {
        log.warning("{}: removes {}, whose segment is gone", directory, entry.name);
        ARUS_TRY(files.remove(join_path(directory, entry.name)));
      } else {
        ARUS_TRY(note_size(files, directory, entry.name, segment->second.*size));
      }
    }
  }
  return found;
}

}  // namespace arus::storage
