// Every message by name, to be used without knowing its type: by tests, fuzz targets and dumps.
// In the library arus_protocol_catalog, which the server does without.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace arus::protocol {

// What one message became: written again, and whether the size it announced was exact and what was
// written reads as the same.
struct Recoded {
  Bytes bytes;
  bool exact_size = false;
  bool reads_as_equal = false;
};

class AnyMessage;

struct CatalogEntry {
  std::string_view name;  // "FetchRequest", "TopicRecord"
  std::string_view kind;  // request, response, header, metadata, coordinator-key, -value, data
  std::int16_t key;       // of the API or the record; -1 for what has none
  std::int16_t min_version;
  std::int16_t max_version;
  std::int16_t first_flexible_version;
  Result<std::unique_ptr<AnyMessage>> (*decode)(const Slice& body, std::int16_t version);

  // Decodes the whole of `body` and encodes it again.
  [[nodiscard]] Result<Recoded> recode(const Slice& body, std::int16_t version) const;
  // The fields of that version as JSON, as Kafka's tools print them.
  [[nodiscard]] Result<std::string> to_json(const Slice& body, std::int16_t version) const;
};

std::span<const CatalogEntry> request_catalog();
std::span<const CatalogEntry> response_catalog();
std::span<const CatalogEntry> record_catalog();
// Null for a name that no message of the catalog has.
const CatalogEntry* find_entry(std::span<const CatalogEntry> catalog, std::string_view name);

}  // namespace arus::protocol
