#include "coordinator/runtime/shard.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "coordinator/runtime/batches.h"
#include "coordinator/runtime/coordinator_error.h"
#include "record/batch.h"

namespace arus::coordinator {
namespace {

const LogComponent shard_log{"coordinator.shard"};
// Clients notice a load that takes longer.
constexpr env::Duration worth_telling = env::milliseconds(100);

Error loading_again() {
  return {ErrorCode::not_coordinator, "The coordinator is being loaded again", 0};
}

}  // namespace

Shard::Shard(ShardSurroundings& surroundings, std::shared_ptr<replication::Partition> partition,
             LeaderEpoch leader_epoch)
    : surroundings_(surroundings), partition_(std::move(partition)), leader_epoch_(leader_epoch) {}

Shard::~Shard() { ARUS_ASSERT(state_ == State::closed); }

void Shard::close(const Error& why) {
  const auto self = shared_from_this();
  drop(why, State::closed);
  surroundings_.load_ended.notify_all();
}

env::Task<void> Shard::settled(std::shared_ptr<Shard> shard, env::TimePoint deadline) {
  while (shard->state_ == State::loading) {
    if (!co_await shard->changed_.wait_until(deadline)) co_return;
  }
}

// Loading.

void Shard::start() { env::spawn(gate_, load(shared_from_this())); }

env::Task<void> Shard::load(std::shared_ptr<Shard> shard) {
  ShardSurroundings& surroundings = shard->surroundings_;
  // Whoever has dropped a machine is done with it before the next one is there.
  co_await env::yield();
  while (shard->state_ == State::loading &&
         surroundings.loading >= ShardSurroundings::loads_at_once) {
    co_await surroundings.load_ended.wait();
  }
  if (shard->state_ != State::loading) co_return;
  ++surroundings.loading;
  auto outcome = co_await shard->replay_log();
  --surroundings.loading;
  surroundings.load_ended.notify_all();
  if (shard->state_ != State::loading) co_return;
  if (outcome) {
    shard->activate();
    co_return;
  }
  shard_log.error("{} cannot be loaded: {}", shard->partition_->name().to_string(),
                  outcome.error().message);
  shard->drop(coordinator_error(outcome.error()), State::failed);
  // An offline directory stays offline; anything else may pass.
  if (outcome.error().code != ErrorCode::kafka_storage_error) shard->retry_later();
}

void Shard::retry_later() {
  surroundings_.loop.arm(clock_, surroundings_.loop.refresh_now() + retry_pause_);
  retry_pause_ = std::min(retry_pause_ * 2, longest_retry_pause);
}

env::Task<Result<>> Shard::replay_log() {
  ARUS_CO_TRY(co_await partition_->opened());
  ARUS_CO_TRY(still_mine());
  const replication::Partition::Use use(*partition_);
  const auto began = surroundings_.loop.refresh_now();
  const std::string name = partition_->name().to_string();
  storage::Log& log = partition_->log();
  machine_ = surroundings_.parts.make_machine(partition(), surroundings_.loop.now());
  if (!machine_) co_return fail(ErrorCode::not_coordinator, "This coordinator does not exist");
  Offset at = log.log_start();
  std::size_t records = 0;
  std::size_t skipped = 0;
  for (Offset end = log.log_end(); at < end; end = log.log_end()) {
    // What is not durable yet could be taken back by a crash after a client has seen it.
    ARUS_CO_TRY(co_await visible_to(end));
    const auto piece = co_await log.read(at, {.end = end, .max_bytes = load_piece_bytes});
    if (!piece) co_return std::unexpected(piece.error());
    ARUS_CO_TRY(still_mine());
    if (piece->records.empty()) break;  // compaction has left nothing more
    for (const Slice& batches : piece->records) {
      auto replayed = replay_batches(batches.view(), at, *machine_, surroundings_.scratch, name);
      if (!replayed) co_return std::unexpected(std::move(replayed).error());
      at = replayed->next;
      records += replayed->records;
      skipped += replayed->skipped;
    }
    co_await env::yield();
    ARUS_CO_TRY(still_mine());
  }
  // The machine may have something to write as soon as it begins.
  while (!log.check_writable()) {
    ARUS_CO_TRY(still_mine());
    co_await env::sleep_for(stall_pause);
    ARUS_CO_TRY(still_mine());
  }
  appended_end_ = log.log_end();
  note_load(records, skipped, surroundings_.loop.refresh_now() - began);
  co_return Result<>{};
}

void Shard::note_load(std::size_t records, std::size_t skipped, env::Duration took) const {
  const std::string line =
      fmt::format("{}: {} records loaded in {} ms, {} skipped", partition_->name().to_string(),
                  records, std::chrono::duration_cast<env::milliseconds>(took).count(), skipped);
  if (took >= worth_telling || skipped > 0) {
    shard_log.info("{}", line);
  } else {
    shard_log.debug("{}", line);
  }
}

env::Task<Result<>> Shard::visible_to(Offset end) {
  while (partition_->high_watermark() < end) {
    ARUS_CO_TRY(still_mine());
    if (!wait_.linked()) partition_->when_visible(wait_, end);
    if (wait_.linked()) co_await changed_.wait();
  }
  co_return still_mine();
}

Result<> Shard::still_mine() const {
  if (state_ != State::loading) {
    return fail(ErrorCode::not_coordinator, "The coordinator has moved");
  }
  ARUS_TRY(partition_->check_leader());
  if (partition_->log().failure()) return fail(*partition_->log().failure());
  return {};
}

void Shard::activate() {
  state_ = State::active;
  retry_pause_ = first_retry_pause;
  Turn turn = make_turn();
  machine_->loaded(turn, surroundings_.parts.images.current());
  carry_out(turn);
  changed_.notify_all();
}

void Shard::drop(const Error& why, State next) {
  state_ = next;
  surroundings_.loop.disarm(clock_);
  wait_.unlink();
  missed_images_.clear();
  const Result<> told = std::unexpected(why);
  // It goes last: work that waits, or is under way, may belong to it.
  if (machine_) dropped_.push_back(std::move(machine_));
  auto pending = std::exchange(pending_, {});
  for (Pending& turn : pending) {
    for (Turn::Finish& finish : turn.finish) finish(told);
  }
  if (!finishing_) dropped_.clear();
  changed_.notify_all();
}

void Shard::load_again() {
  if (state_ == State::closed) return;
  state_ = State::loading;
  start();
}

// Turns.

Result<> Shard::check() const {
  switch (state_) {
    case State::loading:
      return fail(ErrorCode::coordinator_load_in_progress, "The coordinator is being loaded");
    case State::failed:
    case State::closed:
      return fail(ErrorCode::not_coordinator, "This broker is not the coordinator");
    case State::active:
      break;
  }
  if (auto usable = check_log(); !usable) return fail(coordinator_error(usable.error()));
  if (pending_.size() >= most_pending) {
    return fail(ErrorCode::coordinator_not_available, "Too many requests wait for the log");
  }
  return {};
}

Result<> Shard::check_log() const {
  ARUS_TRY(partition_->check_leader());
  ARUS_TRY(partition_->check_in_sync());
  return partition_->log().check_writable();
}

std::size_t Shard::batch_limit() const {
  return static_cast<std::size_t>(std::max(partition_->config().max_message_bytes, 0));
}

Turn Shard::make_turn() {
  return {*machine_, surroundings_.loop.now(), surroundings_.parts.environment.clock().wall_ms(),
          batch_limit()};
}

void Shard::run(Decision decide) {
  const auto self = shared_from_this();
  deliver_missed_images();
  // A decision that is dropped here answers NOT_COORDINATOR.
  if (state_ != State::active) return;
  Turn turn = make_turn();
  decide(*machine_, turn);
  carry_out(turn);
}

void Shard::on_image(const metadata::ImagePointer& image, const metadata::MetadataDelta& delta) {
  // One that is being loaded is given the newest image at its end.
  if (state_ != State::active) return;
  const auto self = shared_from_this();
  if (missed_images_.empty() && check_log()) {
    tell_image(image, delta);
  } else if (missed_images_.size() < most_missed_images) {
    missed_images_.push_back({image, delta});
    surroundings_.loop.arm(clock_, surroundings_.loop.now() + stall_pause);
  } else {
    drop(loading_again(), State::loading);
    load_again();
  }
}

void Shard::tell_image(const metadata::ImagePointer& image, const metadata::MetadataDelta& delta) {
  Turn turn = make_turn();
  machine_->on_image(turn, image, delta);
  carry_out(turn);
}

void Shard::deliver_missed_images() {
  auto missed = std::exchange(missed_images_, {});
  for (const MissedImage& change : missed) {
    if (state_ != State::active) return;
    tell_image(change.image, change.delta);
  }
}

// Decisions were asked whether the log takes writes, so a refusal of records is rare; one of a
// transaction's is not.
void Shard::carry_out(Turn& turn) {
  const auto self = shared_from_this();
  Pending pending{.end = {}, .finish = std::move(turn.finish()), .refusal = {}};
  if (auto kept = append_records(turn); !kept) {
    shard_log.error("{}: the log refuses records, the coordinator is loaded again: {}",
                    partition_->name().to_string(), kept.error().message);
    const Result<> told = std::unexpected(coordinator_error(kept.error()));
    for (Turn::Finish& finish : pending.finish) finish(told);
    if (state_ != State::active) return;
    drop(loading_again(), State::loading);
    load_again();
    return;
  }
  if (auto kept = append_transactional(turn); !kept) {
    pending.refusal = coordinator_error(kept.error());
  }
  pending.end = appended_end_;
  if (!pending.finish.empty()) pending_.push_back(std::move(pending));
  finish_ready();
  arm_clock();
}

storage::AppendOptions Shard::append_options(std::int64_t wall_ms) const {
  return {.leader_epoch = partition_->leadership().epoch,
          .now_ms = wall_ms,
          .from_coordinator = true,
          .transaction_version = 0};
}

Result<> Shard::append_records(Turn& turn) {
  if (turn.records().empty()) return {};
  auto batches = build_batches(turn.records(), {.compression = surroundings_.parts.compression},
                               turn.wall_ms(), batch_limit(), surroundings_.scratch);
  if (!batches) return std::unexpected(std::move(batches).error());
  for (BuiltBatch& batch : *batches) {
    if (auto appended = append(std::move(batch.bytes), append_options(turn.wall_ms())); !appended) {
      return std::unexpected(std::move(appended).error());
    }
  }
  return {};
}

Result<> Shard::append_transactional(Turn& turn) {
  const Turn::Transactional& from = turn.transactional();
  if (from.records.empty()) return {};
  ARUS_TRY(check_guard(from));
  auto batches = build_batches(from.records,
                               {.compression = surroundings_.parts.compression,
                                .producer_id = from.producer_id,
                                .producer_epoch = from.producer_epoch,
                                .transactional = true},
                               turn.wall_ms(), batch_limit(), surroundings_.scratch);
  if (!batches) return std::unexpected(std::move(batches).error());
  storage::AppendOptions options = append_options(turn.wall_ms());
  options.transaction_version = from.transaction_version;
  for (BuiltBatch& batch : *batches) {
    const auto base = append(std::move(batch.bytes), options);
    if (!base) return std::unexpected(base.error());
    for (std::size_t i = 0; i < batch.count; ++i) {
      const Record& record = from.records[batch.first + i];
      const auto replayed = machine_->replay(
          {.offset = *base + static_cast<std::int64_t>(i),
           .timestamp_ms = turn.wall_ms(),
           .producer_id = from.producer_id,
           .producer_epoch = from.producer_epoch,
           .key = record.key,
           .value = record.value ? std::optional<ByteView>(*record.value) : std::nullopt});
      // A machine that cannot read what it has just written is broken.
      ARUS_ASSERT(replayed);
    }
  }
  partition_->transaction_guards().clear(from.producer_id);
  return {};
}

// Several requests may hold the guard: once the first has opened the transaction, it needs none.
Result<> Shard::check_guard(const Turn::Transactional& from) const {
  if (!from.guard) return {};
  if (partition_->log().has_open_transaction(from.producer_id, from.producer_epoch)) return {};
  return partition_->transaction_guards().check(from.producer_id, *from.guard, 0, false);
}

std::uint64_t Shard::guard_transaction(ProducerId producer_id, std::int16_t producer_epoch) {
  if (partition_->log().has_open_transaction(producer_id, producer_epoch)) {
    return replication::TransactionGuards::no_guard;
  }
  return partition_->transaction_guards().begin(producer_id, producer_epoch, 0);
}

Result<Offset> Shard::append(Bytes bytes, const storage::AppendOptions& options) {
  Slice batch(std::move(bytes));
  const auto view = record::BatchView::parse(batch.view());
  ARUS_ASSERT(view);
  const auto type = static_cast<record::TimestampType>(partition_->config().message_timestamp_type);
  const bool create_time = type == record::TimestampType::create_time;
  const record::ValidatedBatch facts{
      .size_bytes = view->size_bytes(),
      .count = view->count(),
      .compression = view->compression(),
      .timestamp_type = type,
      .max_timestamp_ms = create_time ? view->max_timestamp_ms() : options.now_ms,
      .producer_id = view->producer_id(),
      .producer_epoch = view->producer_epoch(),
      .base_sequence = view->base_sequence(),
      .last_sequence = view->last_sequence(),
      .transactional = view->is_transactional(),
      .control = view->is_control()};
  auto appended = partition_->log().append(std::move(batch), facts, options);
  if (!appended) return std::unexpected(std::move(appended).error());
  appended_end_ = appended->last_offset + 1;
  return appended->base_offset;
}

env::OneShot<Result<>> Shard::end_transaction(const TransactionMarker& marker) {
  const auto self = shared_from_this();
  env::OneShot<Result<>> answer;
  const std::int64_t wall_ms = surroundings_.parts.environment.clock().wall_ms();
  storage::AppendOptions options = append_options(wall_ms);
  options.transaction_version = marker.transaction_version;
  auto appended =
      append(record::build_end_transaction({.producer_id = marker.producer_id,
                                            .producer_epoch = marker.producer_epoch,
                                            .transactional = true,
                                            .control = true},
                                           marker.committed, marker.coordinator_epoch, wall_ms),
             options);
  if (!appended) {
    answer.set(fail(coordinator_error(std::move(appended).error())));
    return answer;
  }
  partition_->transaction_guards().clear(marker.producer_id);
  machine_->replay_end(marker.producer_id, marker.producer_epoch, marker.committed);
  Pending pending{.end = appended_end_, .finish = {}, .refusal = {}};
  pending.finish.push_back([answer](const Result<>& kept) { answer.set(kept); });
  pending_.push_back(std::move(pending));
  finish_ready();
  arm_clock();
  return answer;
}

// Answers.

void Shard::finish_ready() {
  // What finishes may begin the next turn, whose answers come after the rest of these.
  if (finishing_) return;
  finishing_ = true;
  while (state_ == State::active && !pending_.empty() &&
         pending_.front().end <= partition_->high_watermark()) {
    Pending ready = std::move(pending_.front());
    pending_.pop_front();
    const Result<> outcome = ready.refusal ? Result<>(std::unexpected(*ready.refusal)) : Result<>();
    for (Turn::Finish& finish : ready.finish) finish(outcome);
  }
  finishing_ = false;
  dropped_.clear();
  if (state_ == State::active && !pending_.empty() && !wait_.linked()) {
    partition_->when_visible(wait_, pending_.front().end);
  }
}

void Shard::on_decided(const Result<>& outcome) {
  const auto self = shared_from_this();
  if (state_ == State::loading) {
    changed_.notify_all();
  } else if (state_ == State::active && outcome) {
    finish_ready();
  } else if (state_ == State::active) {
    drop(coordinator_error(outcome.error()), State::failed);
  }
}

// Timers.

void Shard::arm_clock() {
  if (state_ != State::active) return;
  surroundings_.loop.arm(clock_, machine_->timers().next());
}

void Shard::on_timer() {
  const auto self = shared_from_this();
  if (state_ == State::failed) load_again();
  if (state_ == State::active) fire_timers();
}

void Shard::fire_timers() {
  if (const auto usable = check_log(); !usable) {
    if (!partition_->is_open() || partition_->log().failure()) {
      drop(coordinator_error(usable.error()), State::failed);
    } else {
      surroundings_.loop.arm(clock_, surroundings_.loop.now() + stall_pause);
    }
    return;
  }
  deliver_missed_images();
  if (state_ != State::active) return;
  Turn turn = make_turn();
  const bool more = machine_->timers().fire_due(turn, timers_at_once);
  carry_out(turn);
  if (!more || more_timers_ || state_ != State::active) return;
  more_timers_ = true;
  surroundings_.loop.post([weak = weak_from_this()] {
    const auto shard = weak.lock();
    if (!shard) return;
    shard->more_timers_ = false;
    if (shard->state_ == State::active) shard->fire_timers();
  });
}

}  // namespace arus::coordinator
