#include "storage/log_recovery.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "record/batch.h"
#include "storage/aborted_transactions.h"
#include "storage/batch_scanner.h"
#include "storage/file_names.h"
#include "storage/index_builder.h"
#include "storage/log_search.h"
#include "storage/offset_index.h"
#include "storage/producer_replay.h"
#include "storage/producer_snapshot.h"
#include "storage/rewrite.h"
#include "storage/segment_files.h"
#include "storage/transaction_index.h"

namespace arus::storage {

namespace {

const LogComponent log_recovery_log{"storage.recovery"};

// The last entries of a segment's index files, and whether they can be believed.
struct IndexEnds {
  bool sound = false;
  std::optional<OffsetIndexEntry> offset;
  std::optional<TimeIndexEntry> time;
};

// Opens one log. The steps are run once, in the order of load().
class LogLoader {
 public:
  LogLoader(env::FileSystem& files, const LoadRequest& request)
      : files_(files), request_(request) {}

  Result<LoadedLog> load();

 private:
  struct Segment {
    Offset base;
    Offset limit;  // offsets stay below: the next segment's base
    SegmentFiles on_disk;
    bool is_last = false;
  };

  // What stays of a segment's index files, and where its batches are read on from.
  struct KeptEntries {
    std::int64_t from = 0;
    std::vector<OffsetIndexEntry> offsets;
    std::vector<TimeIndexEntry> times;
  };

  // One pass over a segment's batches from `from` on.
  struct Pass {
    std::int64_t from = 0;
    bool check_crc = false;  // of what is above the recovery point
    bool cut = false;        // end the log before the first damage
    bool note_epochs = false;
    IndexBuilder* index = nullptr;
    std::vector<TransactionIndexEntry>* aborted = nullptr;
  };

  [[nodiscard]] std::string path_of(Offset base, std::string_view kind) const {
    return join_path(request_.path, segment_file_name(base, kind));
  }
  [[nodiscard]] bool trusts(const Segment& segment) const {
    return request_.clean || (!segment.is_last && segment.limit <= request_.recovery_point);
  }
  // Whether something that was there before `offset` is lost, when what was found ends at `next`.
  [[nodiscard]] bool is_gap(Offset next, Offset offset) const {
    return request_.contiguous_from && offset > std::max(next, *request_.contiguous_from);
  }

  Result<> load_epochs(const PartitionFiles& found);
  Result<> load_snapshot(const std::set<Offset>& snapshots);
  Result<IndexEnds> read_index_ends(const Segment& segment);
  Result<bool> names_a_batch(const Segment& segment, const IndexEnds& ends);
  Result<bool> names_its_time(const Segment& segment, const IndexEnds& ends);
  Result<> load_segment(const Segment& segment);
  Result<> trust_segment(const Segment& segment, const IndexEnds& ends);
  Result<KeptEntries> keep_entries(const Segment& segment, const IndexEnds& ends);
  Result<bool> has_sound_transactions(const Segment& segment);
  Result<std::vector<TransactionIndexEntry>> find_aborted(const Segment& segment);
  Result<std::vector<TransactionIndexEntry>> keep_aborted(const Segment& segment);
  Result<> write_aborted(const Segment& segment, std::span<const TransactionIndexEntry> aborted);
  Result<> recover_segment(const Segment& segment, const IndexEnds& ends);
  [[nodiscard]] static bool may_wait(const Segment& segment, const KeptEntries& kept,
                                     const IndexBuilder& index);
  void take_facts(const Segment& segment, const IndexBuilder& index);
  Result<> reindex_segment(const Segment& segment);
  Result<std::int64_t> scan(const Segment& segment, const Pass& pass);
  Result<> take(const BatchHeader& batch, BatchScanner& scanner, const Pass& pass);
  Result<> end_scan(const Segment& segment, const Pass& pass, std::int64_t end, const Error* why);
  Result<std::int64_t> replay_start(const Segment& segment);
  Result<> write_indexes(const Segment& segment, std::span<const OffsetIndexEntry> offsets,
                         std::span<const TimeIndexEntry> times);
  Result<> write_file(const std::string& path, ByteView bytes);
  Result<> remove_segment(Offset base);
  Result<> keep_last_facts();
  [[nodiscard]] std::unexpected<Error> damage(const Segment& segment, std::int64_t position,
                                              std::string_view why) const;

