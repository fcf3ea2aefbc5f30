#include "protocol/catalog.h"

#include <algorithm>

#include "protocol/any_message.h"

namespace arus::protocol {

Result<Recoded> CatalogEntry::recode(const Slice& body, std::int16_t version) const {
  const auto message = decode(body, version);
  if (!message) return fail(message.error());
  ARUS_TRY((*message)->check(version));
  Writer out;
  (*message)->encode(out, version);
  Recoded recoded;
  recoded.exact_size = out.size() == (*message)->encoded_size(version);
  recoded.bytes = out.take_bytes();
  const auto again = decode(Slice::unowned(recoded.bytes), version);
  recoded.reads_as_equal = again && (*again)->equals(**message);
  return recoded;
}

Result<std::string> CatalogEntry::to_json(const Slice& body, std::int16_t version) const {
  const auto message = decode(body, version);
  if (!message) return fail(message.error());
  return protocol::to_json(**message, version);
}

const CatalogEntry* find_entry(std::span<const CatalogEntry> catalog, std::string_view name) {
  const auto found = std::ranges::find(catalog, name, &CatalogEntry::name);
  return found == catalog.end() ? nullptr : &*found;
}

}  // namespace arus::protocol
