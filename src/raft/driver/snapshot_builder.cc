#include "raft/driver/snapshot_builder.h"

#include "raft/core/control_records.h"

namespace arus::raft {

SnapshotBuilder::SnapshotBuilder(const SnapshotOptions& options) : options_(options) {
  builder_.reset(batch_options(true));
  const auto add = [&](record::ControlType type, const Bytes& value) {
    const auto key = record::build_control_key(type);
    builder_.append(options_.now_ms, key, value);
  };
  add(record::ControlType::snapshot_header,
      encode_snapshot_header(options_.last_contained_log_timestamp_ms));
  if (options_.voters) {
    add(record::ControlType::kraft_version, encode_kraft_version(1));
    add(record::ControlType::kraft_voters, encode_voters(*options_.voters));
  }
  end_batch();
}

record::BatchOptions SnapshotBuilder::batch_options(bool control) const {
  return {
      .base_offset = builder_.next_offset(), .leader_epoch = options_.epoch, .control = control};
}

void SnapshotBuilder::end_batch() {
  if (builder_.empty()) return;
  const Offset next = builder_.next_offset();
  batches_.emplace_back(builder_.build());
  record::BatchOptions options = batch_options(false);
  options.base_offset = next;
  builder_.reset(options);
}

void SnapshotBuilder::append(ByteView value) {
  if (!builder_.empty() && !builder_.has_room(batch_bytes, std::nullopt, value)) end_batch();
  builder_.append(options_.now_ms, std::nullopt, value);
}

Chain SnapshotBuilder::finish() {
  end_batch();
  builder_.reset(batch_options(true));
  const auto key = record::build_control_key(record::ControlType::snapshot_footer);
  builder_.append(options_.now_ms, key, encode_snapshot_footer());
  end_batch();
  return std::move(batches_);
}

}  // namespace arus::raft
