#include "record/control.h"

#include "base/endian.h"
#include "base/reader.h"

namespace arus::record {

std::string_view control_type_name(ControlType type) {
  switch (type) {
    case ControlType::abort:
      return "ABORT";
    case ControlType::commit:
      return "COMMIT";
    case ControlType::leader_change:
      return "LEADER_CHANGE";
    case ControlType::snapshot_header:
      return "SNAPSHOT_HEADER";
    case ControlType::snapshot_footer:
      return "SNAPSHOT_FOOTER";
    case ControlType::kraft_version:
      return "KRAFT_VERSION";
    case ControlType::kraft_voters:
      return "KRAFT_VOTERS";
  }
  return "UNKNOWN";
}

std::array<std::uint8_t, 4> build_control_key(ControlType type) {
  std::array<std::uint8_t, 4> key{};
  store_big(key.data() + 2, static_cast<std::int16_t>(type));
  return key;
}

std::optional<ControlType> parse_control_key(ByteView key) {
  Reader reader{key};
  const std::int16_t version = reader.i16();
  const std::int16_t type = reader.i16();
  if (!reader.ok() || version < 0) return std::nullopt;
  return static_cast<ControlType>(type);
}

std::array<std::uint8_t, 6> build_end_transaction_value(const EndTransactionMarker& marker) {
  std::array<std::uint8_t, 6> value{};
  store_big(value.data() + 2, marker.coordinator_epoch);
  return value;
}

std::optional<EndTransactionMarker> parse_end_transaction_value(ByteView value) {
  Reader reader{value};
  const std::int16_t version = reader.i16();
  EndTransactionMarker marker{reader.i32()};
  if (!reader.ok() || version < 0) return std::nullopt;
  return marker;
}

}  // namespace arus::record
