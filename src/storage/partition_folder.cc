#include "storage/partition_folder.h"

#include <array>

#include "storage/checkpoint_file.h"
#include "storage/file_names.h"
#include "storage/partition_metadata.h"
#include "storage/producer_snapshot.h"
#include "storage/rewrite.h"

namespace arus::storage {

Result<> make_folder(DirectoryWriter* writer, const std::string& folder, const Uuid& topic_id) {
  env::FileSystem& files = writer->files();
  ARUS_TRY(files.create_directories(folder));
  const auto metadata =
      files.open(join_path(folder, partition_metadata_name), env::OpenMode::create);
  if (!metadata) return fail(metadata.error());
  return rewrite(**metadata, as_bytes(encode_partition_metadata(topic_id)));
}

Result<> make_prepared_folder(DirectoryWriter* writer, const std::string& folder,
                              const Uuid& topic_id, LeaderEpoch epoch) {
  ARUS_TRY(make_folder(writer, folder, topic_id));
  env::FileSystem& files = writer->files();
  for (const auto kind : {suffix::log, suffix::offset_index, suffix::time_index}) {
    const std::string name = segment_file_name(Offset{0}, kind);
    const auto made = files.open(join_path(folder, name), env::OpenMode::create);
    if (!made) return fail(made.error());
  }
  const std::string epochs =
      encode_leader_epoch_checkpoint(std::array{EpochStart{epoch, Offset{0}}});
  return replace_unsynced(files, join_path(folder, leader_epoch_checkpoint_name), as_bytes(epochs));
}

Result<bool> check_or_make_folder(DirectoryWriter* writer, const std::string& folder,
                                  const Uuid& topic_id) {
  env::FileSystem& files = writer->files();
  const std::string metadata = join_path(folder, partition_metadata_name);
  const bool created = !files.exists(folder);
  if (!created && files.exists(metadata)) {
    const auto text = files.read_file(metadata);
    if (!text) return fail(text.error());
    const auto id = parse_partition_metadata(as_text(*text));
    if (id && *id == topic_id) return false;
    // A power cut may leave the file without its contents; it is written again then.
    if (id) {
      return fail(ErrorCode::inconsistent_topic_id,
                  folder + " does not belong to topic " + topic_id.to_string());
    }
  }
  ARUS_TRY(make_folder(writer, folder, topic_id));
  return created;
}

Result<> promote_folder(DirectoryWriter* writer, const std::string& from, const std::string& to,
                        Offset end, const std::vector<ProducerEntry>& producers) {
  env::FileSystem& files = writer->files();
  // After a full disk it is called again.
  if (files.exists(from)) {
    if (end > Offset{0}) {
      const std::string name = segment_file_name(end, suffix::producer_snapshot);
      ARUS_TRY(replace_unsynced(files, join_path(from, name), encode_producer_snapshot(producers)));
    }
    const auto entries = files.list(from);
    if (!entries) return fail(entries.error());
    for (const auto& entry : *entries) {
      if (entry.is_directory) continue;
      const auto file = files.open(join_path(from, entry.name), env::OpenMode::read_write);
      if (!file) return fail(file.error());
      ARUS_TRY((*file)->sync());
    }
    ARUS_TRY(files.sync_directory(from));
    ARUS_TRY(files.rename(from, to));
  }
  return files.sync_directory(writer->root());
}

}  // namespace arus::storage
