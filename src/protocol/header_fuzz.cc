// The header of a request, as it comes from anybody.
#include "base/assert.h"
#include "protocol/header.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace arus;
  if (const auto head = protocol::read_request_head({data, size})) {
    ARUS_ASSERT(head->size_bytes <= size);
  }
  return 0;
}
