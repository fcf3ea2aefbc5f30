// The text files of a log directory from anywhere: what parses means the same when written again.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/bytes.h"
#include "storage/checkpoint_file.h"
#include "storage/clean_shutdown_file.h"
#include "storage/file_names.h"
#include "storage/meta_properties.h"
#include "storage/partition_metadata.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace arus;
  using namespace arus::storage;
  const std::string_view text = arus::as_text(arus::ByteView{data, size});
  if (const auto entries = parse_offset_checkpoint(text)) {
    const auto again = parse_offset_checkpoint(encode_offset_checkpoint(*entries));
    ARUS_ASSERT(again && *again == *entries);
  }
  if (const auto entries = parse_leader_epoch_checkpoint(text)) {
    const auto again = parse_leader_epoch_checkpoint(encode_leader_epoch_checkpoint(*entries));
    ARUS_ASSERT(again && *again == *entries);
  }
  if (const auto identity = parse_meta_properties(text)) {
    ARUS_ASSERT(!identity->cluster_id.empty() && identity->node_id >= 0);
  }
  if (const auto id = parse_partition_metadata(text)) {
    ARUS_ASSERT(parse_partition_metadata(encode_partition_metadata(*id)) == *id);
  }
  if (const auto epoch = parse_clean_shutdown(text)) {
    ARUS_ASSERT(parse_clean_shutdown(encode_clean_shutdown(*epoch)) == *epoch);
  }
  if (const auto name = parse_partition_directory(text)) {
    ARUS_ASSERT(name->partition.topic.find('/') == std::string::npos);
  }
  return 0;
}
