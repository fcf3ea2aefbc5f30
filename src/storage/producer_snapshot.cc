#include "storage/producer_snapshot.h"

#include "base/crc32c.h"
#include "base/reader.h"
#include "base/writer.h"

namespace arus::storage {

namespace {

void write_entry(Writer& writer, const ProducerEntry& entry) {
  const ProducerBatch* const last = entry.last_batch();
  writer.i64(entry.producer_id.value());
  writer.i16(entry.epoch);
  writer.i32(last == nullptr ? -1 : last->last_sequence);
  writer.i64(last == nullptr ? -1 : last->last_offset.value());
  writer.i32(last == nullptr ? 0 : last->offset_delta);
  writer.i64(entry.last_timestamp_ms);
  writer.i32(entry.coordinator_epoch);
  writer.i64(entry.transaction_start.value());
}

ProducerEntry read_entry(Reader& reader) {
  ProducerEntry entry;
  ProducerBatch last;
  entry.producer_id = ProducerId{reader.i64()};
  entry.epoch = reader.i16();
  last.last_sequence = reader.i32();
  last.last_offset = Offset{reader.i64()};
  last.offset_delta = reader.i32();
  entry.last_timestamp_ms = reader.i64();
  entry.coordinator_epoch = reader.i32();
  entry.transaction_start = Offset{reader.i64()};
  if (last.last_offset >= Offset{0}) entry.remember(last);
  if (last.offset_delta < 0 || entry.transaction_start < no_offset) reader.fail();
  return entry;
}

}  // namespace

Bytes encode_producer_snapshot(std::span<const ProducerEntry> entries) {
  Writer writer(producer_snapshot_format::entries_at +
                entries.size() * producer_snapshot_format::entry_bytes);
  writer.i16(producer_snapshot_format::version);
  writer.u32(0);
  writer.i32(static_cast<std::int32_t>(entries.size()));
  for (const ProducerEntry& entry : entries) write_entry(writer, entry);
  Bytes file = writer.take_bytes();
  store_big(file.data() + producer_snapshot_format::crc_at,
            crc32c(ByteView(file).subspan(producer_snapshot_format::count_at)));
  return file;
}

Result<std::vector<ProducerEntry>> parse_producer_snapshot(ByteView file) {
  const auto corrupt = [](const char* why) { return fail(ErrorCode::corrupt_message, why); };
  Reader reader(file);
  const std::int16_t version = reader.i16();
  const std::uint32_t crc = reader.u32();
  if (!reader.ok() || version != producer_snapshot_format::version) {
    return corrupt("The producer snapshot has an unknown version");
  }
  if (crc != crc32c(reader.rest())) return corrupt("The producer snapshot has a wrong checksum");
  const std::int32_t count = reader.i32();
  if (!reader.ok() || count < 0 ||
      reader.remaining() !=
          static_cast<std::size_t>(count) * producer_snapshot_format::entry_bytes) {
    return corrupt("The producer snapshot has a wrong size");
  }
  std::vector<ProducerEntry> entries;
  entries.reserve(static_cast<std::size_t>(count));
  for (std::int32_t i = 0; i < count; ++i) entries.push_back(read_entry(reader));
  if (!reader.ok()) return corrupt("The producer snapshot contradicts itself");
  return entries;
}

}  // namespace arus::storage
