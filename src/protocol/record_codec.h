// Records of the metadata log, with the frame around each.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/metadata_record.h"

namespace arus::protocol {

// A record of __cluster_metadata: uvarint frame version 1, uvarint key, uvarint version, body.
struct VersionedRecord {
  MetadataRecord record;
  std::int16_t version = 0;
  friend bool operator==(const VersionedRecord&, const VersionedRecord&) = default;
};

// The value of a metadata record. Unknown kinds, versions and trailing bytes are errors.
[[nodiscard]] Result<VersionedRecord> decode_metadata_record(ByteView value);
// An error when the version cannot carry what the record says.
[[nodiscard]] Result<Bytes> encode_metadata_record(const MetadataRecord& record,
                                                   std::int16_t version);
[[nodiscard]] std::int16_t record_key(const MetadataRecord& record);
[[nodiscard]] std::string_view record_name(const MetadataRecord& record);
[[nodiscard]] std::int16_t highest_version(const MetadataRecord& record);

}  // namespace arus::protocol
