#include "storage/segment_swap.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/log.h"
#include "env/os_error.h"
#include "storage/batch_scanner.h"
#include "storage/file_names.h"

namespace arus::storage {

namespace {

const LogComponent segment_swap_log{"storage.recovery"};

constexpr std::string_view index_kinds[] = {suffix::offset_index, suffix::time_index,
                                            suffix::transaction_index};
constexpr std::string_view kinds[] = {suffix::log, suffix::offset_index, suffix::time_index,
                                      suffix::transaction_index};

std::string path_of(const std::string& folder, Offset base, std::string_view kind,
                    std::string_view ending = "") {
  return join_path(folder, segment_file_name(base, kind) + std::string(ending));
}

Result<> rename_if_there(env::FileSystem& files, const std::string& from, const std::string& to) {
  if (!files.exists(from)) return {};
  return files.rename(from, to);
}

// Names with `.swap` go first, durably: with an old `.log` they would be taken for its indexes.
Result<> undo_stage(env::FileSystem& files, const std::string& folder, Offset base) {
  for (const std::string_view kind : kinds) {
    ARUS_TRY(files.remove(path_of(folder, base, kind, suffix::swap)));
  }
  ARUS_TRY(files.sync_directory(folder));
  return discard_cleaned(files, folder, base);
}

Result<> try_stage(env::FileSystem& files, const std::string& folder, Offset base) {
  for (const std::string_view kind : index_kinds) {
    ARUS_TRY(rename_if_there(files, path_of(folder, base, kind, suffix::cleaned),
                             path_of(folder, base, kind, suffix::swap)));
  }
  ARUS_TRY(files.sync_directory(folder));
  ARUS_TRY(files.rename(path_of(folder, base, suffix::log, suffix::cleaned),
                        path_of(folder, base, suffix::log, suffix::swap)));
  return files.sync_directory(folder);
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

// The base of a segment's file with this ending; nothing for other names.
std::optional<Offset> parse_base(std::string_view name, std::string_view ending) {
  if (!name.ends_with(ending)) return std::nullopt;
  name.remove_suffix(ending.size());
  for (const std::string_view kind : kinds) {
    if (auto base = parse_segment_file_name(name, kind)) return base;
  }
  return std::nullopt;
}

struct Leftovers {
  std::set<Offset> staged;              // bases with a `.log.swap`
  std::vector<std::string> swaps;       // names with `.swap` that are to be finished
  std::vector<std::string> unfinished;  // names with `.swap` whose round was not
  std::vector<std::string> cleaned;
};

// Where a `.cleaned` file is left, the exchange that it belongs to had not begun; as in Kafka.
Leftovers find_leftovers(const std::vector<env::DirectoryEntry>& entries) {
  Leftovers found;
  std::optional<Offset> lowest_cleaned;
  for (const auto& entry : entries) {
    if (entry.is_directory || !entry.name.ends_with(suffix::cleaned)) continue;
    found.cleaned.push_back(entry.name);
    const auto base = parse_base(entry.name, suffix::cleaned);
    if (base && (!lowest_cleaned || *base < *lowest_cleaned)) lowest_cleaned = base;
  }
  for (const auto& entry : entries) {
    if (entry.is_directory || !entry.name.ends_with(suffix::swap)) continue;
    const auto base = parse_base(entry.name, suffix::swap);
    if (!base || (lowest_cleaned && *base >= *lowest_cleaned)) {
      found.unfinished.push_back(entry.name);
      continue;
    }
    found.swaps.push_back(entry.name);
    if (entry.name == segment_file_name(*base, suffix::log) + std::string(suffix::swap)) {
      found.staged.insert(*base);
    }
  }
  return found;
}

// The segments that the staged one stands for, and whatever else has its base.
Result<> remove_replaced(env::FileSystem& files, const std::string& folder, Offset base,
                         const std::vector<env::DirectoryEntry>& entries) {
  const auto next = next_offset(files, path_of(folder, base, suffix::log, suffix::swap), base);
  if (!next) return fail(next.error());
  for (const auto& entry : entries) {
    const auto old = entry.is_directory ? std::nullopt : parse_base(entry.name, "");
    if (!old || *old < base || (*old >= *next && *old != base)) continue;
    ARUS_TRY(files.remove(join_path(folder, entry.name)));
  }
  segment_swap_log.info("{}: completes the swap of segment {}", folder, base.value());
  return {};
}

Result<> finish_names(env::FileSystem& files, const std::string& folder, const Leftovers& found) {
  const auto finish = [&](bool logs) -> Result<> {
    for (const std::string& name : found.swaps) {
      const std::string final_name = name.substr(0, name.size() - suffix::swap.size());
      if (final_name.ends_with(suffix::log) != logs) continue;
      ARUS_TRY(files.rename(join_path(folder, name), join_path(folder, final_name)));
    }
    return files.sync_directory(folder);
  };
  ARUS_TRY(finish(true));
  return finish(false);
}

}  // namespace

Result<> stage_swap(env::FileSystem& files, const std::string& folder, Offset base,
                    bool& committed) {
  committed = false;
  Result<> staged = try_stage(files, folder, base);
  // Nothing is taken back on a disk that has failed: its directory goes offline at once.
  if (!staged) {
    committed = env::is_device_failure(staged.error()) || !undo_stage(files, folder, base);
  }
  return staged;
}

Result<std::vector<std::string>> set_aside_replaced(env::FileSystem& files,
                                                    const StagedSwap& swap) {
  std::vector<std::string> deleted;
  const auto set_aside = [&](Offset base, std::string_view kind) -> Result<> {
    const std::string path = path_of(swap.folder, base, kind);
    const std::string aside = path + std::string(suffix::deleted);
    if (files.exists(path)) ARUS_TRY(files.rename(path, aside));
    if (files.exists(aside)) deleted.push_back(aside);
    return {};
  };
  for (const Offset old : swap.replaced) {
    for (const std::string_view kind : kinds) ARUS_TRY(set_aside(old, kind));
    // The snapshot where the new segment begins stays.
    if (old != swap.base) ARUS_TRY(set_aside(old, suffix::producer_snapshot));
  }
  return deleted;
}

Result<> name_swapped_log(env::FileSystem& files, const StagedSwap& swap) {
  return rename_if_there(files, path_of(swap.folder, swap.base, suffix::log, suffix::swap),
                         path_of(swap.folder, swap.base, suffix::log));
}

Result<> name_swapped_indexes(env::FileSystem& files, const StagedSwap& swap) {
  for (const std::string_view kind : index_kinds) {
    ARUS_TRY(rename_if_there(files, path_of(swap.folder, swap.base, kind, suffix::swap),
                             path_of(swap.folder, swap.base, kind)));
  }
  return {};
}

Result<> discard_cleaned(env::FileSystem& files, const std::string& folder, Offset base) {
  for (const std::string_view kind : kinds) {
    ARUS_TRY(files.remove(path_of(folder, base, kind, suffix::cleaned)));
  }
  return {};
}

Result<bool> recover_swaps(env::FileSystem& files, const std::string& folder,
                           const std::vector<env::DirectoryEntry>& entries) {
  const Leftovers found = find_leftovers(entries);
  for (const std::string& name : found.unfinished) {
    ARUS_TRY(files.remove(join_path(folder, name)));
  }
  if (!found.unfinished.empty()) ARUS_TRY(files.sync_directory(folder));
  for (const std::string& name : found.cleaned) {
    ARUS_TRY(files.remove(join_path(folder, name)));
  }
  for (const Offset base : found.staged) {
    ARUS_TRY(remove_replaced(files, folder, base, entries));
  }
  if (!found.swaps.empty()) {
    ARUS_TRY(files.sync_directory(folder));
    ARUS_TRY(finish_names(files, folder, found));
  }
  return !found.swaps.empty() || !found.unfinished.empty() || !found.cleaned.empty();
}

}  // namespace arus::storage
