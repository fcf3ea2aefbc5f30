// What the answers of the transaction APIs have in common.
#pragma once

#include <cstdint>

#include "base/error_code.h"

namespace arus::broker {

// Clients of old versions do not know PRODUCER_FENCED and take INVALID_PRODUCER_EPOCH the same way.
[[nodiscard]] inline ErrorCode fenced_code(ErrorCode code, std::int16_t version,
                                           std::int16_t known_from_version) {
  const bool unknown = code == ErrorCode::producer_fenced && version < known_from_version;
  return unknown ? ErrorCode::invalid_producer_epoch : code;
}

}  // namespace arus::broker
