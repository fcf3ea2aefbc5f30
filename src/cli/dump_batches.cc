#include <fmt/core.h>

#include "cli/dump.h"
#include "raft/driver/snapshot_id.h"
#include "record/batch.h"
#include "record/compression.h"
#include "record/record.h"
#include "storage/file_names.h"

namespace arus::cli {
namespace {

std::string optional_long(std::optional<std::int64_t> value) {
  return value ? fmt::format("OptionalLong[{}]", *value) : "OptionalLong.empty";
}

std::string_view timestamp_name(record::TimestampType type) {
  return type == record::TimestampType::create_time ? "CreateTime" : "LogAppendTime";
}

std::string batch_line(const record::BatchView& batch, std::int64_t position) {
  std::string text;
  if (batch.is_legacy()) {
    text = fmt::format("offset: {}", batch.last_offset().value());
  } else {
    text = fmt::format(
        "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {} producerId: {} "
        "producerEpoch: {} partitionLeaderEpoch: {} isTransactional: {} isControl: {} "
        "deleteHorizonMs: {}",
        batch.base_offset().value(), batch.last_offset().value(), batch.count(),
        batch.base_sequence(), batch.last_sequence(), batch.producer_id().value(),
        batch.producer_epoch(), batch.leader_epoch().value(), batch.is_transactional(),
        batch.is_control(),
        optional_long(batch.has_delete_horizon() ? std::optional(batch.base_timestamp_ms())
                                                 : std::nullopt));
  }
  return text + fmt::format(
                    " position: {} {}: {} size: {} magic: {} compresscodec: {} crc: {} "
                    "isvalid: {}\n",
                    position, timestamp_name(batch.timestamp_type()), batch.max_timestamp_ms(),
                    batch.size_bytes(), batch.magic(),
                    record::compression_name(batch.compression()), batch.crc(),
                    batch.crc_matches());
}

std::int64_t size_or_none(const std::optional<ByteView>& bytes) {
  return bytes ? static_cast<std::int64_t>(bytes->size()) : -1;
}

// One pass over a file of batches.
class BatchDump {
 public:
  BatchDump(Console& console, const DumpOptions& options, std::string path)
      : console_(console), options_(options), path_(std::move(path)) {}

  Result<> run(env::File& file) {
    const auto size = file.size();
    if (!size) return fail(size.error());
    std::int64_t position = 0;
    Bytes buffer;
    while (position < *size && position < options_.max_bytes && !console_.broken()) {
      const auto read = read_batch(file, position, *size, buffer);
      if (!read) return fail(read.error());
      if (!*read) break;
      const auto batch = record::BatchView::parse(buffer);
      if (!batch) break;
      show(*batch, position);
      position += static_cast<std::int64_t>(batch->size_bytes());
    }
    if (position < *size && position < options_.max_bytes && !console_.broken()) {
      console_.print("Found {} invalid bytes at the end of {}\n", *size - position, path_);
    }
    if (!gaps_.empty()) {
      console_.print_error("Non-consecutive offsets in {}\n{}", path_, gaps_);
    }
    return {};
  }

 private:
  // False where no whole batch follows.
  static Result<bool> read_batch(env::File& file, std::int64_t position, std::int64_t size,
                                 Bytes& buffer) {
    Bytes front(record::format::bytes_up_to_magic);
    const auto got = file.read_at(front, position);
    if (!got) return fail(got.error());
    const auto length = record::batch_size_bytes(ByteView(front).first(*got));
    if (!length || !*length || static_cast<std::int64_t>(**length) > size - position) return false;
    buffer.resize(**length);
    const auto whole = file.read_at(buffer, position);
    if (!whole) return fail(whole.error());
    return *whole == buffer.size();
  }

