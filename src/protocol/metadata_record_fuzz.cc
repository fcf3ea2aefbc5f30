// Records of the metadata log in their frame, and every stored record by its kind.
#include "protocol/fuzz_catalog.h"
#include "protocol/record_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace arus::protocol;
  if (const auto record = decode_metadata_record({data, size})) {
    const auto value = encode_metadata_record(record->record, record->version);
    ARUS_ASSERT(value);
    const auto again = decode_metadata_record(*value);
    ARUS_ASSERT(again && *encode_metadata_record(again->record, again->version) == *value);
  }
  fuzz_one(record_catalog(), {data, size});
  return 0;
}
