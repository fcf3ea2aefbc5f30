// One pass over a segment: its batches, and what its indexes say of them.
#include <fmt/core.h>

#include <algorithm>

#include "record/control.h"
#include "storage/batch_search.h"
#include "storage/file_names.h"
#include "storage/logged_file.h"
#include "storage/offset_index.h"
#include "storage/producer_replay.h"
#include "storage/time_index.h"
#include "storage/transaction_index.h"
#include "storage/verify_batches.h"
#include "storage/verify_partition.h"

namespace arus::storage {

namespace {

constexpr std::size_t window_bytes = std::size_t{256} << 10;
constexpr std::int64_t most_index_bytes = std::int64_t{64} << 20;

constexpr const char* reads_fail =
    "Readers who come to it get CORRUPT_MESSAGE; everything else is served.";
constexpr const char* is_made_again = "It is made again from the log.";
constexpr const char* is_not_noticed =
    "It is made again where its size or its last entry is wrong. Otherwise a start does not "
    "notice, "
    "and readers who meet the entry look for the batch from the segment's beginning on.";

// An index file, its entries held against batches as they pass by.
template <class Entry>
struct IndexTrial {
  std::vector<Entry> entries;
  std::size_t at = 0;  // the next one to compare
  std::size_t wrong = 0;
  std::size_t first_wrong = 0;
  std::optional<std::string> unreadable;

  void refuse() {
    if (wrong++ == 0) first_wrong = at;
    ++at;
  }
};

}  // namespace

struct SegmentTrial {
  IndexTrial<OffsetIndexEntry> offsets;
  IndexTrial<TimeIndexEntry> times;
  IndexTrial<TransactionIndexEntry> transactions;
  std::int64_t largest_ms = -1;
  std::vector<TransactionIndexEntry> aborted;  // with records that are left
  std::set<std::pair<ProducerId, Offset>> abort_markers;
  std::int64_t batches = 0;
  bool damaged = false;

