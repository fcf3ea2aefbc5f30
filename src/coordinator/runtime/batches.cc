#include "coordinator/runtime/batches.h"

#include <utility>

#include "base/log.h"
#include "record/batch.h"

namespace arus::coordinator {
namespace {

const LogComponent batches_log{"coordinator.load"};

std::optional<ByteView> view_of(const std::optional<Bytes>& bytes) {
  if (!bytes) return std::nullopt;
  return ByteView(*bytes);
}

void replay_marker(const record::BatchView& batch, const record::RecordView& record,
                   Machine& machine) {
  if (!record.key) return;
  const auto type = record::parse_control_key(*record.key);
  if (type != record::ControlType::commit && type != record::ControlType::abort) return;
  machine.replay_end(batch.producer_id(), batch.producer_epoch(),
                     type == record::ControlType::commit);
}

// Whether the record could be read.
bool replay_record(const record::BatchView& batch, const record::RecordView& record,
                   Machine& machine, const std::string& name) {
  if (!record.key) {
    batches_log.warning("{}: the record at {} has no key and is skipped", name,
                        record.offset.value());
    return false;
  }
  const bool transactional = batch.is_transactional();
  const auto replayed =
      machine.replay({.offset = record.offset,
                      .timestamp_ms = record.timestamp_ms,
                      .producer_id = transactional ? batch.producer_id() : no_producer,
                      .producer_epoch = transactional ? batch.producer_epoch() : std::int16_t{-1},
                      .key = *record.key,
                      .value = record.value});
  if (replayed) return true;
  batches_log.warning("{}: the record at {} is skipped: {}", name, record.offset.value(),
                      replayed.error().message);
  return false;
}

}  // namespace

Result<std::vector<BuiltBatch>> build_batches(std::span<const Record> records,
                                              const record::BatchOptions& options,
                                              std::int64_t timestamp_ms, std::size_t limit_bytes,
                                              record::CodecScratch& scratch) {
  std::vector<BuiltBatch> batches;
  record::BatchBuilder builder(options);
  BuiltBatch next;
  const auto close = [&] {
    next.bytes = builder.build(scratch);
    batches.push_back(std::exchange(next, {}));
    next.first = batches.back().first + batches.back().count;
  };
  for (const Record& record : records) {
    const auto value = view_of(record.value);
    if (!builder.has_room(limit_bytes, record.key, value)) {
      if (!builder.empty()) close();
      if (!builder.has_room(limit_bytes, record.key, value)) {
        return fail(ErrorCode::record_list_too_large,
                    "A record is larger than max.message.bytes of its topic");
      }
    }
    builder.append(timestamp_ms, record.key, value);
    ++next.count;
  }
  if (!builder.empty()) close();
  return batches;
}

Result<Replayed> replay_batches(ByteView batches, Offset from, Machine& machine,
                                record::CodecScratch& scratch, const std::string& name) {
  Replayed replayed{.next = from};
  record::BatchReader reader(batches);
  while (const auto batch = reader.next()) {
    if (batch->last_offset() < from) continue;
    record::RecordReader records(*batch, scratch);
    const bool control = batch->is_control();
    while (const auto record = records.next()) {
      if (control) {
        replay_marker(*batch, *record, machine);
      } else if (!replay_record(*batch, *record, machine, name)) {
        ++replayed.skipped;
      }
      ++replayed.records;
    }
    if (!records.status()) {
      return fail(ErrorCode::corrupt_message,
                  "The batch at " + std::to_string(batch->base_offset().value()) +
                      " cannot be read: " + records.status().error().message);
    }
    replayed.next = batch->next_offset();
  }
  if (!reader.status()) return std::unexpected(reader.status().error());
  return replayed;
}

}  // namespace arus::coordinator
