// Feature levels of Kafka 4.3.1: ranges, the names of metadata versions, what each level implies.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace arus::protocol {

inline constexpr std::string_view metadata_version_feature = "metadata.version";
inline constexpr std::string_view kraft_version_feature = "kraft.version";
inline constexpr std::string_view transaction_version_feature = "transaction.version";
inline constexpr std::string_view group_version_feature = "group.version";
inline constexpr std::string_view elr_version_feature = "eligible.leader.replicas.version";
inline constexpr std::string_view share_version_feature = "share.version";
inline constexpr std::string_view streams_version_feature = "streams.version";

struct Feature {
  std::string_view name;
  std::int16_t min;
  std::int16_t max;            // the newest level fit for production
  std::int16_t fresh_default;  // of a directory that Kafka 4.3.1 formats
};
// In order of their names.
std::span<const Feature> all_features();
const Feature* find_feature(std::string_view name);

struct MetadataVersion {
  std::int16_t level;
  std::string_view name;  // "4.3-IV0"
  bool changed;           // its records differ from those of the level below
  std::int16_t register_broker_record;
  std::int16_t register_controller_record;  // −1: not written
  std::int16_t partition_record;
  std::int16_t partition_change_record;
  std::int16_t fetch_request;         // between brokers
  std::int16_t list_offsets_request;  // between brokers
};
// Levels 7 to 30.
std::span<const MetadataVersion> all_metadata_versions();
const MetadataVersion* find_metadata_version(std::int16_t level);
// By "4.3-IV0", or by "4.3" for the newest of a release.
const MetadataVersion* find_metadata_version(std::string_view name);
// The level that a feature has by default under a metadata version; nothing for unknown names.
std::optional<std::int16_t> default_level(std::string_view feature, std::int16_t metadata_level);

}  // namespace arus::protocol
