#include "storage/transaction_index.h"

#include <algorithm>

#include "base/endian.h"

namespace arus::storage {

void encode(const TransactionIndexEntry& entry, Bytes& to) {
  const std::size_t at = to.size();
  to.resize(at + transaction_index_format::entry_bytes);
  std::uint8_t* const bytes = to.data() + at;
  store_big(bytes + transaction_index_format::version_at, transaction_index_format::version);
  store_big(bytes + transaction_index_format::producer_id_at, entry.producer_id.value());
  store_big(bytes + transaction_index_format::first_offset_at, entry.first_offset.value());
  store_big(bytes + transaction_index_format::last_offset_at, entry.last_offset.value());
  store_big(bytes + transaction_index_format::last_stable_offset_at,
            entry.last_stable_offset.value());
}

Result<std::vector<TransactionIndexEntry>> parse_transaction_index(ByteView file) {
  std::vector<TransactionIndexEntry> entries;
  entries.reserve(
      std::min<std::size_t>(file.size() / transaction_index_format::entry_bytes, 1 << 16));
  std::size_t at = 0;
  for (; at + transaction_index_format::entry_bytes <= file.size();
       at += transaction_index_format::entry_bytes) {
    const std::uint8_t* const bytes = file.data() + at;
    if (load_big<std::int16_t>(bytes + transaction_index_format::version_at) >
        transaction_index_format::version) {
      return fail(ErrorCode::corrupt_message, "The transaction index has an unknown version");
    }
    const TransactionIndexEntry entry{
        ProducerId{load_big<std::int64_t>(bytes + transaction_index_format::producer_id_at)},
        Offset{load_big<std::int64_t>(bytes + transaction_index_format::first_offset_at)},
        Offset{load_big<std::int64_t>(bytes + transaction_index_format::last_offset_at)},
        Offset{load_big<std::int64_t>(bytes + transaction_index_format::last_stable_offset_at)}};
    const bool ascends = entries.empty() || entry.last_offset > entries.back().last_offset;
    if (entry.first_offset > entry.last_offset || entry.first_offset < Offset{0} || !ascends) {
      return fail(ErrorCode::corrupt_message, "The transaction index contradicts itself");
    }
    entries.push_back(entry);
  }
  if (at != file.size()) return fail(ErrorCode::corrupt_message, "The transaction index is cut");
  return entries;
}

}  // namespace arus::storage
