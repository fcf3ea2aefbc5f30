#include "storage/directory_checkpoints.h"

#include "storage/checkpoint_file.h"
#include "storage/file_names.h"

namespace arus::storage {

Result<> DirectoryCheckpoints::write(env::FileSystem& files,
                                     const std::map<TopicPartition, LogOffsets>& logs, bool clean) {
  std::vector<PartitionOffset> recovery_points;
  std::vector<PartitionOffset> high_watermarks;
  std::vector<PartitionOffset> starts;
  std::vector<PartitionOffset> cleaned;
  for (const auto& [name, offsets] : logs) {
    recovery_points.push_back({name, clean ? offsets.log_end : offsets.recovery_point});
    high_watermarks.push_back({name, offsets.high_watermark});
    if (offsets.starts_inside_segment) starts.push_back({name, offsets.log_start});
    if (offsets.cleaned_to) cleaned.push_back({name, *offsets.cleaned_to});
  }
  ARUS_TRY(
      write_one(files, recovery_point_checkpoint_name, encode_offset_checkpoint(recovery_points)));
  ARUS_TRY(write_one(files, log_start_checkpoint_name, encode_offset_checkpoint(starts)));
  ARUS_TRY(
      write_one(files, high_watermark_checkpoint_name, encode_offset_checkpoint(high_watermarks)));
  return write_one(files, cleaner_checkpoint_name, encode_offset_checkpoint(cleaned));
}

Result<> DirectoryCheckpoints::write_one(env::FileSystem& files, std::string_view name,
                                         const std::string& text) {
  const std::size_t hash = std::hash<std::string>{}(text);
  const auto before = written_.find(name);
  if (before != written_.end() && before->second == hash) return {};
  ARUS_TRY(files.replace_file(join_path(root_, name), as_bytes(text)));
  written_.insert_or_assign(std::string(name), hash);
  return {};
}

}  // namespace arus::storage
