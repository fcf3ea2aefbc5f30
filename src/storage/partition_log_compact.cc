// Keeping the newest record of each key: docs/internals/compaction.md.
#include <algorithm>
#include <cerrno>

#include "env/os_error.h"
#include "storage/log_search.h"
#include "storage/partition_log.h"
#include "storage/segment_swap.h"

namespace arus::storage {

Offset PartitionLog::dirty_from() const {
  return std::max(cleaned_to_.value_or(log_start_), log_start_);
}

// How many of the oldest segments a round may go through.
std::size_t PartitionLog::count_cleanable(std::int64_t now_ms, Offset recovery_point) const {
  const Offset end =
      std::min({visible_end(), recovery_point, first_unstable_offset().value_or(log_end_)});
  const Offset dirty = dirty_from();
  std::size_t count = 0;
  while (count + 1 < segments_.size()) {
    const Offset limit = segments_[count + 1]->base_offset();
    if (limit > end) break;
    if (limit > dirty && config_->min_compaction_lag_ms > 0) {
      const auto newest_ms = segments_[count]->newest_ms();
      if (!newest_ms || now_ms - *newest_ms < config_->min_compaction_lag_ms) break;
    }
    ++count;
  }
  return count;
}

// Of the oldest batch that no round has seen; −1 where it has none.
env::Task<Result<std::int64_t>> PartitionLog::first_dirty_timestamp(std::size_t cleanable) {
  const Offset dirty = dirty_from();
  for (std::size_t i = 0; i < cleanable; ++i) {
    if (segments_[i + 1]->base_offset() <= dirty) continue;
    const auto hold = co_await file_latch_.share();
    Segment* const segment = find_segment(dirty);
    if (segment == nullptr) break;
    SegmentView facts = view(*segment);
    env::FileSystem& files = host_->environment.files();
    co_return co_await env::run_on(
        host_->pool,
        [&files, &facts]() -> Result<std::int64_t> {
          const auto file = facts.open_log(files, env::ReadMode::may_block);
          if (!file) return fail(file.error());
          BatchScanner scanner(**file, 0, facts.readable_bytes, env::ReadMode::may_block,
                               record::format::header_bytes);
          const auto batch = scanner.next();
          return batch ? batch->max_timestamp_ms : record::no_timestamp;
        },
        env::Priority::background);
  }
  co_return record::no_timestamp;
}

env::Task<Result<CompactionNeed>> PartitionLog::find_compaction_need(std::int64_t now_ms) {
  CompactionNeed need;
  if (!config_->cleanup_compact || segments_.size() < 2) co_return need;
  if (failure_) co_return fail(*failure_);
  if (config_->min_compaction_lag_ms > 0) {
    ARUS_CO_TRY(co_await learn_ages(now_ms, dirty_from(), config_->min_compaction_lag_ms));
  }
  const std::size_t cleanable = count_cleanable(now_ms, recovery_point_);
  const Offset dirty = dirty_from();
  for (std::size_t i = 0; i < cleanable; ++i) {
    const bool is_dirty = segments_[i + 1]->base_offset() > dirty;
    (is_dirty ? need.cleanable_bytes : need.clean_bytes) += segments_[i]->size_bytes();
  }
  if (need.cleanable_bytes == 0) co_return need;
  need.due = need.dirty_ratio() > config_->min_cleanable_dirty_ratio;
  if (!need.due && config_->max_compaction_lag_ms < now_ms) {
    const auto first_ms = co_await first_dirty_timestamp(cleanable);
    if (!first_ms) co_return fail(first_ms.error());
    need.due = *first_ms > 0 && *first_ms < now_ms - config_->max_compaction_lag_ms;
  }
  co_return need;
}

CleaningPlan PartitionLog::plan_cleaning(const CompactionRequest& request,
                                         Offset recovery_point) const {
  CleaningPlan plan{
      .folder = folder_->path,
      .dirty_from = dirty_from(),
      .rules = {.now_ms = request.now_ms, .delete_retention_ms = config_->delete_retention_ms},
      .segment_bytes = config_->segment_bytes,
      .segment_index_bytes = config_->segment_index_bytes,
      .index_interval_bytes = config_->index_interval_bytes,
      .map_load_factor = request.map_load_factor,
      .secret = host_->key_secret};
  const std::size_t cleanable = count_cleanable(request.now_ms, recovery_point);
  for (std::size_t i = 0; i < cleanable; ++i) {
    plan.segments.push_back({.base = segments_[i]->base_offset(),
                             .limit = segments_[i + 1]->base_offset(),
                             .size_bytes = segments_[i]->size_bytes(),
                             .index_bytes = segments_[i]->index_bytes()});
  }
  for (const auto& segment : segments_) {
    if (segment->has_transaction_index()) {
      plan.transaction_indexes.push_back(segment->base_offset());
    }
  }
  for (const ProducerEntry& entry : producers()) {
    LastOfProducer last{.epoch = entry.epoch};
    if (entry.last_batch() != nullptr) last.last_data_offset = entry.last_batch()->last_offset;
    plan.rules.producers.emplace(entry.producer_id, last);
  }
  if (cleanable == 0) return plan;
  // No more keys than dirty offsets.
  const auto dirty = static_cast<double>(plan.segments.back().limit - plan.dirty_from);
  const double needed = dirty / std::max(plan.map_load_factor, 0.01) + 2;
  plan.map_slots = request.map_bytes / OffsetMap::slot_bytes;
  if (needed < static_cast<double>(plan.map_slots)) {
    plan.map_slots = static_cast<std::size_t>(needed);
  }
  return plan;
}

bool PartitionLog::holds_segments(std::span<const Offset> bases) const {
  const auto first = std::ranges::lower_bound(segments_, bases.front(), {}, &Segment::base_offset);
  if (static_cast<std::size_t>(segments_.end() - first) <= bases.size()) return false;
  return std::ranges::equal(bases, std::span(first, bases.size()), {}, {}, &Segment::base_offset);
}

// Puts the new segment in place of the old ones; false where those are gone.
env::Task<Result<bool>> PartitionLog::exchange(const CleanedGroup& group,
                                               const std::shared_ptr<Link>& link) {
  const auto changing = co_await change_latch_.hold_alone();
  if (failure_) co_return fail(*failure_);
  if (link != link_ || !holds_segments(group.replaced)) co_return false;
  // The commit log may still have what was written to the old files: at the places that it names
  // there will be other batches.
  const auto last =
      std::ranges::lower_bound(segments_, group.replaced.back(), {}, &Segment::base_offset);
  host_->port->act([folder = folder_, below = (*(last + 1))->base_offset()](
                       DirectoryWriter* writer) { return writer->settle(*folder, below); });
  ARUS_CO_TRY(co_await host_->port->drain());
  env::FileSystem& files = host_->environment.files();
  const Offset base = group.segment.base_offset;
  bool committed = false;
  const auto staged = co_await env::run_on(
      host_->pool, [&] { return stage_swap(files, folder_->path, base, committed); },
      env::Priority::background);
  if (!staged) {
    // The next start would finish what this process goes on without.
    if (committed) take_offline(staged.error());
    co_return fail(staged.error());
  }
  {
    // Who has opened files by their names of before is done with them. Who comes later knows the
    // new segment and finds it under either name: nobody waits while names are flushed.
    const auto alone = co_await file_latch_.hold_alone();
    if (failure_) co_return fail(*failure_);
    install(group);
  }
  auto aside = co_await name_exchanged(
      std::make_shared<const StagedSwap>(folder_->path, base, group.replaced));
  if (!aside) co_return fail(std::move(aside).error());
  if (Segment* const made = segment_at(base)) made->note_staged(false);
  if (const auto directory = host_->directory.lock()) {
    directory->remove_later(std::move(*aside), env::milliseconds{config_->file_delete_delay_ms});
  }
  co_return true;
}

// Gives what the exchanged files are called now, to be removed.
env::Task<Result<std::vector<std::string>>> PartitionLog::name_exchanged(
    std::shared_ptr<const StagedSwap> swap) {
  const auto replaced = std::make_shared<std::vector<std::string>>();
  ARUS_CO_TRY(co_await change_names([swap, replaced](env::FileSystem& files) -> Result<> {
    auto aside = set_aside_replaced(files, *swap);
    if (!aside) return fail(std::move(aside).error());
    *replaced = std::move(*aside);
    return {};
  }));
  ARUS_CO_TRY(co_await change_names(
      [swap](env::FileSystem& files) { return name_swapped_log(files, *swap); }));
  ARUS_CO_TRY(co_await change_names(
      [swap](env::FileSystem& files) { return name_swapped_indexes(files, *swap); }));
  co_return std::move(*replaced);
}

// One step of an exchange, durable when it completes. Appends go on while the disk is busy with it.
env::Task<Result<>> PartitionLog::change_names(
    std::move_only_function<Result<>(env::FileSystem&)> rename) {
  host_->port->act([rename = std::move(rename)](DirectoryWriter* writer) mutable {
    return rename(writer->files());
  });
  ARUS_CO_TRY(co_await host_->port->drain());
  auto flushed = co_await env::run_on(
      host_->pool,
      [&files = host_->environment.files(), folder = folder_->path] {
        return files.sync_directory(folder);
      },
      env::Priority::background);
  if (!flushed) take_offline(flushed.error());
  co_return flushed;
}

void PartitionLog::take_offline(const Error& error) { host_->writer->fail_offline(error); }

void PartitionLog::install(const CleanedGroup& group) {
  const auto first =
      std::ranges::lower_bound(segments_, group.segment.base_offset, {}, &Segment::base_offset);
  const auto last = first + static_cast<std::ptrdiff_t>(group.replaced.size());
  auto made = std::make_unique<Segment>(folder_, group.segment);
  made->note_largest_timestamp(group.largest_timestamp);
  made->note_settled((*(last - 1))->settled_at());
  made->note_staged(true);
  *first = std::move(made);
  segments_.erase(first + 1, last);
}

// One round: what it was asked for, its pace, and what it has done.
class PartitionLog::CompactionRound {
 public:
  CompactionRound(PartitionLog& log, CompactionRequest request, CleaningPlan plan)
      : log_(log),
        link_(log.link_),
        request_(std::move(request)),
        files_(log.host_->environment.files()),
        cleaning_(files_, std::move(plan)),
        free_at_(log.host_->port->loop().refresh_now()) {}

