#include "storage/segment_files.h"

#include "base/log.h"
#include "storage/file_names.h"
#include "storage/segment_swap.h"

namespace arus::storage {

namespace {

const LogComponent segment_files_log{"storage.recovery"};

// True where something was renamed or removed and the directory must be listed again.
Result<bool> tidy(env::FileSystem& files, const std::string& directory,
                  const std::vector<env::DirectoryEntry>& entries) {
  bool changed = false;
  for (const auto& entry : entries) {
    const std::string_view name = entry.name;
    if (entry.is_directory) continue;
    if (!name.ends_with(suffix::temporary) && !name.ends_with(suffix::deleted)) continue;
    ARUS_TRY(files.remove(join_path(directory, name)));
    changed = true;
  }
  const auto swapped = recover_swaps(files, directory, entries);
  if (!swapped) return fail(swapped.error());
  return changed || *swapped;
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
        segment_files_log.warning("{}: removes {}, whose segment is gone", directory, entry.name);
        ARUS_TRY(files.remove(join_path(directory, entry.name)));
      } else {
        ARUS_TRY(note_size(files, directory, entry.name, segment->second.*size));
      }
    }
  }
  return found;
}

}  // namespace arus::storage
