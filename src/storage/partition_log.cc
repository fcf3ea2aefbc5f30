#include "storage/partition_log.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/log.h"
#include "record/batch.h"
#include "storage/checkpoint_file.h"
#include "storage/producer_replay.h"
#include "storage/producer_snapshot.h"
#include "storage/rewrite.h"

namespace arus::storage {

namespace {

constexpr std::int64_t largest_file_bytes = std::numeric_limits<std::int32_t>::max();

BatchHeader header_of(const record::BatchView& batch) {
  BatchHeader header{.position = 0,
                     .size_bytes = static_cast<std::int64_t>(batch.size_bytes()),
                     .base_offset = batch.base_offset(),
                     .last_offset = batch.last_offset(),
                     .magic = batch.magic(),
                     .attributes = batch.attributes(),
                     .leader_epoch = batch.leader_epoch(),
                     .max_timestamp_ms = batch.max_timestamp_ms()};
  if (!batch.is_legacy()) {
    header.producer_id = batch.producer_id();
    header.producer_epoch = batch.producer_epoch();
    header.base_sequence = batch.base_sequence();
  }
  return header;
}

}  // namespace

PartitionLog::PartitionLog(std::shared_ptr<LogHost> host, Identity identity,
                           std::shared_ptr<const config::TopicConfig> config, LoadedLog loaded,
                           Offset recovery_point, const LogOffsets& checkpoint)
    : host_(std::move(host)),
      name_(std::move(identity.name)),
      topic_id_(identity.topic_id),
      future_(identity.future),
      self_(std::make_shared<Link>(this)),
      folder_(std::make_shared<WriterFolder>(
          std::move(identity.path), name_, topic_id_,
          [&loop = host_->port->loop(), self = self_](Offset segment, Offset end) {
            loop.post([self, segment, end] {
              if (self->log != nullptr) self->log->note_flushed(segment, end);
            });
          })),
      config_(std::move(config)),
      link_(std::make_shared<Link>(this)) {
  folder_->created_unsynced = identity.created;
  adopt(std::move(loaded));
  saved_epoch_ = identity.saved_epoch;
  recovery_point_ = std::min(recovery_point, log_end_);
  checkpointed_high_watermark_ = std::clamp(checkpoint.high_watermark, log_start_, log_end_);
  if (checkpoint.cleaned_to && *checkpoint.cleaned_to <= log_end_) {
    cleaned_to_ = checkpoint.cleaned_to;
  }
  failure_ = host_->port->failure();
  host_->port->add(*this);
  host_->logs.push_back(this);
  host_->closed.erase(name_);
  host_->opened.insert(name_);
}

PartitionLog::~PartitionLog() {
  finish();
  link_->log = nullptr;
  self_->log = nullptr;
  host_->port->remove(*this);
  std::erase(host_->logs, this);
  if (!disowned_) host_->closed.insert_or_assign(name_, offsets());
  host_->offsets_changed = true;
}

void PartitionLog::adopt(LoadedLog loaded) {
  segments_.clear();
  unsynced_.clear();
  background_syncs_.clear();
  for (const LoadedSegment& segment : loaded.segments) {
    segments_.push_back(std::make_unique<Segment>(folder_, segment));
    segments_.back()->note_settled(host_->port->loop().now());
  }
  if (!segments_.empty()) {
    segments_.back()->open_tail({.bytes_since_entry = loaded.bytes_since_index_entry,
                                 .largest = loaded.largest_timestamp,
                                 .last_indexed_timestamp_ms = loaded.last_indexed_timestamp_ms});
    segments_.back()->tail()->adopt(std::move(loaded.offset_entries),
                                    std::move(loaded.time_entries));
    written_segment_ = segments_.back()->base_offset();
    written_bytes_ = segments_.back()->size_bytes();
  }
  epochs_ = std::move(loaded.epochs);
  epochs_unsaved_ = loaded.epochs_changed;
  saved_epoch_ = std::nullopt;
  producers_ = nullptr;
  if (!loaded.producers.empty()) {
    producers_ = std::make_unique<ProducerState>(std::move(loaded.producers));
  }
  if (loaded.lost) note_damage(*loaded.lost);
  log_start_ = stated_start_ = loaded.log_start;
  files_begin_ = segments_.empty() ? log_start_ : segments_.front()->base_offset();
  log_end_ = written_end_ = durable_end_ = loaded.log_end;
  opened_end_ = log_end_;
  snapshot_offset_ = loaded.snapshot_offset.value_or(Offset{-1});
  first_timestamp_ms_ = loaded.first_timestamp_ms;
  segment_created_ms_ = host_->environment.clock().wall_ms();
  dirty_ = loaded.changed || loaded.epochs_changed || loaded.index_incomplete ||
           (producers_ != nullptr && snapshot_offset_ != log_end_);
}

std::optional<Offset> PartitionLog::first_unstable_offset() const {
  const auto first = producers_ ? producers_->first_unstable_offset() : std::nullopt;
  if (!first) return std::nullopt;
  // What an open transaction wrote may have been deleted since.
  return std::max(*first, log_start_);
}

bool PartitionLog::has_open_transaction(ProducerId producer_id, std::int16_t epoch) const {
  const ProducerEntry* const entry = producers_ ? producers_->find(producer_id) : nullptr;
  return entry != nullptr && entry->in_transaction() && entry->epoch == epoch;
}

std::vector<ProducerEntry> PartitionLog::producers() const {
  return producers_ ? producers_->entries() : std::vector<ProducerEntry>{};
}

std::int64_t PartitionLog::size_bytes() const {
  std::int64_t size = 0;
  for (const auto& segment : segments_) size += segment->size_bytes();
  return size;
}

LogOffsets PartitionLog::offsets() const {
  return {.name = name_,
          .recovery_point = recovery_point_,
          .log_end = log_end_,
          .high_watermark = std::max(stated_start_, visible_end()),
          .log_start = stated_start_,
          .starts_inside_segment =
              stated_start_ > Offset{0} && (segments_.empty() || files_begin_ < stated_start_),
          .cleaned_to = cleaned_to_};
}

EpochEnd PartitionLog::end_of_epoch(LeaderEpoch epoch) const {
  const EpochStart end = epochs_.end_of(epoch, log_end_);
  return {end.epoch, end.start};
}

Offset PartitionLog::visible_end() const {
  return high_watermark_.value_or(synced() ? durable_end_ : written_end_);
}

void PartitionLog::set_high_watermark(Offset high_watermark) {
  if (high_watermark_ != high_watermark) host_->offsets_changed = true;
  high_watermark_ = high_watermark;
  release_decided();
}

void PartitionLog::configure(std::shared_ptr<const config::TopicConfig> config) {
  const bool was_synced = synced();
  config_ = std::move(config);
  // Records that only the page cache has would never become readable otherwise.
  if (synced() && !was_synced && durable_end_ < log_end_ && !failure_) mark_progress();
}

void PartitionLog::expire_producers(std::int64_t now_ms) {
  if (!producers_) return;
  producers_->expire(now_ms, host_->producer_id_expiration_ms);
  if (producers_->empty() && !producers_->first_unstable_offset()) producers_ = nullptr;
}

Result<> PartitionLog::check_writable() const {
  if (failure_) return fail(*failure_);
  return host_->port->check(true);
}

Result<> PartitionLog::check_size(std::size_t size_bytes) const {
  if (static_cast<std::int64_t>(size_bytes) > config_->segment_bytes) {
    return fail(ErrorCode::record_list_too_large,
                fmt::format("The batch has {} bytes, a segment of {} at most {}", size_bytes,
                            name_.to_string(), config_->segment_bytes));
  }
  return {};
}

Result<Appended> PartitionLog::append(Slice batch, const record::ValidatedBatch& facts,
                                      const AppendOptions& options) {
  if (failure_) return fail(*failure_);
  ARUS_TRY(host_->port->check(options.from_coordinator));
  ARUS_TRY(check_size(facts.size_bytes));
  const Slice bytes = batch.sub(0, facts.size_bytes);
  auto view = record::BatchView::parse(bytes.view());
  if (!view || view->is_legacy()) {
    return fail(ErrorCode::invalid_record, "Only batches of format 2 are appended");
  }
  const auto delta = view->last_offset_delta();
  BatchHeader header = header_of(*view);
  header.base_offset = log_end_;
  header.last_offset = log_end_ + delta;
  header.leader_epoch = options.leader_epoch;
  header.max_timestamp_ms = facts.max_timestamp_ms;
  const auto producer = to_producer_append(header, [&] { return Result<ByteView>(bytes.view()); });
  if (!producer) return fail(producer.error());
  const bool log_append_time = facts.timestamp_type == record::TimestampType::log_append_time;
  if (*producer) {
    static const ProducerState nobody;
    const auto duplicate = (producers_ ? *producers_ : nobody)
                               .check(**producer,
                                      options.from_coordinator ? ProducerState::Origin::coordinator
                                                               : ProducerState::Origin::client,
                                      options.transaction_version);
    if (!duplicate) return fail(duplicate.error());
    if (*duplicate) {
      return Appended{.base_offset = (*duplicate)->base_offset(),
                      .last_offset = (*duplicate)->last_offset,
                      .log_append_time_ms = -1,
                      .duplicate = true};
    }
  }
  record::set_base_offset(bytes.mutable_view(), header.base_offset);
  record::set_leader_epoch(bytes.mutable_view(), header.leader_epoch);
  record::set_max_timestamp(bytes.mutable_view(), facts.timestamp_type, facts.max_timestamp_ms);
  header.attributes = view->attributes();
  place(bytes, header, *producer, options.now_ms);
  return Appended{.base_offset = header.base_offset,
                  .last_offset = header.last_offset,
                  .log_append_time_ms = log_append_time ? facts.max_timestamp_ms : -1,
                  .duplicate = false};
}

Result<> PartitionLog::append_replicated(Slice batches) {
  ARUS_TRY(check_writable());
  record::BatchReader reader(batches.view());
  std::size_t at = 0;
  const std::int64_t now_ms = host_->environment.clock().wall_ms();
  while (const auto batch = reader.next()) {
    if (!batch->crc_matches()) {
      return fail(ErrorCode::corrupt_message, "The checksum of a replicated batch does not match");
    }
    const BatchHeader header = header_of(*batch);
    if (header.base_offset < log_end_ || header.last_offset < header.base_offset) {
      return fail(ErrorCode::offset_out_of_range,
                  fmt::format("A replicated batch begins at {}, the log of {} ends at {}",
                              header.base_offset.value(), name_.to_string(), log_end_.value()));
    }
    const auto producer =
        to_producer_append(header, [&] { return Result<ByteView>(batch->bytes()); });
    if (!producer) return fail(producer.error());
    place(batches.sub(at, batch->size_bytes()), header, *producer, now_ms);
    at = reader.position();
  }
  return reader.status();
}

Result<> PartitionLog::begin_epoch(LeaderEpoch epoch) {
  if (failure_) return fail(*failure_);
  // Kept in memory until a record of the epoch is written: an epoch without any is dropped by a
  // restart, which begins another one.
  if (epoch > epochs_.latest()) epochs_.append(epoch, log_end_);
  return {};
}

void PartitionLog::place(Slice bytes, const BatchHeader& header,
                         const std::optional<ProducerAppend>& producer, std::int64_t now_ms) {
  if (segments_.empty()) {
    open_segment(log_end_);
  } else if (must_roll(header, now_ms)) {
    roll();
  }
  Segment& segment = *segments_.back();
  SegmentTail& tail = *segment.tail();
  WritePort& port = *host_->port;
  const std::int64_t position = segment.size_bytes();
  if (position == 0) {
    first_timestamp_ms_ = header.max_timestamp_ms;
    segment_created_ms_ = now_ms;
  }
  port.write(tail.log, position, std::move(bytes), uses_commit_log());
  segment.grow(header.size_bytes);
  tail.add(header.last_offset, position, header.size_bytes, header.max_timestamp_ms,
           config_->index_interval_bytes);
  if (header.leader_epoch.value() >= 0 && header.leader_epoch >= epochs_.latest()) {
    if (epochs_.append(header.leader_epoch, header.base_offset) ||
        epochs_.entries().back().start == header.base_offset) {
      epochs_unsaved_ = true;
    }
  }
  if (producer) {
    if (!producers_) producers_ = std::make_unique<ProducerState>();
    const auto completed = producers_->apply(*producer);
    if (completed && completed->aborted) segment.append_aborted(port, *completed);
  }
  log_end_ = header.last_offset + 1;
  tail.hand_over(port, log_end_, false);
  dirty_ = true;
  mark_progress();
}

void PartitionLog::mark_progress() {
  Segment& segment = *segments_.back();
  WritePort& port = *host_->port;
  if (synced()) {
    for (const auto& file : unsynced_) port.need_flush(file);
    unsynced_.clear();
  }
  port.mark(*this, {log_end_, segment.base_offset(), segment.size_bytes()}, synced(),
            segment.tail()->log);
}

bool PartitionLog::must_roll(const BatchHeader& header, std::int64_t now_ms) const {
  const Segment& segment = *segments_.back();
  if (segment.size_bytes() == 0) return false;
  const std::int64_t grown = segment.size_bytes() + header.size_bytes;
  if (grown > config_->segment_bytes || grown > largest_file_bytes) return true;
  if (header.last_offset - segment.base_offset() > std::numeric_limits<std::int32_t>::max()) {
    return true;
  }
  const SegmentTail& tail = *segment.tail();
  const auto full = [this](std::int32_t entries, std::size_t entry_bytes, std::int32_t spare) {
    return entries >= config_->segment_index_bytes / static_cast<std::int32_t>(entry_bytes) - spare;
  };
  if (full(tail.offset_entries(), offset_index_format::entry_bytes, 0) ||
      full(tail.time_entries(), time_index_format::entry_bytes, 1)) {
    return true;
  }
  const std::int64_t age_ms = first_timestamp_ms_ >= 0 && header.max_timestamp_ms >= 0
                                  ? header.max_timestamp_ms - first_timestamp_ms_
                                  : now_ms - segment_created_ms_;
  // What is in the newest segment is never compacted.
  const std::int64_t longest_ms =
      config_->cleanup_compact ? std::min(config_->segment_ms, config_->max_compaction_lag_ms)
                               : config_->segment_ms;
  return age_ms > longest_ms - roll_jitter_ms_;
}

void PartitionLog::open_segment(Offset base) {
  segments_.push_back(std::make_unique<Segment>(folder_, LoadedSegment{.base_offset = base}));
  segments_.back()->open_tail({});
  roll_jitter_ms_ = 0;
  const std::int64_t jitter = std::min(config_->segment_jitter_ms, config_->segment_ms);
  if (jitter > 0) {
    roll_jitter_ms_ = static_cast<std::int64_t>(
        host_->environment.random().below(static_cast<std::uint64_t>(jitter)));
  }
}

// Closes the newest segment and begins another one at the log end. The full one is brought to
// stable storage with its indexes and the producer snapshot; then the recovery point follows.
void PartitionLog::roll() {
  WritePort& port = *host_->port;
  Segment& full = *segments_.back();
  SegmentTail& tail = *full.tail();
  tail.finish(port, log_end_);
  save_snapshot();
  save_epochs();
  std::vector<std::shared_ptr<WriterFile>> files{tail.log, tail.offset_index, tail.time_index};
  if (full.has_transaction_index() && tail.transaction_index) {
    files.push_back(tail.transaction_index);
  }
  std::vector<std::string> paths;
  for (const auto& file : files) paths.push_back(file->path());
  paths.push_back(join_path(folder_->path, segment_file_name(log_end_, suffix::producer_snapshot)));
  if (!epochs_.entries().empty()) {
    paths.push_back(join_path(folder_->path, leader_epoch_checkpoint_name));
  }
  if (!synced()) unsynced_.push_back(tail.log);
  // The index files need no descriptor any more; the log keeps its own until it is flushed.
  files.erase(files.begin());
  port.act([files = std::move(files), paths = std::move(paths), folder = folder_,
            &loop = port.loop(), link = link_, base = log_end_, log = tail.log,
            port = host_->port](DirectoryWriter* writer) mutable {
    for (const auto& file : files) writer->close(*file);
    writer->sync_in_background(std::move(paths), folder, loop, [link, base, log, port] {
      // A descriptor that stays open would keep the space of a file that is removed.
      port->act([log](DirectoryWriter* closing) {
        closing->release(*log);
        return Result<>{};
      });
      if (link->log != nullptr) link->log->note_segment_synced(base);
    });
    return Result<>{};
  });
  background_syncs_.push_back({.end = log_end_});
  full.close_tail();
  full.note_settled(port.loop().now());
  open_segment(log_end_);
}

// Segments may be flushed by several threads at once; the recovery point follows in their order.
void PartitionLog::note_segment_synced(Offset end) {
  const auto synced_one = std::ranges::find(background_syncs_, end, &BackgroundSync::end);
  if (synced_one == background_syncs_.end()) return;
  synced_one->done = true;
  while (!background_syncs_.empty() && background_syncs_.front().done) {
    const Offset through = background_syncs_.front().end;
    background_syncs_.pop_front();
    note_background_sync(through);
  }
}

void PartitionLog::note_background_sync(Offset base) {
  recovery_point_ = std::max(recovery_point_, std::min(base, log_end_));
  std::erase_if(unsynced_, [base](const auto& file) { return file->base_offset() < base; });
  host_->offsets_changed = true;
  background_synced_.notify_all();
}

// Only where everything before the segment is on stable storage, with its indexes; and never up to
// the segment's end, where a recovery would believe its indexes too.
void PartitionLog::note_flushed(Offset segment, Offset end) {
  const Offset point = std::min(end, log_end_) - 1;
  if (cutting_ || recovery_point_ < segment || point <= recovery_point_) return;
  recovery_point_ = point;
  host_->offsets_changed = true;
}

std::optional<ClosingFiles::Whole> PartitionLog::take_snapshot() {
  if (snapshot_offset_ == log_end_) return std::nullopt;
  snapshot_offset_ = log_end_;
  const auto entries = producers_ ? producers_->entries() : std::vector<ProducerEntry>{};
  return ClosingFiles::Whole{
      join_path(folder_->path, segment_file_name(log_end_, suffix::producer_snapshot)),
      encode_producer_snapshot(entries)};
}

std::optional<ClosingFiles::Whole> PartitionLog::take_epochs() {
  if (!std::exchange(epochs_unsaved_, false)) return std::nullopt;
  const auto saved = std::exchange(saved_epoch_, std::nullopt);
  if (saved && std::ranges::equal(epochs_.entries(), std::array{EpochStart{*saved, Offset{0}}})) {
    saved_epoch_ = saved;
    return std::nullopt;
  }
  const std::string text = encode_leader_epoch_checkpoint(epochs_.entries());
  const ByteView bytes = as_bytes(text);
  return ClosingFiles::Whole{join_path(folder_->path, leader_epoch_checkpoint_name),
                             Bytes(bytes.begin(), bytes.end())};
}

void PartitionLog::save(std::optional<ClosingFiles::Whole> file) {
  if (!file) return;
  host_->port->act([file = std::move(*file)](DirectoryWriter* writer) {
    return replace_unsynced(writer->files(), file.path, file.bytes);
  });
}

void PartitionLog::save_snapshot() { save(take_snapshot()); }

void PartitionLog::save_epochs() { save(take_epochs()); }

void PartitionLog::finish() {
  if (failure_ || !dirty_) return;
  dirty_ = false;
  ClosingFiles left;
  std::vector<std::shared_ptr<WriterFile>> open;
  if (!segments_.empty()) {
    SegmentTail& tail = *segments_.back()->tail();
    tail.leave(left);
    open = {tail.log, tail.offset_index, tail.time_index};
    if (tail.transaction_index != nullptr) open.push_back(tail.transaction_index);
  }
  // Where there is none, a clean stop says that there were no producers (Kafka's rule too).
  if (log_end_ > Offset{0} && (producers_ != nullptr || snapshot_offset_ >= Offset{0})) {
    if (auto snapshot = take_snapshot()) left.replaced.push_back(std::move(*snapshot));
  }
  if (auto epochs = take_epochs()) left.replaced.push_back(std::move(*epochs));
  host_->port->act(
      [left = std::move(left), open = std::move(open)](DirectoryWriter* writer) mutable {
        for (const auto& file : open) writer->close(*file);
        return writer->leave(left);
      });
}

void PartitionLog::disown() {
  disowned_ = true;
  dirty_ = false;
  if (segments_.empty()) return;
  const SegmentTail& tail = *segments_.back()->tail();
  host_->port->act([log = tail.log, offsets = tail.offset_index, times = tail.time_index,
                    transactions = tail.transaction_index](DirectoryWriter* writer) {
    for (const auto& file : {log, offsets, times, transactions}) {
      if (file != nullptr) writer->release(*file);
    }
    return Result<>{};
  });
}

void PartitionLog::advance_written(const WriteMark& mark) {
  written_end_ = std::max(written_end_, mark.end);
  if (mark.segment_base > written_segment_) {
    written_segment_ = mark.segment_base;
    written_bytes_ = mark.segment_bytes;
  } else if (mark.segment_base == written_segment_) {
    written_bytes_ = std::max(written_bytes_, mark.segment_bytes);
  }
  if (!segments_.empty()) segments_.back()->tail()->on_written(written_end_);
}

void PartitionLog::on_written(const WriteMark& mark) {
  advance_written(mark);
  release_decided();
  host_->offsets_changed = true;
  if (observer_ != nullptr) observer_->on_progress();
}

void PartitionLog::on_durable(const WriteMark& mark) {
  advance_written(mark);
  durable_end_ = std::max(durable_end_, mark.end);
  release_decided();
  host_->offsets_changed = true;
  if (observer_ != nullptr) observer_->on_progress();
}

void PartitionLog::on_writer_failure(const Error& error) {
  failure_ = error;
  background_synced_.notify_all();
  if (observer_ != nullptr) observer_->on_failure(error);
}

void PartitionLog::release_decided() {
  if (!producers_) return;
  producers_->release_below(visible_end());
}

env::Task<Result<>> PartitionLog::flush() {
  if (failure_) co_return fail(*failure_);
  if (durable_end_ == log_end_ || segments_.empty()) co_return Result<>{};
  Segment& segment = *segments_.back();
  WritePort& port = *host_->port;
  for (const auto& file : std::exchange(unsynced_, {})) port.need_flush(file);
  port.mark(*this, {log_end_, segment.base_offset(), segment.size_bytes()}, true,
            segment.tail()->log);
  co_return co_await port.drain();
}

}  // namespace arus::storage
