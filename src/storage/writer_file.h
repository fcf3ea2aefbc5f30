// Files and folders as the writer of a log directory knows them.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "env/file.h"
#include "storage/file_names.h"

namespace arus::storage {

// The directory of one partition. Owner: the log that lives in it and the writer share it; `path`
// never changes, the flags are the writer's.
struct WriterFolder {
  explicit WriterFolder(std::string folder_path) : path(std::move(folder_path)) {}
  const std::string path;
  bool created_unsynced = false;  // folder and partition.metadata are not on stable storage yet
  bool in_round = false;          // of the flush that is being prepared
  bool entries_unsynced = false;  // a segment file was made since the folder was synced
};

// One file that a log writes: its name on the log's loop, its open descriptor on the writer.
class WriterFile {
 public:
  WriterFile(std::shared_ptr<WriterFolder> folder, Offset base_offset, std::string_view suffix)
      : folder_(std::move(folder)), base_offset_(base_offset), suffix_(suffix) {}

  [[nodiscard]] std::string path() const {
    return join_path(folder_->path, segment_file_name(base_offset_, suffix_));
  }
  [[nodiscard]] Offset base_offset() const { return base_offset_; }
  [[nodiscard]] bool is_log() const { return suffix_ == suffix::log; }

 private:
  friend class WritePort;
  friend class DirectoryWriter;
  friend class WriterFiles;

  const std::shared_ptr<WriterFolder> folder_;
  const Offset base_offset_;
  const std::string_view suffix_;  // one of namespace suffix

  // The loop's: the step of the group being filled that writes this file.
  std::uint64_t group_ = 0;
  std::size_t step_ = 0;

  // The writer's.
  std::shared_ptr<env::File> open_;
  std::list<std::shared_ptr<WriterFile>>::iterator use_;  // valid while open
  bool unsynced_ = false;
};

}  // namespace arus::storage
