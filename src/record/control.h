// Keys of control records, and the one body that the log itself looks into.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace arus::record {

enum class ControlType : std::int16_t {
  abort = 0,
  commit = 1,
  leader_change = 2,
  snapshot_header = 3,
  snapshot_footer = 4,
  kraft_version = 5,
  kraft_voters = 6,
};

// Kafka's name: "ABORT", "KRAFT_VOTERS"; "UNKNOWN" for a number without one.
[[nodiscard]] std::string_view control_type_name(ControlType type);

// int16 version 0, int16 type.
[[nodiscard]] std::array<std::uint8_t, 4> build_control_key(ControlType type);
// Nothing for bytes that are no control key. A type with a number unknown to us is given as it is:
// readers skip it. Versions above 0 may be longer; what is beyond the type is not looked at.
[[nodiscard]] std::optional<ControlType> parse_control_key(ByteView key);

// The value of an abort or commit record.
struct EndTransactionMarker {
  std::int32_t coordinator_epoch = -1;
};
[[nodiscard]] std::array<std::uint8_t, 6> build_end_transaction_value(
    const EndTransactionMarker& marker);
[[nodiscard]] std::optional<EndTransactionMarker> parse_end_transaction_value(ByteView value);

}  // namespace arus::record
