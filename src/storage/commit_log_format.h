// Layout of the commit log's files, version 1, big-endian; docs/formats/commit-log.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/topic_partition.h"

namespace arus::storage {

namespace commit_log_format {

inline constexpr std::string_view file_prefix = "arus-commit-log-";
inline constexpr std::string_view aside_prefix = "arus-set-aside-commit-log-";

// What is never written again once it holds something acknowledged. Groups begin at its multiples.
inline constexpr std::size_t block_bytes = 4096;

inline constexpr std::string_view magic = "ARUSCLOG";
inline constexpr std::int16_t version = 1;
inline constexpr std::size_t version_at = 8;      // int16
inline constexpr std::size_t header_crc_at = 10;  // uint32 CRC-32C of everything behind it
inline constexpr std::size_t generation_at = 14;  // uint64
inline constexpr std::size_t most_cluster_id_bytes = 255;
inline constexpr std::size_t cluster_id_at = 71;
static_assert(version_at == magic.size());
static_assert(header_crc_at == version_at + 2);
static_assert(generation_at == header_crc_at + 4);
// Generation, first sequence, directory id, incarnation id, broker epoch, length of the cluster id.
static_assert(cluster_id_at == generation_at + 8 + 8 + 16 + 16 + 8 + 1);
// One sector: written whole or not at all.
static_assert(cluster_id_at + most_cluster_id_bytes <= 512);

// Of one entry: length uint32, CRC-32C uint32, sequence uint64, type int8, topic length uint8,
// partition int32, topic id, segment int64, position int32, base offset int64, leader epoch int32.
inline constexpr std::size_t length_at = 0;
inline constexpr std::size_t crc_at = 4;
inline constexpr std::size_t sequence_at = 8;
inline constexpr std::size_t topic_at = 62;
static_assert(topic_at == sequence_at + 8 + 1 + 1 + 4 + 16 + 8 + 4 + 8 + 4);

[[nodiscard]] constexpr std::size_t to_blocks(std::size_t bytes) {
  return (bytes + block_bytes - 1) / block_bytes * block_bytes;
}

}  // namespace commit_log_format

// Whose commit log it is: the directory, and the run of the node that wrote it. A run that has not
// registered yet has a zero incarnation id.
struct CommitLogOwner {
  std::string cluster_id;
  Uuid directory_id;
  Uuid incarnation_id;
  std::int64_t broker_epoch = -1;
  friend bool operator==(const CommitLogOwner&, const CommitLogOwner&) = default;
};

struct CommitLogHeader {
  std::uint64_t generation = 0;
  std::uint64_t first_sequence = 0;
  CommitLogOwner owner;
  friend bool operator==(const CommitLogHeader&, const CommitLogHeader&) = default;
};

enum class CommitLogEntryType : std::int8_t { batches = 1, settled = 2 };

struct CommitLogEntry {
  std::uint64_t sequence = 0;
  CommitLogEntryType type = CommitLogEntryType::batches;
  TopicPartition name;
  Uuid topic_id;
  Offset segment;
  std::int32_t position = 0;
  Offset base_offset;
  LeaderEpoch leader_epoch = no_leader_epoch;
  friend bool operator==(const CommitLogEntry&, const CommitLogEntry&) = default;
};

// An entry as it stands in a file.
struct ParsedCommitLogEntry {
  CommitLogEntry entry;
  std::size_t payload_at = 0;
  std::size_t size_bytes = 0;  // with the payload, which reaches to its end
};

// One block.
[[nodiscard]] Bytes encode(const CommitLogHeader& header);
// Nothing where the bytes are no header: then the file holds nothing.
[[nodiscard]] std::optional<CommitLogHeader> parse_commit_log_header(ByteView file);

// What the checksums of a generation's entries begin with.
[[nodiscard]] std::uint32_t commit_log_salt(std::uint64_t generation);
[[nodiscard]] inline std::size_t commit_log_entry_size(std::string_view topic,
                                                       std::size_t payload_bytes) {
  return commit_log_format::topic_at + topic.size() + payload_bytes;
}
// Appends everything of an entry but its payload.
void encode(const CommitLogEntry& entry, const Chain& payload, std::uint32_t salt, Bytes& out);
// The entry at the front of `bytes`; nothing where there is none that is whole.
[[nodiscard]] std::optional<ParsedCommitLogEntry> parse_commit_log_entry(ByteView bytes,
                                                                         std::uint32_t salt);

// "arus-commit-log-<number>".
[[nodiscard]] std::string commit_log_file_name(std::size_t number);
[[nodiscard]] std::optional<std::size_t> parse_commit_log_file_name(std::string_view name);

}  // namespace arus::storage
