// How files and directories of logs are named.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/topic_partition.h"
#include "base/uuid.h"

namespace arus::storage {

namespace suffix {
inline constexpr std::string_view log = ".log";
inline constexpr std::string_view offset_index = ".index";
inline constexpr std::string_view time_index = ".timeindex";
inline constexpr std::string_view transaction_index = ".txnindex";
inline constexpr std::string_view producer_snapshot = ".snapshot";
inline constexpr std::string_view deleted = ".deleted";
inline constexpr std::string_view cleaned = ".cleaned";
inline constexpr std::string_view swap = ".swap";
inline constexpr std::string_view temporary = ".tmp";
}  // namespace suffix

inline constexpr std::string_view leader_epoch_checkpoint_name = "leader-epoch-checkpoint";
inline constexpr std::string_view partition_metadata_name = "partition.metadata";
inline constexpr std::string_view meta_properties_name = "meta.properties";
inline constexpr std::string_view lock_name = ".lock";
inline constexpr std::string_view clean_shutdown_name = ".kafka_cleanshutdown";
inline constexpr std::string_view flush_failed_name = "arus-flush-failed";
inline constexpr std::string_view high_watermark_checkpoint_name = "replication-offset-checkpoint";
inline constexpr std::string_view recovery_point_checkpoint_name =
    "recovery-point-offset-checkpoint";
inline constexpr std::string_view log_start_checkpoint_name = "log-start-offset-checkpoint";
inline constexpr std::string_view cleaner_checkpoint_name = "cleaner-offset-checkpoint";

// "00000000000000000042.log": the offset in 20 digits, then the suffix.
[[nodiscard]] std::string segment_file_name(Offset base_offset, std::string_view suffix);
// The offset of a name with exactly this suffix.
[[nodiscard]] std::optional<Offset> parse_segment_file_name(std::string_view name,
                                                            std::string_view suffix);

enum class PartitionDirectoryKind : std::uint8_t { live, deleted, stray, future };

struct PartitionDirectoryName {
  TopicPartition partition;
  PartitionDirectoryKind kind = PartitionDirectoryKind::live;
};

// "topic-0", "topic-0.<32 hex digits>-delete", -stray or -future; nothing for other names.
[[nodiscard]] std::optional<PartitionDirectoryName> parse_partition_directory(
    std::string_view name);
// "topic-0.<hex of the uuid>-delete"; the topic is cut so that the name has at most 255 bytes.
[[nodiscard]] std::string set_aside_directory_name(const TopicPartition& partition,
                                                   const Uuid& unique, std::string_view ending);

[[nodiscard]] std::string join_path(std::string_view directory, std::string_view name);

}  // namespace arus::storage
