// Every response decoder, as clients use them: the first two bytes choose the API and its version.
#include "base/assert.h"
#include "protocol/catalog.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace arus;
  if (size < 2) return 0;
  const auto catalog = protocol::response_catalog();
  const auto& entry = catalog[data[0] % catalog.size()];
  const int versions = entry.max_version - entry.min_version + 1;
  const auto version = static_cast<std::int16_t>(entry.min_version + data[1] % versions);
  const auto recoded = entry.recode(Slice(Bytes(data + 2, data + size)), version);
  if (recoded) {
    ARUS_ASSERT(recoded->exact_size);
    ARUS_ASSERT(entry.recode(Slice(recoded->bytes), version));
  }
  return 0;
}
