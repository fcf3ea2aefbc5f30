// Records of the metadata log and of coordinators, with their frames.
#include "base/assert.h"
#include "protocol/catalog.h"
#include "protocol/record_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace arus;
  if (const auto record = protocol::decode_metadata_record({data, size})) {
    const auto again = protocol::encode_metadata_record(record->record, record->version);
    if (again) ARUS_ASSERT(protocol::decode_metadata_record(*again));
  }
  if (size < 2) return 0;
  const auto catalog = protocol::record_catalog();
  const auto& entry = catalog[data[0] % catalog.size()];
  const int versions = entry.max_version - entry.min_version + 1;
  const auto version = static_cast<std::int16_t>(entry.min_version + data[1] % versions);
  static_cast<void>(entry.recode(Slice(Bytes(data + 2, data + size)), version));
  return 0;
}
