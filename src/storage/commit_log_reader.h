// What a crash left in the commit log of a directory.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/topic_partition.h"
#include "env/file.h"
#include "storage/commit_log_format.h"
#include "storage/directory_identity.h"

namespace arus::storage {

// A file with a valid header.
struct FoundLap {
  std::size_t number = 0;  // in its name
  std::string path;
  std::size_t size_bytes = 0;
  CommitLogHeader header;
};

// Bytes that stood, or should stand, at `position` of a segment.
struct FoundWrite {
  std::size_t lap = 0;  // index in FoundCommitLog::laps
  std::size_t payload_at = 0;
  std::size_t size_bytes = 0;
  Offset segment;
  std::int32_t position = 0;
};

struct FoundPartition {
  TopicPartition name;
  std::vector<FoundWrite> writes;  // in the order they were made
};

struct FoundCommitLog {
  std::vector<FoundLap> laps;           // ascending by generation
  std::vector<std::string> void_files;  // paths
  std::map<TopicIdPartition, FoundPartition> partitions;
  std::uint64_t next_generation = 1;
  std::uint64_t next_sequence = 1;
};

// Reads all files; what is not whole, or not of the commit log, ends a file without an error.
// Blocking.
[[nodiscard]] Result<FoundCommitLog> read_commit_log(env::FileSystem& files,
                                                     const std::string& root);

// Removes, durably, the files that are void; one with a damaged header is not. Where the flush that
// made one void has failed, the system may remember only in its cache that it is: after a power cut
// it would be replayed again.
[[nodiscard]] Result<> remove_void_files(env::FileSystem& files, const std::string& root,
                                         FoundCommitLog& found);

// Why what was found must not be replayed into a directory of this identity, or nothing.
[[nodiscard]] std::string_view find_foreign(const FoundCommitLog& found,
                                            const std::optional<DirectoryIdentity>& identity);
// The same for a node whose newest registration is this one, or that has none.
[[nodiscard]] bool is_of_run(const FoundCommitLog& found,
                             const std::optional<BrokerRegistration>& newest);
// Gives the files other names, durably, and forgets them.
[[nodiscard]] Result<> set_aside(env::FileSystem& files, const std::string& root,
                                 FoundCommitLog& found, std::string_view why);

// Brings a partition's segments to what its writes say: bytes that differ are written again. True
// when any were. KAFKA_STORAGE_ERROR where bytes before a write are missing: that is damage.
// Blocking: for the pool, before the log is opened.
[[nodiscard]] Result<bool> restore_logged_writes(env::FileSystem& files, const std::string& folder,
                                                 const FoundPartition& partition,
                                                 const std::vector<FoundLap>& laps);

}  // namespace arus::storage