  void show(const record::BatchView& batch, std::int64_t position) {
    if (!options_.skip_record_metadata || !batch.is_control()) {
      console_.out(batch_line(batch, position));
    }
    if (!options_.deep && !options_.print_data) {
      follow(batch.is_legacy() ? batch.last_offset() : batch.base_offset(), batch.last_offset());
      return;
    }
    record::RecordReader reader{batch, scratch_};
    while (const auto record = reader.next()) {
      follow(record->offset, record->offset);
      show_record(batch, *record);
    }
    if (!reader.status()) {
      console_.print("Error in the records of the batch at position {}: {}\n", position,
                     reader.status().error().message);
    }
  }

  void follow(Offset first, Offset last) {
    if (last_ != no_offset && first != last_ + 1) {
      gaps_ += fmt::format("  {} is followed by {}\n", last_.value(), first.value());
    }
    last_ = last;
  }

  void show_record(const record::BatchView& batch, const record::RecordView& record) {
    if (options_.skip_record_metadata && batch.is_control()) return;
    std::string line = "|";
    if (!options_.skip_record_metadata) line += own_fields(batch, record);
    if (batch.is_control()) {
      const auto text =
          control_record_text(record.key.value_or(ByteView{}), record.value.value_or(ByteView{}));
      line += text ? *text : fmt::format(" error: {}", text.error().message);
    } else if (options_.print_data) {
      line += contents(record);
    }
    console_.out(line + "\n");
  }

  std::string own_fields(const record::BatchView& batch, const record::RecordView& record) {
    std::string text =
        fmt::format(" offset: {} {}: {} keySize: {} valueSize: {}", record.offset.value(),
                    timestamp_name(batch.timestamp_type()), record.timestamp_ms,
                    size_or_none(record.key), size_or_none(record.value));
    if (batch.is_legacy()) return text;
    const std::int32_t sequence =
        batch.base_sequence() == record::no_sequence
            ? record::no_sequence
            : record::add_to_sequence(
                  batch.base_sequence(),
                  static_cast<std::int32_t>(record.offset - batch.base_offset()));
    std::string keys;
    auto headers = record.headers();
    while (const auto header = headers.next()) {
      keys += fmt::format("{}{}", keys.empty() ? "" : ",", header->key);
    }
    return text + fmt::format(" sequence: {} headerKeys: [{}]", sequence, keys);
  }

  std::string contents(const record::RecordView& record) const {
    if (options_.coordinator && record.key) {
      const auto text = coordinator_record_text(*options_.coordinator, *record.key, record.value);
      if (text) return fmt::format(" key: {} payload: {}", text->key, text->value);
      return fmt::format(" Error at offset {}, skipping. {}", record.offset.value(),
                         text.error().message);
    }
    std::string text;
    if (record.key) text += fmt::format(" key: {}", as_text(*record.key));
    if (!record.value) return text;
    if (!options_.metadata) return text + fmt::format(" payload: {}", as_text(*record.value));
    const auto decoded = metadata_record_text(*record.value);
    if (decoded) return text + fmt::format(" payload: {}", *decoded);
    return text + fmt::format(" Error at {}, skipping. {}", record.offset.value(),
                              decoded.error().message);
  }

  Console& console_;
  const DumpOptions& options_;
  std::string path_;
  record::CodecScratch scratch_;
  Offset last_ = no_offset;
  std::string gaps_;
};

}  // namespace

Result<> dump_batches(env::FileSystem& files, Console& console, const std::string& path,
                      const DumpOptions& options) {
  auto file = files.open(path, env::OpenMode::read);
  if (!file) return fail(std::move(file).error());
  const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
  if (const auto start = storage::parse_segment_file_name(name, storage::suffix::log)) {
    console.print("Log starting offset: {}\n", start->value());
  } else if (name == "bootstrap.checkpoint") {
    console.out("KRaft bootstrap snapshot\n");
  } else if (const auto snapshot = raft::SnapshotId::parse_file_name(name)) {
    console.print("Snapshot end offset: {}, epoch: {}\n", snapshot->end.value(),
                  snapshot->epoch.value());
  }
  return BatchDump(console, options, path).run(**file);
}

}  // namespace arus::cli
