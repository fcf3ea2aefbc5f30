// Every response decoder, as clients and followers meet it.
#include "protocol/fuzz_catalog.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  arus::protocol::fuzz_one(arus::protocol::response_catalog(), {data, size});
  return 0;
}
