// Control records: whatever the bytes, decoding ends, and voters read back as they were written.
#include "base/assert.h"
#include "raft/core/control_records.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace arus::raft;
  const arus::ByteView bytes(data, size);
  static_cast<void>(decode_leader_change(bytes));
  static_cast<void>(decode_snapshot_header(bytes));
  static_cast<void>(decode_kraft_version(bytes));
  if (const auto voters = decode_voters(bytes)) {
    ARUS_ASSERT(decode_voters(encode_voters(*voters)) == *voters);
  }
  return 0;
}
