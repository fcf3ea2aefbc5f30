// quorum-state: whatever the bytes, parsing ends, and what was read is written so that it reads
// back the same.
#include "base/assert.h"
#include "raft/core/quorum_state.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace arus::raft;
  const auto state =
      parse_quorum_state(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!state) return 0;
  const auto again = parse_quorum_state(format_quorum_state(*state, 1, {}));
  ARUS_ASSERT(again && *again == *state);
  return 0;
}
