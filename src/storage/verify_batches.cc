#include "storage/verify_batches.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/crc32c.h"
#include "base/endian.h"
#include "record/control.h"
#include "record/record.h"

namespace arus::storage {

Result<Offset> find_batches_end(env::FileSystem& files, const std::string& path, Offset base) {
  const auto file = files.open(path, env::OpenMode::read);
  if (!file) return fail(file.error());
  const auto size = (*file)->size();
  if (!size) return fail(size.error());
  BatchScanner scanner(**file, 0, *size, env::ReadMode::may_block);
  Offset next = base;
  while (const auto batch = scanner.next()) next = batch->last_offset + 1;
  return next;
}

Result<bool> checksum_matches(env::File& file, const BatchHeader& batch) {
  constexpr std::int64_t piece_bytes = std::int64_t{1} << 20;
  Bytes piece;
  const auto read = [&](std::int64_t from, std::int64_t size) -> Result<> {
    piece.resize(static_cast<std::size_t>(size));
    return read_fully(file, piece, batch.position + from, env::ReadMode::may_block);
  };
  const auto begin = static_cast<std::int64_t>(record::format::attributes_at);
  ARUS_TRY(read(0, begin));
  const auto expected = load_big<std::uint32_t>(piece.data() + record::format::crc_at);
  std::uint32_t crc = 0;
  for (std::int64_t at = begin; at < batch.size_bytes; at += piece_bytes) {
    ARUS_TRY(read(at, std::min(piece_bytes, batch.size_bytes - at)));
    crc = crc32c(piece, crc);
  }
  return crc == expected;
}

CheckedRecords check_records(const record::BatchView& batch, record::CodecScratch& scratch) {
  CheckedRecords checked;
  record::RecordReader reader(batch, scratch);
  const Offset first = batch.is_legacy() ? Offset{0} : batch.base_offset();
  while (const auto record = reader.next()) {
    ++checked.count;
    if (record->offset < first || record->offset > batch.last_offset()) {
      checked.why = fmt::format("a record claims offset {}", record->offset.value());
      return checked;
    }
  }
  if (!reader.status()) checked.why = reader.status().error().message;
  return checked;
}

namespace {

std::optional<record::ControlType> control_type(const record::BatchView& batch) {
  if (batch.is_legacy() || !batch.is_control()) return std::nullopt;
  record::RecordReader reader(batch);
  const auto first = reader.next();
  return first && first->key ? record::parse_control_key(*first->key) : std::nullopt;
}

}  // namespace

CheckedBatchFile check_batch_file(env::FileSystem& files, const std::string& path,
                                  record::CodecScratch& scratch) {
  CheckedBatchFile checked;
  const auto damage = [&](std::optional<std::int64_t> position, std::string why) {
    checked.damage = Finding{.severity = Severity::error,
                             .file = path,
                             .position = position,
                             .problem = std::move(why),
                             .at_start = {}};
  };
  const auto file = files.open(path, env::OpenMode::read);
  const auto size = file ? (*file)->size() : Result<std::int64_t>(fail(file.error()));
  if (!size) {
    damage(std::nullopt, size.error().message + ".");
    return checked;
  }
  checked.size_bytes = *size;
  BatchScanner scanner(**file, 0, *size, env::ReadMode::may_block);
  bool header = false;
  bool footer = false;
  while (const auto batch = scanner.next()) {
    const auto bytes = scanner.bytes();
    const auto view =
        bytes ? record::BatchView::parse(*bytes) : Result<record::BatchView>(fail(bytes.error()));
    if (!view || !view->crc_matches()) {
      damage(batch->position, "The checksum of the batch does not match.");
      return checked;
    }
    const CheckedRecords records = check_records(*view, scratch);
    if (records.why) {
      damage(batch->position, fmt::format("The batch cannot be decoded: {}.", *records.why));
      return checked;
    }
    const auto type = control_type(*view);
    header = header || type == record::ControlType::snapshot_header;
    footer = type == record::ControlType::snapshot_footer;
    ++checked.batches;
    checked.records += records.count;
  }
  if (!scanner.status()) {
    damage(scanner.position(), scanner.status().error().message + ".");
  } else if (scanner.position() < *size) {
    damage(scanner.position(), "The batch is cut off.");
  } else if (!header || !footer) {
    damage(std::nullopt, header ? "It has no end: the footer is missing."
                                : "It does not begin with a snapshot's header.");
  }
  return checked;
}

}  // namespace arus::storage
