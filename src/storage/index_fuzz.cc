// Offset, time and transaction indexes from anywhere: what parses is written again byte for byte.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "storage/offset_index.h"
#include "storage/time_index.h"
#include "storage/transaction_index.h"

namespace arus::storage {
namespace {

constexpr Offset base{1'000};

// Trailing zeros are Kafka's room for more entries; they are not kept.
void check_same(const Bytes& again, ByteView input) {
  ARUS_ASSERT(again.size() <= input.size());
  ARUS_ASSERT(equal(again, input.first(again.size())));
  for (const std::uint8_t byte : input.subspan(again.size())) ARUS_ASSERT(byte == 0);
}

}  // namespace
}  // namespace arus::storage

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace arus;
  using namespace arus::storage;
  const ByteView input{data, size};
  if (const auto entries = parse_offset_index(input, base)) {
    Bytes again;
    for (const auto& entry : *entries) encode(entry, base, again);
    check_same(again, input);
    for (const auto& entry : *entries) ARUS_ASSERT(floor_entry(*entries, entry.offset) == entry);
  }
  if (const auto entries = parse_time_index(input, base)) {
    Bytes again;
    for (const auto& entry : *entries) encode(entry, base, again);
    check_same(again, input);
    for (const auto& entry : *entries) {
      ARUS_ASSERT(floor_entry(*entries, entry.timestamp_ms) == entry);
    }
  }
  if (const auto entries = parse_transaction_index(input)) {
    for (const auto& entry : *entries) ARUS_ASSERT(entry.first_offset <= entry.last_offset);
  }
  return 0;
}
