// What the fuzz targets do with each message of a catalog.
#pragma once

#include "base/assert.h"
#include "protocol/catalog.h"

namespace arus::protocol {

// The first two bytes choose the message and its version, the rest is its body. Whatever decodes
// can be said again in the same version, in exactly the size it announced, and once more the same.
inline void fuzz_one(std::span<const CatalogEntry> catalog, ByteView input) {
  if (input.size() < 2) return;
  const CatalogEntry& entry = catalog[input[0] % catalog.size()];
  const int versions = entry.max_version - entry.min_version + 1;
  const auto version = static_cast<std::int16_t>(entry.min_version + input[1] % versions);
  const Slice body = Slice::copy_of(input.subspan(2));
  const auto recoded = entry.recode(body, version);
  if (!recoded) {
    ARUS_ASSERT(recoded.error().code == ErrorCode::invalid_request);
    return;
  }
  ARUS_ASSERT(recoded->exact_size);
  const auto again = entry.recode(Slice(recoded->bytes), version);
  ARUS_ASSERT(again && again->bytes == recoded->bytes);
  ARUS_ASSERT(entry.to_json(body, version));
}

}  // namespace arus::protocol
