#include "protocol/coordinator_record.h"

namespace arus::protocol {

Result<std::int16_t> coordinator_prefix(ByteView bytes) {
  Reader in{bytes};
  const std::int16_t prefix = in.i16();
  if (!in.ok()) return fail(ErrorCode::invalid_record, "a coordinator record is cut short");
  return prefix;
}

}  // namespace arus::protocol
