// Records that brokers keep for themselves, as text: metadata, control records, coordinators'
// state.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace arus::cli {

// {"type":"TOPIC_RECORD","version":0,"data":{…}}
Result<std::string> metadata_record_text(ByteView value);

// Behind the record's own fields: ` LeaderChange: {…}`, ` endTxnMarker: COMMIT …`. Empty for a kind
// that nobody knows.
Result<std::string> control_record_text(ByteView key, ByteView value);

// Whose coordinator wrote it.
enum class CoordinatorKind : std::uint8_t { group, transaction, share };
struct CoordinatorRecordText {
  std::string key;
  std::string value;  // "<DELETE>" for null
};
Result<CoordinatorRecordText> coordinator_record_text(CoordinatorKind kind, ByteView key,
                                                      const std::optional<ByteView>& value);

}  // namespace arus::cli