  void see(const BatchHeader& batch) {
    ++batches;
    while (offsets.at < offsets.entries.size() &&
           offsets.entries[offsets.at].position < batch.position) {
      offsets.refuse();
    }
    if (offsets.at < offsets.entries.size() &&
        offsets.entries[offsets.at].position == batch.position) {
      // Kafka's may name the last of several batches that came together.
      if (batch.last_offset > offsets.entries[offsets.at].offset) {
        offsets.refuse();
      } else {
        ++offsets.at;
      }
    }
    largest_ms = std::max(largest_ms, batch.max_timestamp_ms);
    while (times.at < times.entries.size() && times.entries[times.at].offset <= batch.last_offset) {
      if (times.entries[times.at].timestamp_ms != largest_ms) {
        times.refuse();
      } else {
        ++times.at;
      }
    }
  }
  // What is said of batches that cannot be read is not compared.
  void pass_to(std::int64_t position, Offset offset) {
    damaged = true;
    while (offsets.at < offsets.entries.size() && offsets.entries[offsets.at].position < position) {
      ++offsets.at;
    }
    while (times.at < times.entries.size() && times.entries[times.at].offset < offset) ++times.at;
  }
};

namespace {

template <class Parse, class Entry>
void load_index(env::FileSystem& files, const std::string& path, std::int64_t size, Parse parse,
                IndexTrial<Entry>& trial) {
  if (size < 0) return;
  const auto bytes = files.read_file(path, most_index_bytes);
  auto entries = bytes ? parse(*bytes) : Result<std::vector<Entry>>(fail(bytes.error()));
  if (entries) {
    trial.entries = std::move(*entries);
  } else {
    trial.unreadable = entries.error().message;
  }
}

std::int64_t entry_position(const IndexTrial<OffsetIndexEntry>& trial) {
  return static_cast<std::int64_t>(trial.first_wrong * offset_index_format::entry_bytes);
}
std::int64_t entry_position(const IndexTrial<TimeIndexEntry>& trial) {
  return static_cast<std::int64_t>(trial.first_wrong * time_index_format::entry_bytes);
}

// Refuses what batches did not reach.
template <class Entry>
void end_trial(IndexTrial<Entry>& trial) {
  while (trial.at < trial.entries.size()) trial.refuse();
}

}  // namespace

// The file as it is, or as the commit log will make it.
Result<std::shared_ptr<env::File>> PartitionCheck::open_segment(const Segment& segment) {
  std::unique_ptr<env::File> file;
  if (files_.exists(segment.log)) {
    auto opened = files_.open(segment.log, env::OpenMode::read);
    if (!opened) return fail(std::move(opened).error());
    file = std::move(*opened);
  }
  const auto size = file == nullptr ? Result<std::int64_t>(0) : file->size();
  if (!size) return fail(size.error());
  const auto is_here = [&](const FoundWrite& write) { return write.segment == segment.base; };
  if (what_.logged == nullptr || std::ranges::none_of(what_.logged->writes, is_here)) {
    if (file == nullptr) return fail(ErrorCode::kafka_storage_error, segment.log + " is missing");
    return std::shared_ptr<env::File>(std::move(file));
  }
  env::File* const below = file.get();
  auto logged = std::make_shared<LoggedFile>(segment.log, std::move(file), *size);
  std::int64_t changed_bytes = 0;
  for (const FoundWrite& write : what_.logged->writes) {
    if (!is_here(write)) continue;
    if (write.position > *logged->size()) {
      add({.severity = Severity::error,
           .file = segment.log,
           .position = *logged->size(),
           .problem = fmt::format("The commit log goes on at byte {}: what lies between is lost.",
                                  write.position),
           .at_start = "The partition is not opened."});
      broken_ = true;
      break;
    }
    auto& lap = laps_[(*what_.laps)[write.lap].path];
    if (lap == nullptr) {
      auto opened = files_.open((*what_.laps)[write.lap].path, env::OpenMode::read);
      if (!opened) return fail(std::move(opened).error());
      lap = std::move(*opened);
    }
    Bytes payload(write.size_bytes);
    Bytes there(static_cast<std::size_t>(std::clamp<std::int64_t>(
        *size - write.position, 0, static_cast<std::int64_t>(payload.size()))));
    ARUS_TRY(read_fully(*lap, payload, static_cast<std::int64_t>(write.payload_at),
                        env::ReadMode::may_block));
    if (!there.empty()) {
      ARUS_TRY(read_fully(*below, there, write.position, env::ReadMode::may_block));
    }
    if (!equal(there, payload)) changed_bytes += static_cast<std::int64_t>(payload.size());
    logged->add(lap, static_cast<std::int64_t>(write.payload_at), write.position,
                static_cast<std::int64_t>(write.size_bytes));
  }
  if (changed_bytes > 0) {
    add({.severity = Severity::note,
         .file = segment.log,
         .problem = fmt::format("It lacks {} bytes that the commit log has.", changed_bytes),
         .at_start = "They are written again; what follows here is of the segment as it is then."});
  }
  return std::shared_ptr<env::File>(std::move(logged));
}

void PartitionCheck::check_segment(const Segment& segment) {
  if (ended_) {
    add({.severity = Severity::note,
         .file = segment.log,
         .problem = "It lies beyond where a start ends the log.",
         .at_start = "It is removed."});
    return;
  }
  ++totals_.segments;
  if (segment.base > next_ && what_.cleaning_known && !what_.offsets.cleaned_to) {
    const bool sure = trusts(segment) || segment.base <= what_.offsets.recovery_point;
    add({.severity = sure ? Severity::error : Severity::note,
         .file = segment.log,
         .offset = next_,
         .problem = fmt::format("Offsets from {} to {} are missing before this segment.",
                                next_.value(), segment.base.value() - 1),
         .at_start = sure ? "Readers pass over them."
                          : "Where the topic is not compacted, the log ends before them."});
    broken_ = true;
  }
  next_ = segment.base;
  const auto file = open_segment(segment);
  const auto size = file ? (*file)->size() : Result<std::int64_t>(fail(file.error()));
  if (!size) {
    add({.severity = Severity::error,
         .file = segment.log,
         .problem = size.error().message + ".",
         .at_start = "The partition is not opened, or readers of the segment get an error."});
    broken_ = true;
    return;
  }
  totals_.size_bytes += *size;
  SegmentTrial trial;
  const SegmentFiles& on_disk = segment.on_disk;
  load_index(
      files_, path_of(segment, suffix::offset_index), on_disk.offset_index_bytes,
      [&](ByteView bytes) { return parse_offset_index(bytes, segment.base); }, trial.offsets);
  load_index(
      files_, path_of(segment, suffix::time_index), on_disk.time_index_bytes,
      [&](ByteView bytes) { return parse_time_index(bytes, segment.base); }, trial.times);
  load_index(
      files_, path_of(segment, suffix::transaction_index), on_disk.transaction_index_bytes,
      [](ByteView bytes) { return parse_transaction_index(bytes); }, trial.transactions);
  walk(segment, **file, *size, trial);
  const bool judged = !what_.is_metadata && segment.ending.empty() && *size > 0;
  if (judged && trusts(segment)) judge_indexes(segment, trial);
}

void PartitionCheck::walk(const Segment& segment, env::File& file, std::int64_t size,
                          SegmentTrial& trial) {
  std::optional<BatchScanner> scanner;
  scanner.emplace(file, 0, size, env::ReadMode::may_block, window_bytes);
  for (;;) {
    const auto batch = scanner->next();
    if (batch) {
      if (!check_batch(segment, *batch, *scanner, file, trial)) return;
    } else if (scanner->position() >= size && scanner->status()) {
      return;
    } else if (!pass_over(segment, file, size, scanner, trial)) {
      return;
    }
  }
}

bool PartitionCheck::pass_over(const Segment& segment, env::File& file, std::int64_t size,
                               std::optional<BatchScanner>& scanner, SegmentTrial& trial) {
  const std::int64_t position = scanner->position();
  const Result<>& status = scanner->status();
  broken_ = trial.damaged = true;
  if (!status && status.error().code != ErrorCode::corrupt_message) {
    add({.severity = Severity::error,
         .file = segment.log,
         .position = position,
         .offset = next_,
         .problem = status.error().message + ".",
         .at_start = "Readers who come to it get KAFKA_STORAGE_ERROR."});
    return false;
  }
  const std::string why = status ? "The batch is cut off" : status.error().message;
  if (is_unsure(segment, next_)) {
    cut_here(segment, file, position, size, why);
    return false;
  }
  const auto found = find_whole_batch(file, position + 1, size, next_, segment.limit);
  const std::int64_t end = found && *found ? (*found)->position : size;
  const bool opens = !segment.is_last || (!trial.offsets.entries.empty() &&
                                          trial.offsets.entries.back().position > position);
  add({.severity = Severity::error,
       .file = segment.log,
       .position = position,
       .offset = next_,
       .problem = fmt::format("{}: {} bytes hold no whole batch.", why, end - position),
       .at_start = opens ? "Readers who come to it get CORRUPT_MESSAGE; behind it they are served "
                           "from the next index entry on."
                         : "The partition is not opened, and nothing is cut.",
       .repair = cut_at(segment, position, next_)});
  if (!found || !*found) return false;
  next_ = (*found)->base_offset;
  trial.pass_to(end, next_);
  scanner.emplace(file, end, size, env::ReadMode::may_block, window_bytes);
  return true;
}

// A start cuts the log here, as it does after every kill that tears a write.
void PartitionCheck::cut_here(const Segment& segment, env::File& file, std::int64_t position,
                              std::int64_t size, std::string_view why) {
  ended_ = true;
  const auto behind = find_whole_batch(file, position + 1, size, next_, segment.limit);
  const bool whole = behind && *behind;
  // Of the metadata log everything that is not at its very end was flushed.
  const bool lost = what_.is_metadata && whole;
  Finding finding{
      .severity = lost ? Severity::error : Severity::note,
      .file = segment.log,
      .position = position,
      .offset = next_,
      .problem = fmt::format(
          "{}; the log's end is not whole from here on, {} bytes{}.", why, size - position,
          whole ? fmt::format(", but whole batches follow from byte {}, offset {}",
                              (*behind)->position, (*behind)->base_offset.value())
                : std::string()),
      .at_start =
          "The log is cut here: what lies behind was not acknowledged, or the disk has "
          "lost it."};
  if (lost) {
    finding.at_start =
        "A start refuses where a later leader epoch or a snapshot shows that this "
        "was flushed, and cuts the log here otherwise.";
    finding.repair = cut_at(segment, position, next_);
  }
  add(std::move(finding));
}

bool PartitionCheck::check_batch(const Segment& segment, const BatchHeader& batch,
                                 BatchScanner& scanner, env::File& file, SegmentTrial& trial) {
  const bool legacy = batch.magic < record::format::magic_2;
  const bool in_place = (legacy ? batch.last_offset >= next_ : batch.base_offset >= next_) &&
                        batch.last_offset < segment.limit;
  ++totals_.batches;
  if (!in_place) {
    trial.damaged = broken_ = true;
    return report_batch(segment, batch, file,
                        batch.last_offset >= segment.limit
                            ? "The offsets of the batch belong to a later segment"
                            : "The offsets of the batch do not follow those before it");
  }
  const bool large = static_cast<std::size_t>(batch.size_bytes) > most_decoded_bytes;
  std::optional<record::BatchView> view;
  Result<bool> sound = false;
  if (large && !legacy) {
    sound = checksum_matches(file, batch);
  } else {
    const auto bytes = scanner.bytes();
    const auto parsed =
        bytes ? record::BatchView::parse(*bytes) : Result<record::BatchView>(fail(bytes.error()));
    if (parsed) view = *parsed;
    sound = parsed ? Result<bool>(parsed->crc_matches()) : Result<bool>(fail(parsed.error()));
  }
  if (!sound || !*sound) {
    trial.pass_to(batch.position + 1, batch.last_offset + 1);
    broken_ = true;
    const bool goes_on = report_batch(
        segment, batch, file,
        sound ? std::string("The checksum of the batch does not match") : sound.error().message);
    if (goes_on) next_ = std::max(next_, batch.last_offset + 1);
    return goes_on;
  }
  compare_snapshots(legacy ? next_ : batch.base_offset);
  check_gap(segment, batch);
  check_epoch(segment, batch);
  next_ = batch.last_offset + 1;
  trial.see(batch);
  if (view) check_records(segment, batch, *view, trial);
  return true;
}

bool PartitionCheck::report_batch(const Segment& segment, const BatchHeader& batch, env::File& file,
                                  std::string_view why) {
  if (is_unsure(segment, batch.last_offset)) {
    const auto size = file.size();
    cut_here(segment, file, batch.position, size ? *size : batch.position + batch.size_bytes, why);
    return false;
  }
  add({.severity = Severity::error,
       .file = segment.log,
       .position = batch.position,
       .offset = batch.base_offset,
       .problem = fmt::format("{} ({} bytes, offsets {} to {}).", why, batch.size_bytes,
                              batch.base_offset.value(), batch.last_offset.value()),
       .at_start = reads_fail,
       .repair = cut_at(segment, batch.position, next_)});
  return true;
}

void PartitionCheck::check_gap(const Segment& segment, const BatchHeader& batch) {
  const bool gap = batch.magic >= record::format::magic_2 && batch.base_offset > next_;
  if (!gap || !what_.cleaning_known || what_.offsets.cleaned_to || broken_) return;
  broken_ = true;  // said once
  add({.severity = Severity::warning,
       .file = segment.log,
       .position = batch.position,
       .offset = next_,
       .problem = fmt::format("Offsets from {} to {} are missing before this batch, although the "
                              "log was never compacted here.",
                              next_.value(), batch.base_offset.value() - 1),
       .at_start = "Readers pass over them."});
}

void PartitionCheck::check_epoch(const Segment& segment, const BatchHeader& batch) {
  if (batch.leader_epoch == no_leader_epoch || batch.leader_epoch == last_epoch_) return;
  const bool backwards = batch.leader_epoch < last_epoch_;
  last_epoch_ = batch.leader_epoch;
  // Of what lies below the log start the checkpoint says nothing any more.
  const Offset first = std::max(batch.base_offset, what_.offsets.log_start);
  const bool differs = epochs_ && batch.last_offset >= first &&
                       !is_unsure(segment, batch.last_offset) &&
                       epochs_->epoch_of(first) != batch.leader_epoch;
  if ((!backwards && !differs) || wrong_epochs_++ > 0) return;
  const std::string checkpoint = join_path(what_.path, leader_epoch_checkpoint_name);
  add({.severity = Severity::warning,
       .file = backwards ? segment.log : checkpoint,
       .position = backwards ? std::optional(batch.position) : std::nullopt,
       .offset = batch.base_offset,
       .problem = backwards
                      ? fmt::format("The leader epoch goes back to {}.", batch.leader_epoch.value())
                      : fmt::format("It says epoch {}, and the batch is of epoch {}.",
                                    epochs_->epoch_of(first).value(), batch.leader_epoch.value()),
       .at_start = "It is believed: clients and followers that ask where an epoch ends are misled.",
       .repair = backwards ? std::nullopt : std::optional(aside(checkpoint))});
}

void PartitionCheck::check_records(const Segment& segment, const BatchHeader& batch,
                                   const record::BatchView& view, SegmentTrial& trial) {
  bool has_records = view.is_legacy() || view.count() > 0;
  if (what_.decode) {
    const CheckedRecords checked = storage::check_records(view, scratch_);
    totals_.records += checked.count;
    if (checked.why) {
      add({.severity = Severity::error,
           .file = segment.log,
           .position = batch.position,
           .offset = batch.base_offset,
           .problem = fmt::format("The batch has a right checksum and cannot be decoded: {}.",
                                  *checked.why),
           .at_start = "It is served as it is; consumers fail on it.",
           .repair = cut_at(segment, batch.position, batch.base_offset)});
    }
  } else if (!view.is_legacy()) {
    totals_.records += view.count();
  }
  replay(batch, view, has_records, trial);
}

void PartitionCheck::replay(const BatchHeader& batch, const record::BatchView& view,
                            bool has_records, SegmentTrial& trial) {
  const auto append = to_producer_append(batch, [&view] { return Result<ByteView>(view.bytes()); });
  if (!append) {
    broken_ = true;
    return;
  }
  if (!*append) return;
  const ProducerAppend& facts = **append;
  if (facts.end && !facts.end->committed) {
    trial.abort_markers.emplace(facts.producer_id, facts.last_offset);
  }
  if (facts.transactional && !facts.end) {
    bool& with_records = with_records_[facts.producer_id];
    with_records = with_records || has_records;
  }
  const auto completed = producers_.apply(facts);
  if (!completed) return;
  producers_.release_below(batch.last_offset + 1);
  const auto open = with_records_.extract(facts.producer_id);
  if (completed->aborted && open && open.mapped()) {
    trial.aborted.push_back({completed->producer_id, completed->first_offset,
                             completed->last_offset, completed->last_stable_offset});
  }
}

void PartitionCheck::judge_indexes(const Segment& segment, const SegmentTrial& walked) {
  SegmentTrial trial = walked;
  const auto report = [&](std::string_view kind, std::optional<std::int64_t> position,
                          std::string problem, const char* at_start) {
    add({.severity = Severity::warning,
         .file = path_of(segment, kind),
         .position = position,
         .problem = std::move(problem),
         .at_start = at_start,
         .repair = rebuild(segment)});
  };
  const auto judge = [&](std::string_view kind, std::int64_t size, auto& index, const char* what) {
    if (size < 0) {
      report(kind, std::nullopt, "It is missing.", is_made_again);
    } else if (index.unreadable) {
      report(kind, std::nullopt, *index.unreadable + ".", is_not_noticed);
    } else {
      // Entries of batches that cannot be read say nothing, and neither do those around them.
      if (trial.damaged) return true;
      end_trial(index);
      if (index.wrong == 0) return true;
      report(kind, entry_position(index),
             fmt::format("{} of {} entries {}.", index.wrong, index.entries.size(), what),
             is_not_noticed);
    }
    return false;
  };
  judge(suffix::offset_index, segment.on_disk.offset_index_bytes, trial.offsets,
        "do not lead to the batch that they name");
  const bool times = judge(suffix::time_index, segment.on_disk.time_index_bytes, trial.times,
                           "are not the largest timestamp up to their batch");
  const auto& times_kept = trial.times.entries;
  if (times && !trial.damaged && trial.largest_ms >= 0 &&
      (times_kept.empty() || times_kept.back().timestamp_ms != trial.largest_ms)) {
    report(suffix::time_index, std::nullopt, "It lacks the segment's largest timestamp.",
           "A start does not notice: searches by time and retention take the segment for older.");
  }
  if (trial.transactions.unreadable) {
    report(suffix::transaction_index, std::nullopt, *trial.transactions.unreadable + ".",
           is_made_again);
    return;
  }
  if (broken_) return;
  const auto& entries = trial.transactions.entries;
  const auto lacks = std::ranges::count_if(trial.aborted, [&](const auto& aborted) {
    return std::ranges::none_of(entries, [&](const auto& entry) {
      return entry.producer_id == aborted.producer_id && entry.last_offset == aborted.last_offset &&
             entry.first_offset <= aborted.first_offset;
    });
  });
  const auto false_ones = std::ranges::count_if(entries, [&](const auto& entry) {
    return !trial.abort_markers.contains({entry.producer_id, entry.last_offset});
  });
  if (lacks == 0 && false_ones == 0) return;
  report(suffix::transaction_index, std::nullopt,
         fmt::format("It lacks {} aborted transactions, and names {} that were not aborted.", lacks,
                     false_ones),
         "A start does not notice: readers of committed records get aborted ones, or lack others.");
}

}  // namespace arus::storage