  // False where it was stopped.
  env::Task<Result<bool>> run();
  [[nodiscard]] Offset cleaned_to() const { return cleaning_.mapped_end(); }
  CompactionOutcome outcome;

 private:
  template <class Piece>
  auto on_pool(Piece piece) {
    return env::run_on(log_.host_->pool, std::move(piece), env::Priority::background);
  }
  [[nodiscard]] bool stopped() const {
    return log_.failure_ || link_ != log_.link_ || (request_.stopped && request_.stopped());
  }
  env::Task<bool> go_on(std::int64_t moved_bytes);
  env::Task<Result<bool>> map();
  env::Task<Result<bool>> write_group();
  env::Task<Result<bool>> clean_group();
  // A disk that does not take what nobody relies on yet does not take anything else either: said
  // before anything else is done.
  void note_failure(const Error& error) {
    if (cleaning_.failed_to_write() && env::is_device_failure(error)) log_.take_offline(error);
  }

  PartitionLog& log_;
  const std::shared_ptr<Link> link_;
  const CompactionRequest request_;
  env::FileSystem& files_;
  LogCleaning cleaning_;
  env::TimePoint free_at_;  // when the bytes so far have had their time
};

env::Task<bool> PartitionLog::CompactionRound::go_on(std::int64_t moved_bytes) {
  constexpr env::Duration longest_nap = env::milliseconds{200};
  outcome.moved_bytes += moved_bytes;
  env::Loop& loop = log_.host_->port->loop();
  free_at_ = std::max(free_at_, loop.refresh_now());
  if (request_.bytes_per_second > 0) {
    const double seconds = static_cast<double>(moved_bytes) / request_.bytes_per_second;
    free_at_ += env::Duration{static_cast<std::int64_t>(std::min(seconds, 3600.0) * 1e9)};
  }
  for (auto now = loop.refresh_now(); now < free_at_ && !stopped(); now = loop.refresh_now()) {
    co_await env::sleep_for(std::min<env::Duration>(free_at_ - now, longest_nap));
  }
  co_return !stopped();
}

env::Task<Result<bool>> PartitionLog::CompactionRound::map() {
  ARUS_CO_TRY(co_await on_pool([this] { return cleaning_.begin(); }));
  while (!cleaning_.mapped()) {
    const auto moved = co_await on_pool([this] { return cleaning_.map_some(); });
    if (!moved) co_return fail(moved.error());
    if (!co_await go_on(*moved)) co_return false;
  }
  co_return true;
}

env::Task<Result<bool>> PartitionLog::CompactionRound::write_group() {
  while (!cleaning_.group_ended()) {
    const auto moved = co_await on_pool([this] { return cleaning_.clean_some(); });
    if (!moved) co_return fail(moved.error());
    if (!co_await go_on(*moved)) co_return false;
  }
  const CleanedGroup& group = cleaning_.group();
  if (!group.changed) co_return true;
  std::int64_t before = 0;
  for (const Offset base : group.replaced) {
    if (const Segment* const old = log_.segment_at(base)) before += old->size_bytes();
  }
  const auto exchanged = co_await log_.exchange(group, link_);
  if (!exchanged || !*exchanged) co_return exchanged;
  outcome.replaced_segments += group.replaced.size();
  outcome.freed_bytes += before - group.segment.size_bytes;
  co_return true;
}

// What is left of a group that was not exchanged goes at once, else at the next start.
env::Task<Result<bool>> PartitionLog::CompactionRound::clean_group() {
  const auto written = co_await write_group();
  if (!written) note_failure(written.error());
  const CleanedGroup& group = cleaning_.group();
  if (written && *written && group.changed) co_return true;
  co_await on_pool([this, &group] {
    return discard_cleaned(files_, log_.folder_->path, group.segment.base_offset);
  });
  co_return written;
}

env::Task<Result<bool>> PartitionLog::CompactionRound::run() {
  const auto mapped = co_await map();
  if (!mapped || !*mapped) co_return mapped;
  for (;;) {
    const auto begun = co_await on_pool([this] { return cleaning_.begin_group(); });
    if (!begun) {
      note_failure(begun.error());
      co_return begun;
    }
    if (!*begun) co_return true;
    const auto cleaned = co_await clean_group();
    if (!cleaned || !*cleaned) co_return cleaned;
  }
}

env::Task<Result<CompactionOutcome>> PartitionLog::compact(CompactionRequest request) {
  ARUS_ASSERT(!compacting_);
  compacting_ = true;
  auto outcome = co_await run_compaction(std::move(request));
  compacting_ = false;
  if (!outcome && failure_) co_return fail(*failure_);
  co_return outcome;
}

env::Task<Result<CompactionOutcome>> PartitionLog::run_compaction(CompactionRequest request) {
  if (failure_) co_return fail(*failure_);
  const std::shared_ptr<Link> link = link_;
  const Offset recovery_point = recovery_point_;
  if (const auto directory = host_->directory.lock()) {
    ARUS_CO_TRY(co_await directory->checkpoint_now());
  }
  if (failure_) co_return fail(*failure_);
  if (link != link_) co_return CompactionOutcome{};
  CleaningPlan plan = plan_cleaning(request, recovery_point);
  if (plan.segments.empty() || plan.segments.back().limit <= plan.dirty_from) {
    co_return CompactionOutcome{.finished = true};
  }
  const std::size_t removed = removed_.count;
  CompactionRound round(*this, std::move(request), std::move(plan));
  const auto finished = co_await round.run();
  if (!finished) {
    // Retention or DeleteRecords took what was being read.
    const bool gone = removed != removed_.count && finished.error().os_error == ENOENT;
    if (!gone) co_return fail(finished.error());
    co_return round.outcome;
  }
  if (*finished) {
    cleaned_to_ = round.cleaned_to();
    host_->offsets_changed = true;
    round.outcome.finished = true;
  }
  co_return round.outcome;
}

}  // namespace arus::storage
