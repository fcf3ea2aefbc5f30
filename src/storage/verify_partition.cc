#include "storage/verify_partition.h"

#include <fmt/core.h>

#include <algorithm>

#include "storage/checkpoint_file.h"
#include "storage/file_names.h"
#include "storage/logged_file.h"
#include "storage/partition_metadata.h"
#include "storage/producer_snapshot.h"
#include "storage/verify_batches.h"

namespace arus::storage {

namespace {

constexpr std::int64_t most_checkpoint_bytes = std::int64_t{64} << 20;
constexpr Offset unlimited{std::numeric_limits<std::int64_t>::max()};

constexpr std::string_view kept_endings[] = {".damaged", ".cut"};

bool is_kept_by_a_repair(std::string_view name) {
  return std::ranges::any_of(kept_endings, [&](auto each) { return name.ends_with(each); });
}

std::optional<Offset> parse_any(std::string_view name) {
  for (const std::string_view kind : {suffix::log, suffix::offset_index, suffix::time_index,
                                      suffix::transaction_index, suffix::producer_snapshot}) {
    if (auto base = parse_segment_file_name(name, kind)) return base;
  }
  return std::nullopt;
}

}  // namespace

PartitionCheck::PartitionCheck(env::FileSystem& files, PartitionToCheck what)
    : files_(files), what_(std::move(what)) {
  totals_.partitions = 1;
}

PartitionCheck::~PartitionCheck() = default;

void PartitionCheck::add(Finding finding) {
  if (findings_.size() > most_findings) return;
  if (findings_.size() == most_findings) {
    finding = {
        .severity = Severity::error,
        .file = what_.path,
        .problem = fmt::format("More than {} findings: the rest is left out.", most_findings),
        .at_start = {}};
  }
  findings_.push_back(std::move(finding));
}

std::string PartitionCheck::path_of(const Segment& segment, std::string_view kind) const {
  return join_path(what_.path, segment_file_name(segment.base, kind)) + segment.ending;
}

Repair PartitionCheck::rebuild(const Segment& segment) const {
  return {.kind = RepairKind::rebuild_indexes,
          .file = segment.log,
          .partition = what_.name,
          .segment = segment.base};
}

Repair PartitionCheck::aside(const std::string& file) const {
  return {.kind = RepairKind::set_file_aside, .file = file, .partition = what_.name};
}

Repair PartitionCheck::cut_at(const Segment& segment, std::int64_t position, Offset offset) const {
  Repair repair{.kind = RepairKind::cut_log,
                .file = segment.log,
                .partition = what_.name,
                .segment = segment.base,
                .position = position,
                .offset = offset};
  for (auto each = segments_.find(segment.base); each != segments_.end(); ++each) {
    repair.cut_bytes += each->second.on_disk.log_bytes;
  }
  repair.cut_bytes -= position;
  return repair;
}

bool PartitionCheck::step() {
  switch (stage_) {
    case Stage::list:
      list();
      at_ = segments_.begin();
      stage_ = Stage::segments;
      return true;
    case Stage::segments:
      if (at_ != segments_.end()) {
        check_segment(at_->second);
        ++at_;
        return true;
      }
      stage_ = Stage::finish;
      return true;
    case Stage::finish:
      finish();
      stage_ = Stage::done;
      return false;
    case Stage::done:
      break;
  }
  return false;
}

void PartitionCheck::list() {
  const auto entries = files_.list(what_.path);
  if (!entries) {
    // What only the commit log knows has no folder yet.
    if (what_.logged == nullptr || files_.exists(what_.path)) {
      add({.severity = Severity::error,
           .file = what_.path,
           .problem = entries.error().message + ".",
           .at_start = "The partition is not opened."});
    }
  } else {
    for (const auto& entry : *entries) note_entry(entry);
    apply_swaps(*entries);
    note_partition_metadata();
    note_epochs();
  }
  add_logged_segments();
  Segment* before = nullptr;
  for (auto& [base, segment] : segments_) {
    if (before != nullptr) {
      before->limit = base;
      before->is_last = false;
    }
    segment.is_last = true;
    segment.limit = unlimited;
    before = &segment;
  }
  if (segments_.empty()) {
    next_ = what_.offsets.log_start;
    return;
  }
  next_ = segments_.begin()->first;
  // What the metadata log holds is flushed before anything goes on: only its end may be torn.
  if (what_.is_metadata) what_.offsets.recovery_point = segments_.rbegin()->first;
  const auto first = snapshots_.find(next_);
  if (first != snapshots_.end()) producers_.load(first->second);
  if (first != snapshots_.end()) {
    for (const ProducerEntry& entry : first->second) {
      if (entry.in_transaction()) with_records_[entry.producer_id] = true;
    }
  }
}

void PartitionCheck::note_entry(const env::DirectoryEntry& entry) {
  const std::string& name = entry.name;
  const std::string path = join_path(what_.path, name);
  const auto note = [&](std::string problem, std::string at_start) {
    add({.severity = Severity::note,
         .file = path,
         .problem = std::move(problem),
         .at_start = std::move(at_start)});
  };
  if (entry.is_directory) {
    add({.severity = Severity::warning,
         .file = path,
         .problem = "A directory does not belong into a partition's.",
         .at_start = "It is left alone."});
    return;
  }
  if (const auto base = parse_segment_file_name(name, suffix::log)) {
    Segment& segment = segments_[*base];
    segment.base = *base;
    segment.log = path;
    segment.on_disk.log_bytes = files_.file_size(path).value_or(-1);
  } else if (name.ends_with(suffix::temporary)) {
    note("It was being written when the server ended.", "It is removed.");
  } else if (name.ends_with(suffix::deleted)) {
    note("It waits for its removal.", "It is removed.");
  } else if (name.ends_with(suffix::cleaned) || name.ends_with(".part")) {
    note("It is of a round of compaction, or a snapshot, that did not end.", "It is removed.");
  } else if (name.ends_with(suffix::swap)) {
    note("Compaction was putting it in the place of others.", "The exchange is completed.");
  } else if (is_kept_by_a_repair(name)) {
    note("A repair has kept it.", "It is left alone.");
  } else if (what_.is_metadata && name.ends_with(".checkpoint")) {
    metadata_snapshots_.push_back(name);
  } else if (!parse_any(name)) {
    note_small_file(name);
  }
  if (const auto at = parse_segment_file_name(name, suffix::producer_snapshot)) {
    const auto bytes = files_.read_file(path, most_checkpoint_bytes);
    auto parsed = bytes ? parse_producer_snapshot(*bytes)
                        : Result<std::vector<ProducerEntry>>(fail(bytes.error()));
    if (parsed) {
      snapshots_[*at] = std::move(*parsed);
      return;
    }
    add({.severity = Severity::warning,
         .file = path,
         .problem = parsed.error().message + ".",
         .at_start = "An older snapshot is used, or producers are read from the log.",
         .repair = aside(path)});
  }
}

void PartitionCheck::note_small_file(const std::string& name) {
  static constexpr std::string_view known[] = {leader_epoch_checkpoint_name,
                                               partition_metadata_name, "quorum-state"};
  if (std::ranges::find(known, name) != std::end(known)) return;
  add({.severity = Severity::note,
       .file = join_path(what_.path, name),
       .problem = "Its name is none of a log's files.",
       .at_start = "It is left alone."});
}

void PartitionCheck::note_partition_metadata() {
  const std::string path = join_path(what_.path, partition_metadata_name);
  if (!files_.exists(path)) {
    if (what_.is_metadata) return;
    add({.severity = Severity::warning,
         .file = path,
         .problem = "It is missing: the folder does not say which topic it is of.",
         .at_start = "It is written for the topic of this name, where there is one."});
    return;
  }
  const auto text = files_.read_file(path, most_checkpoint_bytes);
  const auto id =
      text ? parse_partition_metadata(as_text(*text)) : Result<Uuid>(fail(text.error()));
  if (!id) {
    add({.severity = Severity::warning,
         .file = path,
         .problem = id.error().message + ".",
         .at_start = "It is written again for the topic of this name, where there is one."});
  } else if (what_.expected_id && *id != *what_.expected_id) {
    add({.severity = Severity::warning,
         .file = path,
         .problem = fmt::format("It names topic {}, but {} is {} in the metadata.", id->to_string(),
                                what_.name.topic, what_.expected_id->to_string()),
         .at_start = "The folder is set aside under a name that ends in -stray."});
  }
}

void PartitionCheck::note_epochs() {
  const std::string path = join_path(what_.path, leader_epoch_checkpoint_name);
  if (!files_.exists(path)) {
    if (segments_.empty() || !what_.clean || what_.is_metadata) return;
    add({.severity = Severity::note,
         .file = path,
         .problem = "It is missing.",
         .at_start = "It is made again from the log."});
    return;
  }
  const auto text = files_.read_file(path, most_checkpoint_bytes);
  auto entries = text ? parse_leader_epoch_checkpoint(as_text(*text))
                      : Result<std::vector<EpochStart>>(fail(text.error()));
  if (entries) {
    epochs_.emplace(std::move(*entries));
    return;
  }
  add({.severity = Severity::warning,
       .file = path,
       .problem = entries.error().message + ".",
       .at_start = "It is made again from the log.",
       .repair = aside(path)});
}

// A start completes an exchange that had begun: what is staged counts in place of what it replaces.
void PartitionCheck::apply_swaps(const std::vector<env::DirectoryEntry>& entries) {
  const bool unfinished = std::ranges::any_of(
      entries, [](const auto& entry) { return entry.name.ends_with(suffix::cleaned); });
  for (const auto& entry : entries) {
    if (entry.is_directory || unfinished || !entry.name.ends_with(suffix::swap)) continue;
    const auto base = parse_segment_file_name(
        std::string_view(entry.name).substr(0, entry.name.size() - suffix::swap.size()),
        suffix::log);
    if (!base) continue;
    const std::string path = join_path(what_.path, entry.name);
    const auto end = find_batches_end(files_, path, *base);
    if (!end) continue;
    segments_.erase(segments_.lower_bound(*base), segments_.lower_bound(*end));
    Segment& segment = segments_[*base];
    segment.base = *base;
    segment.log = path;
    segment.ending = suffix::swap;
    segment.on_disk.log_bytes = files_.file_size(path).value_or(-1);
  }
  for (auto& [base, segment] : segments_) {
    const auto size = [&](std::string_view kind) {
      const std::string path = path_of(segment, kind);
      return files_.exists(path) ? files_.file_size(path).value_or(-1) : -1;
    };
    segment.on_disk.offset_index_bytes = size(suffix::offset_index);
    segment.on_disk.time_index_bytes = size(suffix::time_index);
    segment.on_disk.transaction_index_bytes = size(suffix::transaction_index);
  }
  for (const auto& entry : entries) {
    const auto base = parse_any(entry.name);
    const bool is_index = base && !entry.name.ends_with(suffix::producer_snapshot);
    if (!is_index || segments_.contains(*base)) continue;
    const bool replaced = segments_.upper_bound(*base) != segments_.begin() &&
                          !std::prev(segments_.upper_bound(*base))->second.ending.empty();
    if (replaced) continue;
    add({.severity = Severity::note,
         .file = join_path(what_.path, entry.name),
         .problem = "Its segment is gone.",
         .at_start = "It is removed."});
  }
}

// Replay makes segments that a power cut has taken.
void PartitionCheck::add_logged_segments() {
  if (what_.logged == nullptr) return;
  for (const FoundWrite& write : what_.logged->writes) {
    Segment& segment = segments_[write.segment];
    if (!segment.log.empty()) continue;
    segment.base = write.segment;
    segment.log = join_path(what_.path, segment_file_name(write.segment, suffix::log));
    segment.on_disk.log_bytes = 0;
  }
}

// True where it is whole.
bool PartitionCheck::check_snapshot_file(const std::string& name) {
  const std::string path = join_path(what_.path, name);
  auto checked = check_batch_file(files_, path, scratch_);
  totals_.size_bytes += checked.size_bytes;
  totals_.batches += checked.batches;
  totals_.records += checked.records;
  if (!checked.damage) return true;
  checked.damage->at_start = "A start that needs the snapshot fails.";
  add(std::move(*checked.damage));
  return false;
}

// A damaged snapshot can go where the log, or another one, says the same.
void PartitionCheck::check_snapshot_files() {
  const Offset first = segments_.empty() ? unlimited : segments_.begin()->first;
  bool replaceable = first == Offset{0};
  std::vector<std::size_t> damaged;
  for (const std::string& name : metadata_snapshots_) {
    const std::size_t at = findings_.size();
    if (!check_snapshot_file(name)) {
      if (at < findings_.size()) damaged.push_back(at);
    } else if (const auto end = parse_segment_file_name(name.substr(0, 20), ""); end >= first) {
      replaceable = true;
    }
  }
  for (const std::size_t at : damaged) {
    if (replaceable) findings_[at].repair = aside(findings_[at].file);
  }
}

void PartitionCheck::finish() {
  check_snapshot_files();
  compare_snapshots(unlimited);
  check_ends();
}

void PartitionCheck::check_ends() {
  const LogOffsets& offsets = what_.offsets;
  if (!what_.is_metadata && what_.has_recovery_point && next_ < offsets.recovery_point) {
    add({.severity = Severity::error,
         .file = what_.path,
         .offset = next_,
         .problem =
             fmt::format("The log ends here, but everything below {} had been on stable storage.",
                         offsets.recovery_point.value()),
         .at_start = fmt::format("The log goes on from {}; what is missing stays missing.",
                                 next_.value())});
  }
  if (!what_.is_metadata && next_ < offsets.log_start) {
    add({.severity = Severity::error,
         .file = what_.path,
         .offset = next_,
         .problem =
             fmt::format("The log ends here, before its start, {}.", offsets.log_start.value()),
         .at_start = "The log is empty and goes on from here."});
  }
  for (Finding& finding : findings_) {
    if (!finding.repair || finding.repair->kind != RepairKind::cut_log) continue;
    finding.repair->end = next_;
    if (what_.logged == nullptr) continue;
    finding.repair = std::nullopt;
    finding.at_start +=
        " It cannot be cut while the commit log has more of this log: start and "
        "stop the server once.";
  }
}

// With producers as they were when the log ended at `up_to`.
void PartitionCheck::compare_snapshots(Offset up_to) {
  while (!snapshots_.empty() && snapshots_.begin()->first <= up_to) {
    const auto snapshot = snapshots_.extract(snapshots_.begin());
    const Offset at = snapshot.key();
    if (at > next_ || ended_) {
      add({.severity = Severity::note,
           .file = join_path(what_.path, segment_file_name(at, suffix::producer_snapshot)),
           .problem = fmt::format("It is of offset {}, and the log ends at {}.", at.value(),
                                  next_.value()),
           .at_start = "It is removed."});
    } else {
      compare_snapshot(at, snapshot.mapped());
    }
  }
}

void PartitionCheck::compare_snapshot(Offset at, const std::vector<ProducerEntry>& entries) {
  // Older batches of a producer may have been compacted away since.
  if (broken_ || what_.offsets.cleaned_to || segments_.empty()) return;
  for (const ProducerEntry& entry : entries) {
    const ProducerBatch* const last = entry.last_batch();
    if (last == nullptr || last->last_offset < segments_.begin()->first) continue;
    const ProducerEntry* const replayed = producers_.find(entry.producer_id);
    const ProducerBatch* const read = replayed == nullptr ? nullptr : replayed->last_batch();
    const bool same = read != nullptr && replayed->epoch == entry.epoch &&
                      read->last_sequence == last->last_sequence &&
                      read->last_offset == last->last_offset &&
                      (replayed->transaction_start == entry.transaction_start ||
                       entry.transaction_start < segments_.begin()->first);
    if (same) continue;
    const std::string path =
        join_path(what_.path, segment_file_name(at, suffix::producer_snapshot));
    add({.severity = Severity::warning,
         .file = path,
         .problem = fmt::format("What it says of producer {} is not what the log says.",
                                entry.producer_id.value()),
         .at_start = "It is believed: the producer may be refused, or a duplicate taken.",
         .repair = aside(path)});
    return;
  }
}

}  // namespace arus::storage