  env::FileSystem& files_;
  const LoadRequest& request_;
  LoadedLog loaded_;
  std::vector<Offset> bases_;  // of all segments that were found
  std::set<Offset> snapshots_;
  bool epochs_missing_ = false;
  bool ended_ = false;   // damage ended the log: later segments go
  Offset files_begin_;   // at or below the log start
  Offset replay_from_;   // producers have everything below
  Offset next_;          // of the segment under way
  Offset next_in_scan_;  // where a pass stopped
  Offset facts_of_{-1};  // the segment that the facts for appending are of
};

Result<LoadedLog> LogLoader::load() {
  auto found = collect_partition_files(files_, request_.path);
  if (!found) return fail(std::move(found).error());
  std::vector<Segment> segments;
  for (const auto& [base, on_disk] : found->segments) {
    if (!segments.empty()) {
      segments.back().limit = base;
      segments.back().is_last = false;
    }
    segments.push_back({base, Offset{std::numeric_limits<std::int64_t>::max()}, on_disk, true});
    bases_.push_back(base);
  }
  snapshots_ = found->snapshots;
  const Offset first = segments.empty() ? request_.log_start : segments.front().base;
  loaded_.log_start = std::max(first, request_.log_start);
  next_ = files_begin_ = first;
  ARUS_TRY(load_epochs(*found));
  ARUS_TRY(load_snapshot(found->snapshots));
  for (const Segment& segment : segments) {
    if (ended_) {
      log_recovery_log.warning("{}: removes segment {}, which lies beyond the damage",
                               request_.path, segment.base.value());
      ARUS_TRY(remove_segment(segment.base));
      continue;
    }
    ARUS_TRY(load_segment(segment));
  }
  ARUS_TRY(keep_last_facts());
  loaded_.log_end = segments.empty() ? loaded_.log_start : next_;
  if (loaded_.log_end < loaded_.log_start) loaded_.log_start = loaded_.log_end;
  if (loaded_.log_end < request_.recovery_point) {
    const bool empty = loaded_.segments.empty();
    loaded_.lost =
        Error{ErrorCode::corrupt_message,
              fmt::format(
                  "{}: the log ends at byte {}, offset {}, but offsets below {} had been on stable "
                  "storage: they are lost",
                  empty ? request_.path : path_of(loaded_.segments.back().base_offset, suffix::log),
                  empty ? 0 : loaded_.segments.back().size_bytes, loaded_.log_end.value(),
                  request_.recovery_point.value()),
              0};
  }
  for (const Offset snapshot : found->snapshots) {
    if (snapshot > loaded_.log_end) {
      ARUS_TRY(files_.remove(path_of(snapshot, suffix::producer_snapshot)));
    }
  }
  if (loaded_.epochs.truncate_to(loaded_.log_end)) loaded_.epochs_changed = true;
  if (loaded_.epochs.advance_start(loaded_.log_start)) loaded_.epochs_changed = true;
  loaded_.producers.release_below(loaded_.log_end);
  return std::move(loaded_);
}

Result<> LogLoader::load_epochs(const PartitionFiles& found) {
  if (found.has_leader_epochs) {
    const auto text = files_.read_file(join_path(request_.path, leader_epoch_checkpoint_name));
    if (!text) return fail(text.error());
    auto entries = parse_leader_epoch_checkpoint(as_text(*text));
    if (entries) {
      loaded_.epochs = LeaderEpochs(std::move(*entries));
      return {};
    }
    log_recovery_log.warning("{}: {}; it is rebuilt from the log", request_.path,
                             entries.error().message);
  }
  epochs_missing_ = true;
  return {};
}

// The newest snapshot that the rest of the log is known to agree with. It may lie below the log
// start: what is there still says what producers have sent.
Result<> LogLoader::load_snapshot(const std::set<Offset>& snapshots) {
  for (auto at = snapshots.rbegin(); at != snapshots.rend(); ++at) {
    if (!request_.clean && *at > request_.recovery_point) continue;
    if (*at < files_begin_) break;
    const std::string path = path_of(*at, suffix::producer_snapshot);
    const auto bytes = files_.read_file(path);
    if (!bytes) return fail(bytes.error());
    const auto entries = parse_producer_snapshot(*bytes);
    if (!entries) {
      log_recovery_log.warning("{}: {}; producers are read from the log", path,
                               entries.error().message);
      continue;
    }
    loaded_.producers.load(*entries);
    loaded_.producers.expire(request_.now_ms, request_.producer_id_expiration_ms);
    loaded_.snapshot_offset = *at;
    replay_from_ = *at;
    return {};
  }
  // A clean stop leaves a snapshot wherever there were producers (Kafka's rule too).
  const bool nothing_to_replay = request_.clean && snapshots.empty();
  replay_from_ =
      nothing_to_replay ? Offset{std::numeric_limits<std::int64_t>::max()} : files_begin_;
  return {};
}

Result<> LogLoader::load_segment(const Segment& segment) {
  if (segment.base < next_) {
    return fail(ErrorCode::kafka_storage_error,
                fmt::format("{}: segment {} overlaps the one before it, which ends at {}",
                            request_.path, segment.base.value(), next_.value()));
  }
  if (!trusts(segment) && !loaded_.segments.empty() && is_gap(next_, segment.base)) {
    log_recovery_log.warning(
        "{}: removes segment {}, because offsets from {} on are missing before it", request_.path,
        segment.base.value(), next_.value());
    ended_ = true;
    return remove_segment(segment.base);
  }
  next_ = segment.base;
  loaded_.segments.push_back(
      {.base_offset = segment.base, .size_bytes = segment.on_disk.log_bytes});
  const auto ends = read_index_ends(segment);
  if (!ends) return fail(ends.error());
  if (trusts(segment) && ends->sound) {
    ARUS_TRY(trust_segment(segment, *ends));
  } else if (trusts(segment)) {
    ARUS_TRY(reindex_segment(segment));
  } else {
    ARUS_TRY(recover_segment(segment, *ends));
  }
  return {};
}

Result<IndexEnds> LogLoader::read_index_ends(const Segment& segment) {
  const SegmentFiles& on_disk = segment.on_disk;
  IndexEnds ends;
  if (on_disk.log_bytes == 0) {
    ends.sound = true;
    return ends;
  }
  constexpr std::int64_t offset_entry = offset_index_format::entry_bytes;
  constexpr std::int64_t time_entry = time_index_format::entry_bytes;
  if (on_disk.offset_index_bytes < 0 || on_disk.offset_index_bytes % offset_entry != 0 ||
      on_disk.time_index_bytes < 0 || on_disk.time_index_bytes % time_entry != 0) {
    return ends;
  }
  const auto transactions = has_sound_transactions(segment);
  if (!transactions) return fail(transactions.error());
  if (!*transactions) return ends;
  if (on_disk.offset_index_bytes > 0) {
    const auto file = files_.open(path_of(segment.base, suffix::offset_index), env::OpenMode::read);
    if (!file) return fail(file.error());
    std::array<std::uint8_t, offset_index_format::entry_bytes> bytes{};
    ARUS_TRY(read_fully(**file, bytes, on_disk.offset_index_bytes - offset_entry,
                        env::ReadMode::may_block));
    ends.offset = decode_offset_index_entry(bytes.data(), segment.base);
    if (ends.offset->offset <= segment.base || ends.offset->offset >= segment.limit ||
        ends.offset->position <= 0 || ends.offset->position >= on_disk.log_bytes) {
      return ends;
    }
  }
  if (on_disk.time_index_bytes > 0) {
    const auto file = files_.open(path_of(segment.base, suffix::time_index), env::OpenMode::read);
    if (!file) return fail(file.error());
    std::array<std::uint8_t, time_index_format::entry_bytes> bytes{};
    ARUS_TRY(
        read_fully(**file, bytes, on_disk.time_index_bytes - time_entry, env::ReadMode::may_block));
    ends.time = decode_time_index_entry(bytes.data(), segment.base);
    if (ends.time->offset < segment.base || ends.time->offset >= segment.limit ||
        ends.time->timestamp_ms < 0) {
      return ends;
    }
  }
  const auto right = names_a_batch(segment, ends);
  if (!right) return fail(right.error());
  const auto timely = *right ? names_its_time(segment, ends) : Result<bool>(false);
  if (!timely) return fail(timely.error());
  ends.sound = *timely;
  return ends;
}

// Few segments have a transaction index, and readers take it as a whole: so does this check.
Result<bool> LogLoader::has_sound_transactions(const Segment& segment) {
  if (segment.on_disk.transaction_index_bytes <= 0) return true;
  const auto bytes = files_.read_file(path_of(segment.base, suffix::transaction_index));
  if (!bytes) return fail(bytes.error());
  const auto entries = parse_transaction_index(*bytes);
  return entries && (entries->empty() || (entries->front().last_offset >= segment.base &&
                                          entries->back().last_offset < segment.limit));
}

// The tail of the newest segment is read from its last index entry on; one that lies would make
// sound batches look damaged.
Result<bool> LogLoader::names_a_batch(const Segment& segment, const IndexEnds& ends) {
  if (!segment.is_last || !ends.offset) return true;
  const auto file = files_.open(path_of(segment.base, suffix::log), env::OpenMode::read);
  if (!file) return fail(file.error());
  BatchScanner scanner(**file, ends.offset->position, segment.on_disk.log_bytes,
                       env::ReadMode::may_block, record::format::header_bytes);
  const auto batch = scanner.next();
  if (batch) return batch->base_offset <= ends.offset->offset;
  const auto& status = scanner.status();
  if (!status && status.error().code != ErrorCode::corrupt_message) return fail(status.error());
  return false;
}

// The newest segment's age is known by its last time index entry.
Result<bool> LogLoader::names_its_time(const Segment& segment, const IndexEnds& ends) {
  if (!segment.is_last || !ends.time) return true;
  SegmentView view{
      .folder = std::make_shared<WriterFolder>(request_.path, TopicPartition{}, Uuid{}, nullptr),
      .base_offset = segment.base,
      .readable_bytes = segment.on_disk.log_bytes,
      .limit = segment.limit,
      .offset_index_entries =
          static_cast<std::int32_t>(segment.on_disk.offset_index_bytes /
                                    static_cast<std::int64_t>(offset_index_format::entry_bytes))};
  const auto believable = is_believable(files_, view, *ends.time);
  if (believable || believable.error().code != ErrorCode::corrupt_message) return believable;
  return false;
}

// Where the batches that producer state still lacks begin; beyond the end when it has them all.
Result<std::int64_t> LogLoader::replay_start(const Segment& segment) {
  if (replay_from_ >= segment.limit) return std::numeric_limits<std::int64_t>::max();
  if (replay_from_ <= segment.base || segment.on_disk.offset_index_bytes <= 0) return 0;
  const auto bytes = files_.read_file(path_of(segment.base, suffix::offset_index));
  if (!bytes) return fail(bytes.error());
  const auto entries = parse_offset_index(*bytes, segment.base);
  if (!entries) return 0;
  const auto floor = floor_entry(*entries, replay_from_);
  return floor ? floor->position : 0;
}

// The indexes stand; only what nothing else knows is read: the newest segment's end, and batches
// that the producer snapshot does not cover.
Result<> LogLoader::trust_segment(const Segment& segment, const IndexEnds& ends) {
  LoadedSegment& result = loaded_.segments.back();
  const SegmentFiles& on_disk = segment.on_disk;
  result.offset_index_entries =
      static_cast<std::int32_t>(std::max<std::int64_t>(on_disk.offset_index_bytes, 0) /
                                static_cast<std::int64_t>(offset_index_format::entry_bytes));
  result.time_index_entries =
      static_cast<std::int32_t>(std::max<std::int64_t>(on_disk.time_index_bytes, 0) /
                                static_cast<std::int64_t>(time_index_format::entry_bytes));
  result.transaction_index_bytes = std::max<std::int64_t>(on_disk.transaction_index_bytes, 0);
  if (!segment.is_last) next_ = segment.limit;

  const std::int64_t tail = ends.offset ? ends.offset->position : 0;
  auto start = replay_start(segment);
  if (!start) return fail(start.error());
  Pass pass{.from = epochs_missing_ ? 0 : *start, .note_epochs = epochs_missing_};
  IndexBuilder index;
  if (segment.is_last) {
    pass.from = std::min(pass.from, tail);
    pass.cut = true;
    // Entries that a pass from before the tail makes again are dropped: they are in the files.
    if (pass.from == tail && ends.time) {
      index = IndexBuilder({.bytes_since_entry = 0,
                            .largest = *ends.time,
                            .last_indexed_timestamp_ms = ends.time->timestamp_ms});
    }
    pass.index = &index;
  }
  if (pass.from >= on_disk.log_bytes) return {};
  const auto end = scan(segment, pass);
  if (!end) return fail(end.error());
  if (segment.is_last) {
    result.size_bytes = *end;
    facts_of_ = segment.base;
    loaded_.bytes_since_index_entry = *end - tail;
    loaded_.largest_timestamp = index.state().largest;
    if (ends.time) {
      loaded_.last_indexed_timestamp_ms = ends.time->timestamp_ms;
      if (ends.time->timestamp_ms > loaded_.largest_timestamp.timestamp_ms) {
        loaded_.largest_timestamp = *ends.time;
      }
    }
  }
  return {};
}

// A segment below the recovery point whose indexes are missing or damaged. Its batches stay as
// they are, even where one of them is damaged: reading says so.
Result<> LogLoader::reindex_segment(const Segment& segment) {
  log_recovery_log.warning("{}: rebuilds the indexes of segment {}", request_.path,
                           segment.base.value());
  IndexBuilder index;
  const auto end =
      scan(segment, {.cut = segment.is_last, .note_epochs = epochs_missing_, .index = &index});
  if (!end) return fail(end.error());
  if (!segment.is_last) next_ = segment.limit;
  index.finish();
  ARUS_TRY(write_indexes(segment, index.offsets, index.times));
  const auto aborted = find_aborted(segment);
  if (!aborted) return fail(aborted.error());
  ARUS_TRY(write_aborted(segment, *aborted));
  loaded_.segments.back().size_bytes = segment.is_last ? *end : segment.on_disk.log_bytes;
  if (segment.is_last) take_facts(segment, index);
  return {};
}

// Index entries below the recovery point were on stable storage: the scan begins at the last one.
// That it names a batch boundary is checked before it is believed.
Result<LogLoader::KeptEntries> LogLoader::keep_entries(const Segment& segment,
                                                       const IndexEnds& ends) {
  if (!ends.sound || segment.base >= request_.recovery_point || epochs_missing_)
    return KeptEntries{};
  const auto offset_bytes = files_.read_file(path_of(segment.base, suffix::offset_index));
  const auto time_bytes = files_.read_file(path_of(segment.base, suffix::time_index));
  if (!offset_bytes || !time_bytes) return KeptEntries{};
  auto offsets = parse_offset_index(*offset_bytes, segment.base);
  auto times = parse_time_index(*time_bytes, segment.base);
  if (!offsets || !times) return KeptEntries{};
  const Offset below = std::min(request_.recovery_point, replay_from_);
  std::erase_if(*offsets, [&](const auto& e) { return e.offset >= below; });
  if (offsets->empty()) return KeptEntries{};
  const OffsetIndexEntry last = offsets->back();
  std::erase_if(*times, [&](const auto& e) { return e.offset > last.offset; });
  const auto file = files_.open(path_of(segment.base, suffix::log), env::OpenMode::read);
  if (!file) return fail(file.error());
  BatchScanner scanner(**file, last.position, segment.on_disk.log_bytes, env::ReadMode::may_block,
                       record::format::header_bytes);
  const auto batch = scanner.next();
  if (!batch || batch->last_offset != last.offset) return KeptEntries{};
  return KeptEntries{
      .from = last.position, .offsets = std::move(*offsets), .times = std::move(*times)};
}

// Without what the index file says of it.
Result<std::vector<TransactionIndexEntry>> LogLoader::find_aborted(const Segment& segment) {
  return find_aborted_transactions(files_, request_.path, bases_, snapshots_, segment.base);
}

// Transactions that were decided before the producer snapshot; later ones are found again. What
// stands behind those may be torn, or zeros that the power left.
Result<std::vector<TransactionIndexEntry>> LogLoader::keep_aborted(const Segment& segment) {
  std::vector<TransactionIndexEntry> aborted;
  if (segment.on_disk.transaction_index_bytes <= 0) return aborted;
  const auto bytes = files_.read_file(path_of(segment.base, suffix::transaction_index));
  if (!bytes) return fail(bytes.error());
  constexpr std::size_t entry_bytes = transaction_index_format::entry_bytes;
  for (std::size_t at = 0; at + entry_bytes <= bytes->size(); at += entry_bytes) {
    const auto parsed = parse_transaction_index(ByteView(*bytes).subspan(at, entry_bytes));
    if (!parsed) break;
    const TransactionIndexEntry& entry = parsed->front();
    const Offset least = aborted.empty() ? segment.base : aborted.back().last_offset + 1;
    const bool sound = entry.first_offset < entry.last_offset && entry.last_offset >= least &&
                       entry.last_offset < std::min(segment.limit, replay_from_);
    if (!sound) break;
    aborted.push_back(entry);
  }
  const bool whole = aborted.size() * entry_bytes == bytes->size();
  if (!whole && replay_from_ > segment.base) {
    auto found = find_aborted(segment);
    if (!found) return found;
    aborted = std::move(*found);
  }
  std::erase_if(aborted, [&](const auto& e) { return e.last_offset >= replay_from_; });
  return aborted;
}

Result<> LogLoader::write_aborted(const Segment& segment,
                                  std::span<const TransactionIndexEntry> aborted) {
  const std::string path = path_of(segment.base, suffix::transaction_index);
  const Bytes bytes = encode_transaction_index(aborted);
  loaded_.segments.back().transaction_index_bytes = static_cast<std::int64_t>(bytes.size());
  if (!bytes.empty()) return write_file(path, bytes);
  return segment.on_disk.transaction_index_bytes >= 0 ? files_.remove(path) : Result<>{};
}

// Whether the new entries of the newest segment may stay in memory as they do while it is written:
// a start with many logs is not the time to make files.
bool LogLoader::may_wait(const Segment& segment, const KeptEntries& kept,
                         const IndexBuilder& index) {
  constexpr std::size_t most_entries = 1024;
  const auto holds = [](std::int64_t file_bytes, std::size_t entries, std::size_t entry_bytes) {
    return std::max<std::int64_t>(file_bytes, 0) ==
           static_cast<std::int64_t>(entries * entry_bytes);
  };
  return segment.is_last && index.offsets.size() + index.times.size() <= most_entries &&
         holds(segment.on_disk.offset_index_bytes, kept.offsets.size(),
               offset_index_format::entry_bytes) &&
         holds(segment.on_disk.time_index_bytes, kept.times.size(), time_index_format::entry_bytes);
}

Result<> LogLoader::recover_segment(const Segment& segment, const IndexEnds& ends) {
  auto kept = keep_entries(segment, ends);
  if (!kept) return fail(std::move(kept).error());
  auto aborted = keep_aborted(segment);
  if (!aborted) return fail(std::move(aborted).error());
  IndexBuilder index;
  if (!kept->times.empty()) {
    // The batch where the scan begins has its entries: none is due at it.
    index = IndexBuilder({.bytes_since_entry = 0,
                          .largest = kept->times.back(),
                          .last_indexed_timestamp_ms = kept->times.back().timestamp_ms});
  }
  const auto end = scan(segment, {.from = kept->from,
                                  .check_crc = true,
                                  .cut = true,
                                  .note_epochs = true,
                                  .index = &index,
                                  .aborted = &*aborted});
  if (!end) return fail(end.error());
  LoadedSegment& result = loaded_.segments.back();
  if (may_wait(segment, *kept, index)) {
    result.offset_index_entries = static_cast<std::int32_t>(kept->offsets.size());
    result.time_index_entries = static_cast<std::int32_t>(kept->times.size());
    loaded_.offset_entries = std::move(index.offsets);
    loaded_.time_entries = std::move(index.times);
    loaded_.index_incomplete = true;
  } else {
    index.finish();
    kept->offsets.insert(kept->offsets.end(), index.offsets.begin(), index.offsets.end());
    kept->times.insert(kept->times.end(), index.times.begin(), index.times.end());
    ARUS_TRY(write_indexes(segment, kept->offsets, kept->times));
  }
  ARUS_TRY(write_aborted(segment, *aborted));
  result.size_bytes = *end;
  result.verified_bytes = kept->from == 0 && request_.recovery_point <= segment.base ? *end : 0;
  take_facts(segment, index);
  return {};
}

void LogLoader::take_facts(const Segment& segment, const IndexBuilder& index) {
  facts_of_ = segment.base;
  loaded_.bytes_since_index_entry = index.state().bytes_since_entry;
  loaded_.largest_timestamp = index.state().largest;
  loaded_.last_indexed_timestamp_ms = index.state().last_indexed_timestamp_ms;
}

Result<std::int64_t> LogLoader::scan(const Segment& segment, const Pass& pass) {
  const auto file = files_.open(path_of(segment.base, suffix::log), env::OpenMode::read);
  if (!file) return fail(file.error());
  BatchScanner scanner(**file, pass.from, segment.on_disk.log_bytes, env::ReadMode::may_block);
  constexpr std::int64_t largest_relative = std::numeric_limits<std::int32_t>::max();
  std::optional<Error> why;
  std::int64_t end = pass.from;
  Offset next = segment.base;
  while (const auto batch = scanner.next()) {
    const bool gap = pass.check_crc && end > pass.from && batch->magic >= record::format::magic_2 &&
                     is_gap(next, batch->base_offset);
    const bool in_place = !gap &&
                          (batch->magic < record::format::magic_2 ? batch->last_offset >= next
                                                                  : batch->base_offset >= next) &&
                          batch->last_offset < segment.limit &&
                          batch->last_offset - segment.base <= largest_relative;
    if (!in_place) {
      why = Error{ErrorCode::corrupt_message, "its offsets do not follow those before it", 0};
      break;
    }
    if (pass.check_crc && batch->last_offset >= request_.recovery_point) {
      const auto bytes = scanner.bytes();
      if (!bytes) return fail(bytes.error());
      const auto view = record::BatchView::parse(*bytes);
      if (!view || !view->crc_matches()) {
        why = Error{ErrorCode::corrupt_message, "its checksum does not match", 0};
        break;
      }
    }
    if (Result<> taken = take(*batch, scanner, pass); !taken) {
      if (taken.error().code != ErrorCode::corrupt_message) return fail(taken.error());
      why = taken.error();
      break;
    }
    next = batch->last_offset + 1;
    end = scanner.position();
  }
  if (!scanner.status()) {
    if (scanner.status().error().code != ErrorCode::corrupt_message) {
      return fail(scanner.status().error());
    }
    why = scanner.status().error();
  }
  if (segment.is_last || pass.check_crc) next_ = std::max(next_, next);
  next_in_scan_ = next;
  if (end < segment.on_disk.log_bytes) {
    ARUS_TRY(end_scan(segment, pass, end, why ? &*why : nullptr));
  }
  return end;
}

Result<> LogLoader::take(const BatchHeader& batch, BatchScanner& scanner, const Pass& pass) {
  if (pass.note_epochs && batch.leader_epoch.value() >= 0 &&
      batch.leader_epoch > loaded_.epochs.latest()) {
    loaded_.epochs.append(batch.leader_epoch, batch.base_offset);
    loaded_.epochs_changed = true;
  }
  if (batch.last_offset >= replay_from_) {
    const auto append = to_producer_append(batch, [&] { return scanner.bytes(); });
    if (!append) return fail(append.error());
    if (*append) {
      const auto completed = loaded_.producers.apply(**append);
      if (completed && completed->aborted && pass.aborted != nullptr) {
        pass.aborted->push_back({completed->producer_id, completed->first_offset,
                                 completed->last_offset, completed->last_stable_offset});
      }
    }
  }
  if (pass.index != nullptr) {
    pass.index->add(batch.last_offset, batch.position, batch.size_bytes, batch.max_timestamp_ms,
                    request_.index_interval_bytes);
  }
  return {};
}

// The pass stopped before the end of the file.
Result<> LogLoader::end_scan(const Segment& segment, const Pass& pass, std::int64_t end,
                             const Error* why) {
  const std::string_view reason = why != nullptr ? std::string_view(why->message) : "it is cut off";
  if (!pass.cut) {
    log_recovery_log.error(
        "{}: the batch at byte {}, offset {}, is damaged: {}; what lies behind it in this "
        "segment is not indexed",
        path_of(segment.base, suffix::log), end, next_in_scan_.value(), reason);
    return {};
  }
  if (next_in_scan_ < request_.recovery_point) return damage(segment, end, reason);
  log_recovery_log.warning("{}: cuts segment {} at {} of {} bytes: {}", request_.path,
                           segment.base.value(), end, segment.on_disk.log_bytes, reason);
  const auto file = files_.open(path_of(segment.base, suffix::log), env::OpenMode::read_write);
  if (!file) return fail(file.error());
  ARUS_TRY((*file)->truncate(end));
  loaded_.changed = true;
  ended_ = true;
  return {};
}

std::unexpected<Error> LogLoader::damage(const Segment& segment, std::int64_t position,
                                         std::string_view why) const {
  return fail(
      ErrorCode::kafka_storage_error,
      fmt::format("{}: the batch at byte {}, offset {}, is damaged ({}) although it had "
                  "been on stable storage; nothing was cut",
                  path_of(segment.base, suffix::log), position, next_in_scan_.value(), why));
}

Result<> LogLoader::write_indexes(const Segment& segment, std::span<const OffsetIndexEntry> offsets,
                                  std::span<const TimeIndexEntry> times) {
  Bytes bytes;
  for (const auto& entry : offsets) encode(entry, segment.base, bytes);
  ARUS_TRY(write_file(path_of(segment.base, suffix::offset_index), bytes));
  bytes.clear();
  for (const auto& entry : times) encode(entry, segment.base, bytes);
  ARUS_TRY(write_file(path_of(segment.base, suffix::time_index), bytes));
  loaded_.segments.back().offset_index_entries = static_cast<std::int32_t>(offsets.size());
  loaded_.segments.back().time_index_entries = static_cast<std::int32_t>(times.size());
  return {};
}

// A file that says this already is left alone: most logs were idle before a kill.
Result<> LogLoader::write_file(const std::string& path, ByteView bytes) {
  if (files_.exists(path)) {
    const auto before = files_.read_file(path);
    if (before && equal(*before, bytes)) return {};
  }
  const auto file = files_.open(path, env::OpenMode::create);
  if (!file) return fail(file.error());
  loaded_.changed = true;
  return rewrite(**file, bytes);
}

Result<> LogLoader::remove_segment(Offset base) {
  loaded_.changed = true;
  for (const std::string_view kind :
       {suffix::log, suffix::offset_index, suffix::time_index, suffix::transaction_index}) {
    ARUS_TRY(files_.remove(path_of(base, kind)));
  }
  return {};
}

// What appending goes on from. Where the segments behind were cut off, the newest one may be one
// that was only trusted; its index files then say the rest.
Result<> LogLoader::keep_last_facts() {
  if (loaded_.segments.empty() || loaded_.segments.back().size_bytes == 0) return {};
  const LoadedSegment& last = loaded_.segments.back();
  if (facts_of_ != last.base_offset) {
    const auto times = files_.read_file(path_of(last.base_offset, suffix::time_index));
    if (!times) return fail(times.error());
    const auto entries = parse_time_index(*times, last.base_offset);
    if (!entries) return fail(entries.error());
    if (!entries->empty()) loaded_.largest_timestamp = entries->back();
    loaded_.last_indexed_timestamp_ms = loaded_.largest_timestamp.timestamp_ms;
    loaded_.bytes_since_index_entry = 0;
  }
  // segment.ms counts from the first batch's timestamp.
  const auto file = files_.open(path_of(last.base_offset, suffix::log), env::OpenMode::read);
  if (!file) return fail(file.error());
  BatchScanner scanner(**file, 0, last.size_bytes, env::ReadMode::may_block,
                       record::format::header_bytes);
  if (const auto batch = scanner.next()) loaded_.first_timestamp_ms = batch->max_timestamp_ms;
  return {};
}

}  // namespace

Result<LoadedLog> load_log(env::FileSystem& files, const LoadRequest& request) {
  return LogLoader(files, request).load();
}

}  // namespace arus::storage
