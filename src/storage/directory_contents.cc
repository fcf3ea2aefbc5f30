#include "storage/directory_contents.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/log.h"
#include "storage/checkpoint_file.h"
#include "storage/clean_shutdown_file.h"
#include "storage/failed_flush.h"
#include "storage/file_names.h"
#include "storage/meta_properties.h"
#include "storage/partition_metadata.h"
#include "storage/zeros.h"

namespace arus::storage {

namespace {

const LogComponent directory_contents_log{"storage.directory"};

constexpr std::int64_t small_file_bytes = 1 << 20;

bool is_expected(const env::DirectoryEntry& entry) {
  static constexpr std::array<std::string_view, 9> names = {meta_properties_name,
                                                            lock_name,
                                                            clean_shutdown_name,
                                                            high_watermark_checkpoint_name,
                                                            recovery_point_checkpoint_name,
                                                            log_start_checkpoint_name,
                                                            cleaner_checkpoint_name,
                                                            "bootstrap.checkpoint",
                                                            "lost+found"};
  std::string_view name = entry.name;
  if (entry.is_directory) {
    return name == "lost+found" || parse_partition_directory(name).has_value();
  }
  if (name.ends_with(suffix::temporary)) name.remove_suffix(suffix::temporary.size());
  return std::ranges::find(names, name) != names.end() || name.starts_with("arus-");
}

// Sets one member of the offsets of every partition that a checkpoint names. False where there is
// no such checkpoint that is whole.
template <class Member>
Result<bool> read_checkpoint(env::FileSystem& files, const std::string& directory,
                             std::string_view name, Member LogOffsets::* member,
                             std::map<TopicPartition, LogOffsets>& offsets) {
  const std::string path = join_path(directory, name);
  if (!files.exists(path)) return false;
  const auto text = files.read_file(path);
  if (!text) return fail(text.error());
  if (text->empty()) return false;  // as Kafka makes them
  const auto entries = parse_offset_checkpoint(as_text(*text));
  if (!entries) {
    directory_contents_log.warning("{}: {}; it is not used", path, entries.error().message);
    return false;
  }
  for (const PartitionOffset& entry : *entries) {
    LogOffsets& of = offsets[entry.partition];
    of.name = entry.partition;
    of.*member = entry.offset;
    if (name == log_start_checkpoint_name) of.starts_inside_segment = true;
  }
  return true;
}

std::optional<Uuid> read_topic_id(env::FileSystem& files, const std::string& directory) {
  const auto text =
      files.read_file(join_path(directory, partition_metadata_name), small_file_bytes);
  if (!text) return std::nullopt;
  const auto id = parse_partition_metadata(as_text(*text));
  return id ? std::optional<Uuid>(*id) : std::nullopt;
}

// Not there, or as a power cut leaves what was never flushed; damage looks otherwise.
bool lacks_topic_id(env::FileSystem& files, const std::string& directory) {
  const auto bytes =
      files.read_file(join_path(directory, partition_metadata_name), small_file_bytes);
  if (!bytes) return bytes.error().os_error == ENOENT;
  return only_zeros(*bytes);
}

}  // namespace

Result<FoundCommitLog> find_commit_log(env::FileSystem& files, const std::string& path,
                                       DirectoryContents& contents) {
  auto found = read_commit_log(files, path);
  if (!found) return found;
  ARUS_TRY(remove_void_files(files, path, *found));
  std::string_view why = find_foreign(*found, contents.identity);
  if (contents.clean_shutdown_epoch) why = "the directory was stopped cleanly after it was written";
  if (!why.empty()) ARUS_TRY(set_aside(files, path, *found, why));
  const bool ours = !found->laps.empty() && contents.has_recovery_points;
  for (FoundLog& log : contents.found) {
    const auto known = contents.checkpoints.find(log.name);
    const bool durable =
        known != contents.checkpoints.end() && known->second.recovery_point > Offset{0};
    log.unfinished = ours && !log.topic_id && !durable &&
                     lacks_topic_id(files, join_path(path, log.name.to_string()));
  }
  std::vector<FoundLog> added;
  for (const auto& [id, partition] : found->partitions) {
    const auto named =
        std::ranges::equal_range(contents.found, partition.name, {}, &FoundLog::name);
    const bool known = std::ranges::any_of(named, [&](const FoundLog& each) {
      return each.topic_id ? *each.topic_id == id.topic_id : !each.unfinished;
    });
    if (!known) added.push_back({partition.name, id.topic_id});
  }
  std::ranges::move(added, std::back_inserter(contents.found));
  std::ranges::sort(contents.found, {}, &FoundLog::name);
  return found;
}

Result<std::optional<DirectoryIdentity>> identify_directory(env::FileSystem& files,
                                                            const std::string& path) {
  const std::string properties = join_path(path, meta_properties_name);
  if (files.exists(properties)) {
    const auto text = files.read_file(properties, small_file_bytes);
    if (!text) return fail(text.error());
    auto identity = parse_meta_properties(as_text(*text));
    if (!identity) {
      return fail(ErrorCode::kafka_storage_error, path + ": " + identity.error().message);
    }
    return std::optional(std::move(*identity));
  }
  const auto entries = files.list(path);
  if (!entries) return fail(entries.error());
  for (const auto& entry : *entries) {
    if (!is_expected(entry)) {
      return fail(ErrorCode::kafka_storage_error,
                  fmt::format("{} is not a log directory: it has no meta.properties and holds "
                              "\"{}\", which is not Kafka's",
                              path, entry.name));
    }
  }
  return std::nullopt;
}

Result<DirectoryContents> read_directory(env::FileSystem& files, const std::string& path) {
  DirectoryContents contents;
  auto identity = identify_directory(files, path);
  if (!identity) return fail(std::move(identity).error());
  contents.identity = std::move(*identity);
  if (const std::string marker = join_path(path, clean_shutdown_name); files.exists(marker)) {
    const auto text = files.read_file(marker, small_file_bytes);
    if (!text) return fail(text.error());
    contents.clean_shutdown_epoch = parse_clean_shutdown(as_text(*text));
  }
  contents.flush_failed = !contents.clean_shutdown_epoch && has_failed_flush(files, path);
  for (const auto& [name, member] :
       {std::pair{recovery_point_checkpoint_name, &LogOffsets::recovery_point},
        std::pair{high_watermark_checkpoint_name, &LogOffsets::high_watermark},
        std::pair{log_start_checkpoint_name, &LogOffsets::log_start}}) {
    const auto read = read_checkpoint(files, path, name, member, contents.checkpoints);
    if (!read) return fail(read.error());
    if (name == recovery_point_checkpoint_name) contents.has_recovery_points = *read;
  }
  const auto cleaned = read_checkpoint(files, path, cleaner_checkpoint_name,
                                       &LogOffsets::cleaned_to, contents.checkpoints);
  if (!cleaned) return fail(cleaned.error());
  const auto entries = files.list(path);
  if (!entries) return fail(entries.error());
  for (const auto& entry : *entries) {
    if (!entry.is_directory) continue;
    auto name = parse_partition_directory(entry.name);
    if (!name) {
      if (entry.name != "lost+found") {
        directory_contents_log.warning("{}: leaves the directory {} alone, it is no partition's",
                                       path, entry.name);
      }
      continue;
    }
    const std::string directory = join_path(path, entry.name);
    if (name->kind == PartitionDirectoryKind::deleted) {
      contents.deleted.push_back(directory);
    } else if (name->kind == PartitionDirectoryKind::future) {
      if (const auto topic_id = read_topic_id(files, directory)) {
        contents.futures.push_back({std::move(name->partition), *topic_id, directory});
      }
    } else if (name->kind != PartitionDirectoryKind::live) {
      directory_contents_log.info("{}: leaves {} alone", path, entry.name);
    } else if (name->partition.topic != metadata_topic_name) {
      const auto topic_id = read_topic_id(files, directory);
      contents.found.push_back({std::move(name->partition), topic_id});
    }
  }
  std::ranges::sort(contents.found, {}, &FoundLog::name);
  return contents;
}

}  // namespace arus::storage
