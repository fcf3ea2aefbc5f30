// Properties files: whatever the bytes, parsing ends, and what was read is written so that it reads
// back the same.
#include "base/assert.h"
#include "config/broker_config.h"
#include "config/properties.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace arus::config;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto properties = parse_properties(text);
  if (!properties) return 0;
  const auto again = parse_properties(write_properties(*properties));
  ARUS_ASSERT(again && *again == *properties);
  static_cast<void>(find_insecure_key(*properties));
  // The keys that a node cannot be without, so that the rest of them is looked at, too.
  for (auto& [key, value] : standalone_properties("/data", ":9092")) {
    properties->try_emplace(key, value);
  }
  static_cast<void>(BrokerConfig::make(std::move(*properties)));
  return 0;
}
