// Producer snapshots from anywhere, with the checksum made right so that the rest is reached.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/crc32c.h"
#include "base/endian.h"
#include "storage/producer_snapshot.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace arus;
  using namespace arus::storage;
  namespace format = producer_snapshot_format;
  Bytes file(data, data + size);
  static_cast<void>(parse_producer_snapshot(file));
  if (file.size() < format::entries_at) return 0;
  store_big(file.data() + format::crc_at, crc32c(ByteView(file).subspan(format::count_at)));
  const auto entries = parse_producer_snapshot(file);
  if (!entries) return 0;
  ProducerState state;
  state.load(*entries);
  ARUS_ASSERT(state.size() <= entries->size());
  static_cast<void>(state.first_unstable_offset());
  ARUS_ASSERT(parse_producer_snapshot(encode_producer_snapshot(state.entries())).has_value());
  return 0;
}
