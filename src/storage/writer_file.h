// Files and folders as the writer of a log directory knows them.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/topic_partition.h"
#include "env/file.h"
#include "storage/file_names.h"

namespace arus::storage {

// The directory of one partition. Owner: the log that lives in it and the writer share it; `path`
// never changes, the flags are the writer's.
struct WriterFolder {
  // Told on the writer that a segment is on stable storage up to an offset.
  using Flushed = std::function<void(Offset segment, Offset end)>;

  WriterFolder(std::string folder_path, TopicPartition the_name, Uuid the_topic_id,
               Flushed the_flushed)
      : path(std::move(folder_path)),
        name(std::move(the_name)),
        topic_id(the_topic_id),
        flushed(std::move(the_flushed)) {}
  [[nodiscard]] bool has_unsynced_entries() const { return entries_synced < entries_made; }

  const std::string path;
  const TopicPartition name;
  const Uuid topic_id;
  const Flushed flushed;
  bool created_unsynced = false;     // folder and partition.metadata are not on stable storage yet
  bool in_round = false;             // of the flush that is being prepared
  std::uint64_t entries_made = 0;    // segment files
  std::uint64_t entries_synced = 0;  // of them, whose names are on stable storage
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
  [[nodiscard]] const WriterFolder& folder() const { return *folder_; }
  [[nodiscard]] bool is_log() const { return suffix_ == suffix::log; }

 private:
  friend class CommitLog;
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
  bool unlogged_ = false;              // some of what is unsynced is not in the commit log
  bool descriptor_lost_ = false;       // it was closed while there was something unsynced
  std::unique_ptr<env::FilePin> pin_;  // or it was, and errors are kept all the same
  std::size_t round_bytes_ = 0;        // for the commit log, in this round
  std::uint64_t lap_ = 0;              // of the commit log that names it as dirty last
  Offset logged_end_{-1};              // of what the commit log has of it
};

}  // namespace arus::storage
