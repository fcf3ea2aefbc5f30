#include "cli/dump.h"

#include <fmt/core.h>

#include "config/properties.h"
#include "record/batch.h"
#include "storage/checkpoint_file.h"
#include "storage/clean_shutdown_file.h"
#include "storage/file_names.h"
#include "storage/offset_index.h"
#include "storage/partition_metadata.h"
#include "storage/producer_snapshot.h"
#include "storage/producer_state.h"
#include "storage/time_index.h"
#include "storage/transaction_index.h"

namespace arus::cli {
namespace {

constexpr std::int64_t max_index_bytes = 1LL << 30;
constexpr std::int64_t max_small_file_bytes = 64LL << 20;

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

// What a file is read for.
struct Dumping {
  env::FileSystem& files;
  Console& console;
  const std::string& path;
  const DumpOptions& options;
};

// The batch that stands at a position of the segment beside an index; nothing where there is none.
std::optional<Bytes> batch_at(const Dumping& dumping, std::int64_t position) {
  const auto dot = dumping.path.rfind('.');
  auto file = dumping.files.open(dumping.path.substr(0, dot) + std::string(storage::suffix::log),
                                 env::OpenMode::read);
  if (!file) return std::nullopt;
  Bytes front(record::format::bytes_up_to_magic);
  const auto got = (*file)->read_at(front, position);
  if (!got) return std::nullopt;
  const auto size = record::batch_size_bytes(ByteView(front).first(*got));
  if (!size || !*size) return std::nullopt;
  Bytes batch(**size);
  const auto whole = (*file)->read_at(batch, position);
  if (!whole || *whole != batch.size()) return std::nullopt;
  return batch;
}

bool has_segment(const Dumping& dumping) {
  const auto dot = dumping.path.rfind('.');
  return dumping.files.exists(dumping.path.substr(0, dot) + std::string(storage::suffix::log));
}

void print_sanity(const Dumping& dumping) {
  dumping.console.print("{} passed sanity check.\n", dumping.path);
}

Result<Offset> base_offset_of(const Dumping& dumping, std::string_view suffix) {
  const auto base = storage::parse_segment_file_name(base_name(dumping.path), suffix);
  if (base) return *base;
  return fail(ErrorCode::invalid_request,
              fmt::format("{} is not named after an offset", dumping.path));
}

Result<> dump_offset_index(const Dumping& dumping, ByteView bytes) {
  const auto base = base_offset_of(dumping, storage::suffix::offset_index);
  if (!base) return fail(base.error());
  const auto entries = storage::parse_offset_index(bytes, *base);
  if (!entries) return fail(entries.error());
  if (dumping.options.index_sanity_check) {
    print_sanity(dumping);
    return {};
  }
  std::string mismatches;
  const bool compare = has_segment(dumping);
  for (const auto& entry : *entries) {
    if (!dumping.options.verify_index_only) {
      dumping.console.print("offset: {} position: {}\n", entry.offset.value(), entry.position);
    }
    if (!compare) continue;
    const auto bytes_there = batch_at(dumping, entry.position);
    const auto batch = bytes_there ? record::BatchView::parse(*bytes_there)
                                   : Result<record::BatchView>(fail(ErrorCode::corrupt_message));
    const Offset found = batch ? batch->last_offset() : no_offset;
    if (found != entry.offset) {
      mismatches +=
          fmt::format("  Index offset: {}, log offset: {}\n", entry.offset.value(), found.value());
    }
  }
  if (!mismatches.empty()) {
    dumping.console.print_error("Mismatches in :{}\n{}", dumping.path, mismatches);
  }
  return {};
}

Result<> dump_time_index(const Dumping& dumping, ByteView bytes) {
  const auto base = base_offset_of(dumping, storage::suffix::time_index);
  if (!base) return fail(base.error());
  const auto entries = storage::parse_time_index(bytes, *base);
  if (!entries) return fail(entries.error());
  if (dumping.options.index_sanity_check) {
    print_sanity(dumping);
    return {};
  }
  std::string disorder;
  std::int64_t last_ms = INT64_MIN;
  for (const auto& entry : *entries) {
    if (!dumping.options.verify_index_only) {
      dumping.console.print("timestamp: {} offset: {}\n", entry.timestamp_ms, entry.offset.value());
    }
    if (entry.timestamp_ms < last_ms) {
      disorder += fmt::format("  Index timestamp: {}, Previously indexed timestamp: {}\n",
                              entry.timestamp_ms, last_ms);
    }
    last_ms = entry.timestamp_ms;
  }
  if (!disorder.empty()) {
    dumping.console.print_error("Found out of order timestamp in :{}\n{}", dumping.path, disorder);
  }
  return {};
}

Result<> dump_transaction_index(const Dumping& dumping, ByteView bytes) {
  const auto entries = storage::parse_transaction_index(bytes);
  if (!entries) return fail(entries.error());
  for (const auto& entry : *entries) {
    dumping.console.print(
        "version: 0 producerId: {} firstOffset: {} lastOffset: {} lastStableOffset: {}\n",
        entry.producer_id.value(), entry.first_offset.value(), entry.last_offset.value(),
        entry.last_stable_offset.value());
  }
  return {};
}

Result<> dump_producer_snapshot(const Dumping& dumping, ByteView bytes) {
  const auto entries = storage::parse_producer_snapshot(bytes);
  if (!entries) return fail(entries.error());
  for (const auto& entry : *entries) {
    std::string line = fmt::format(
        "producerId: {} producerEpoch: {} coordinatorEpoch: {} currentTxnFirstOffset: {} "
        "lastTimestamp: {}",
        entry.producer_id.value(), entry.epoch, entry.coordinator_epoch,
        entry.in_transaction() ? fmt::format("OptionalLong[{}]", entry.transaction_start.value())
                               : "OptionalLong.empty",
        entry.last_timestamp_ms);
    if (const auto* batch = entry.last_batch()) {
      line += fmt::format(
          " firstSequence: {} lastSequence: {} lastOffset: {} offsetDelta: {} timestamp: {}",
          record::add_to_sequence(batch->last_sequence, -batch->offset_delta), batch->last_sequence,
          batch->last_offset.value(), batch->offset_delta, entry.last_timestamp_ms);
    }
    dumping.console.print("{}\n", line);
  }
  return {};
}

Result<> dump_properties(const Dumping& dumping, ByteView bytes) {
  const auto properties = config::parse_properties(as_text(bytes));
  if (!properties) return fail(properties.error());
  for (const auto& [key, value] : *properties) dumping.console.print("{}={}\n", key, value);
  return {};
}

Result<> dump_offset_checkpoint(const Dumping& dumping, ByteView bytes) {
  const auto entries = storage::parse_offset_checkpoint(as_text(bytes));
  if (!entries) return fail(entries.error());
  for (const auto& entry : *entries) {
    dumping.console.print("partition: {} offset: {}\n", entry.partition.to_string(),
                          entry.offset.value());
  }
  return {};
}

Result<> dump_epochs(const Dumping& dumping, ByteView bytes) {
  const auto entries = storage::parse_leader_epoch_checkpoint(as_text(bytes));
  if (!entries) return fail(entries.error());
  for (const auto& entry : *entries) {
    dumping.console.print("epoch: {} startOffset: {}\n", entry.epoch.value(), entry.start.value());
  }
  return {};
}

Result<> dump_partition_metadata(const Dumping& dumping, ByteView bytes) {
  const auto id = storage::parse_partition_metadata(as_text(bytes));
  if (!id) return fail(id.error());
  dumping.console.print("topicId: {}\n", id->to_string());
  return {};
}

Result<> dump_clean_shutdown(const Dumping& dumping, ByteView bytes) {
  const auto epoch = storage::parse_clean_shutdown(as_text(bytes));
  if (!epoch) return fail(ErrorCode::corrupt_message, "It is no marker of a clean shutdown");
  dumping.console.print("brokerEpoch: {}\n", *epoch);
  return {};
}

Result<> dump_text(const Dumping& dumping, ByteView bytes) {
  dumping.console.print("{}{}", as_text(bytes), as_text(bytes).ends_with('\n') ? "" : "\n");
  return {};
}

// What is known by its whole name, and what by how its name ends.
struct FileKind {
  std::string_view name;
  Result<> (*dump)(const Dumping& dumping, ByteView bytes);
  std::int64_t max_bytes = max_small_file_bytes;
};
constexpr FileKind by_name[] = {
    {storage::meta_properties_name, dump_properties},
    {storage::leader_epoch_checkpoint_name, dump_epochs},
    {storage::high_watermark_checkpoint_name, dump_offset_checkpoint},
    {storage::recovery_point_checkpoint_name, dump_offset_checkpoint},
    {storage::log_start_checkpoint_name, dump_offset_checkpoint},
    {storage::cleaner_checkpoint_name, dump_offset_checkpoint},
    {storage::partition_metadata_name, dump_partition_metadata},
    {storage::clean_shutdown_name, dump_clean_shutdown},
    {"quorum-state", dump_text},
};
constexpr FileKind by_suffix[] = {
    {storage::suffix::offset_index, dump_offset_index, max_index_bytes},
    {storage::suffix::time_index, dump_time_index, max_index_bytes},
    {storage::suffix::transaction_index, dump_transaction_index, max_index_bytes},
    {storage::suffix::producer_snapshot, dump_producer_snapshot, max_index_bytes},
};

}  // namespace

Result<> dump_file(env::FileSystem& files, Console& console, const std::string& path,
                   const DumpOptions& options) {
  console.print("Dumping {}\n", path);
  const std::string_view name = base_name(path);
  if (name.ends_with(storage::suffix::log) || name.ends_with(".checkpoint")) {
    return dump_batches(files, console, path, options);
  }
  const FileKind* kind = nullptr;
  for (const auto& known : by_name) {
    if (known.name == name) kind = &known;
  }
  for (const auto& known : by_suffix) {
    if (kind == nullptr && name.ends_with(known.name)) kind = &known;
  }
  if (kind == nullptr) {
    console.print_error("Ignoring unknown file {}\n", path);
    return {};
  }
  const auto bytes = files.read_file(path, kind->max_bytes);
  if (!bytes) return fail(bytes.error());
  return kind->dump(Dumping{files, console, path, options}, *bytes);
}

}  // namespace arus::cli
