// What the logs of one loop share in a log directory.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/sip_hash.h"
#include "base/topic_partition.h"
#include "env/environment.h"
#include "env/task.h"
#include "storage/directory_writer.h"
#include "storage/open_files.h"
#include "storage/write_port.h"

namespace arus::storage {

// What the checkpoint files at the top of the directory say of one log.
struct LogOffsets {
  TopicPartition name;
  Offset recovery_point;
  Offset log_end;  // the recovery point once a clean stop has synced everything
  Offset high_watermark;
  Offset log_start;
  // The log's first segment begins below log_start: then the checkpoint must say it.
  bool starts_inside_segment = false;
  std::optional<Offset> cleaned_to;  // compaction has not seen what lies beyond
};

class PartitionLog;

// What a log asks of its directory. Callable from any loop.
class DirectoryFiles {
 public:
  virtual ~DirectoryFiles() = default;
  // Completes when the checkpoint files say, on stable storage, what the logs say at the call; many
  // callers share one write.
  virtual env::Task<Result<>> checkpoint_now() = 0;
  // Removes files, which were renamed before, after a delay.
  virtual void remove_later(std::vector<std::string> paths, env::Duration delay) = 0;
};

// Owner: one loop; its logs and the directory share it.
struct LogHost {
  LogHost(env::Environment& the_environment, env::Pool& the_pool,
          std::shared_ptr<DirectoryWriter> the_writer, std::shared_ptr<WritePort> the_port,
          std::size_t open_file_limit)
      : environment(the_environment),
        pool(the_pool),
        writer(std::move(the_writer)),
        port(std::move(the_port)),
        open_files(open_file_limit) {}

  env::Environment& environment;
  env::Pool& pool;  // for what blocks on the directory's files
  const std::shared_ptr<DirectoryWriter> writer;
  const std::shared_ptr<WritePort> port;
  OpenFiles open_files;
  std::int64_t producer_id_expiration_ms = 86'400'000;
  SipKey key_secret{};                          // of the hashes that compaction makes of keys
  std::vector<PartitionLog*> logs;              // those that are open
  std::map<TopicPartition, LogOffsets> closed;  // those that were
  // Names that had a folder made or taken since the directory was opened, so that it may exist.
  std::unordered_set<TopicPartition> opened;
  // Those of them that were put there whole, by promote_future(), and not opened since.
  std::unordered_set<TopicPartition> promoted;
  bool in_use = false;           // loop 0 was told so
  bool offsets_changed = false;  // since the checkpoints were written
  bool replay_failed = false;    // of the commit log that was found, for a log of this loop
  bool replay_over = false;      // its files may hold something else now
  std::weak_ptr<DirectoryFiles> directory;
};

}  // namespace arus::storage
