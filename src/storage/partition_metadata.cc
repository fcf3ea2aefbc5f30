#include "storage/partition_metadata.h"

namespace arus::storage {

namespace {
constexpr std::string_view prefix = "version: 0\ntopic_id: ";
}  // namespace

std::string encode_partition_metadata(const Uuid& topic_id) {
  return std::string(prefix) + topic_id.to_string();
}

Result<Uuid> parse_partition_metadata(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  if (text.starts_with(prefix)) {
    if (const auto id = Uuid::parse(text.substr(prefix.size())); id && !id->is_zero()) return *id;
  }
  return fail(ErrorCode::corrupt_message, "partition.metadata names no topic id");
}

}  // namespace arus::storage
