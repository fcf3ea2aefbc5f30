#include "storage/batch_cleaner.h"

#include "record/batch.h"
#include "record/builder.h"
#include "storage/producer_replay.h"

namespace arus::storage {

namespace {

// Of formats 0 and 1 only the last offset is known, and no producer.
record::BatchOptions options_of(const record::BatchView& batch, Offset base_offset) {
  record::BatchOptions options{
      .base_offset = base_offset,
      .leader_epoch = batch.leader_epoch(),
      .compression = batch.compression(),
      .timestamp_type = batch.timestamp_type(),
      .transactional = batch.is_transactional(),
      .control = batch.is_control(),
      .last_offset_delta = static_cast<std::int32_t>(batch.last_offset() - base_offset)};
  if (options.timestamp_type == record::TimestampType::log_append_time) {
    options.log_append_time_ms = batch.max_timestamp_ms();
  }
  if (batch.is_legacy()) return options;
  options.producer_id = batch.producer_id();
  options.producer_epoch = batch.producer_epoch();
  options.base_sequence = batch.base_sequence();
  return options;
}

Result<std::vector<record::Header>> headers_of(const record::RecordView& record) {
  std::vector<record::Header> headers;
  record::HeaderReader reader = record.headers();
  while (const auto header = reader.next()) headers.push_back(*header);
  if (!reader.ok()) return fail(ErrorCode::invalid_record, "The headers of a record are damaged");
  return headers;
}

}  // namespace

bool BatchCleaner::is_last_of_producer(const BatchHeader& header) const {
  if (header.producer_id == no_producer) return false;
  const auto last = rules_.producers.find(header.producer_id);
  if (last == rules_.producers.end()) return false;
  if (last->second.last_data_offset) return header.last_offset == *last->second.last_data_offset;
  return header.is_control() && header.producer_epoch == last->second.epoch;
}

Result<BatchCleaner::Verdict> BatchCleaner::judge(const BatchHeader& header,
                                                  const record::BatchView& batch) {
  Verdict verdict{
      .last_of_producer = is_last_of_producer(header),
      .horizon_over = batch.has_delete_horizon() && batch.base_timestamp_ms() <= rules_.now_ms};
  if (!header.is_control()) {
    verdict.discard_records = transactions_.note_batch(header);
    return verdict;
  }
  const auto end = read_transaction_end(batch.bytes());
  if (!end) return fail(end.error());
  verdict.empty_transaction = transactions_.note_marker(header, *end) || batch.count() == 0;
  // A marker that is its producer's last word keeps its record: without it nobody knows the epoch.
  verdict.discard_records =
      verdict.empty_transaction && verdict.horizon_over && !verdict.last_of_producer;
  return verdict;
}

bool BatchCleaner::keeps(const Verdict& verdict, const record::BatchView& batch,
                         const record::RecordView& record) const {
  if (verdict.discard_records) return false;
  if (batch.is_control() || record.offset >= rules_.mapped_end) return true;
  if (!record.key) return false;
  const auto newest = map_.find(*record.key);
  if (newest && record.offset < *newest) return false;
  return record.value.has_value() || !verdict.horizon_over;
}

Result<BatchCleaner::Survivors> BatchCleaner::count(const Verdict& verdict,
                                                    const record::BatchView& batch) {
  Survivors survivors;
  record::RecordReader reader(batch, scratch_);
  while (const auto record = reader.next()) {
    ++survivors.records;
    if (!keeps(verdict, batch, *record)) continue;
    if (survivors.kept++ == 0) survivors.first = record->offset;
    if (!batch.is_control() && !record->value && record->offset < rules_.mapped_end) {
      survivors.tombstones = true;
    }
  }
  if (!reader.status()) return fail(reader.status().error());
  return survivors;
}

Result<Bytes> BatchCleaner::rewrite(const Verdict& verdict, const Survivors& survivors,
                                    const record::BatchView& batch, bool set_horizon) {
  record::BatchOptions options =
      options_of(batch, batch.is_legacy() ? survivors.first : batch.base_offset());
  options.delete_horizon = set_horizon || batch.has_delete_horizon();
  if (set_horizon) {
    options.base_timestamp_ms = rules_.now_ms + rules_.delete_retention_ms;
  } else if (batch.has_delete_horizon()) {
    options.base_timestamp_ms = batch.base_timestamp_ms();
  }
  record::BatchBuilder builder(options);
  record::RecordReader reader(batch, scratch_);
  while (const auto record = reader.next()) {
    if (!keeps(verdict, batch, *record)) continue;
    const auto headers = headers_of(*record);
    if (!headers) return fail(headers.error());
    if (!builder.has_room(record::max_decompressed_bytes, record->key, record->value, *headers)) {
      return fail(ErrorCode::message_too_large, "The batch is too large to be written again");
    }
    builder.append_at(record->offset, record->timestamp_ms, record->key, record->value, *headers);
  }
  if (!reader.status()) return fail(reader.status().error());
  return builder.build(scratch_);
}

// The largest timestamp stays: a producer is remembered by it.
Bytes BatchCleaner::empty(const record::BatchView& batch) {
  record::BatchBuilder builder(options_of(batch, batch.base_offset()));
  Bytes bytes = builder.build();
  record::set_max_timestamp(bytes, batch.timestamp_type(), batch.max_timestamp_ms());
  return bytes;
}

Result<CleanedBatch> BatchCleaner::clean(const BatchHeader& header, ByteView bytes, bool keep_end) {
  const auto batch = record::BatchView::parse(bytes);
  if (!batch) return fail(batch.error());
  // What is written again gets a checksum that matches whatever it holds.
  if (!batch->crc_matches()) {
    return fail(ErrorCode::corrupt_message, "Its checksum does not match");
  }
  const auto verdict = judge(header, *batch);
  if (!verdict) return fail(verdict.error());
  const auto survivors = count(*verdict, *batch);
  if (!survivors) return fail(survivors.error());
  const bool unchanged = survivors->kept == survivors->records;
  const CleanedBatch kept{.fate = BatchFate::kept, .max_timestamp_ms = header.max_timestamp_ms};
  if (survivors->kept == 0) {
    if (!verdict->last_of_producer && !keep_end) return CleanedBatch{};
    if (unchanged && !batch->is_legacy()) return kept;
    return CleanedBatch{.fate = BatchFate::changed,
                        .bytes = empty(*batch),
                        .max_timestamp_ms = header.max_timestamp_ms};
  }
  const bool set_horizon =
      !batch->has_delete_horizon() && (survivors->tombstones || verdict->empty_transaction);
  if (unchanged && !set_horizon) return kept;
  auto changed = rewrite(*verdict, *survivors, *batch, set_horizon);
  if (!changed) return fail(std::move(changed).error());
  const std::int64_t max_timestamp_ms = record::BatchView::parse(*changed)->max_timestamp_ms();
  return CleanedBatch{.fate = BatchFate::changed,
                      .bytes = std::move(*changed),
                      .max_timestamp_ms = max_timestamp_ms};
}

}  // namespace arus::storage
