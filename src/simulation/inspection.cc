#include "simulation/inspection.h"

#include "simulation/requests.h"

namespace arus::simulation {
namespace {

constexpr env::Duration ready_within = env::seconds(60);

class Inspector {
 public:
  Inspector(World* world, Inspection inspection)
      : world_(*world), inspection_(inspection), caller_(world->environment, world->node) {}

  env::Task<bool> run() {
    deadline_ = world_.now() + ready_within;
    for (std::size_t i = 0; i < world_.model.track_count(); ++i) {
      const Track& track = world_.model.track(i);
      const bool readable = !track.gone && track.kind != TopicKind::internal;
      if (readable && !world_.story.failed()) co_await read_track(i);
    }
    if (!world_.story.failed()) co_await check_groups();
    if (inspection_.at_rest && !world_.story.failed()) co_await check_transactions();
    co_await caller_.close();
    co_return !world_.story.failed();
  }

 private:
  // Whether to ask again after such an answer.
  env::Task<bool> may_retry(std::string subject, ErrorCode code) {
    if (world_.story.failed()) co_return false;
    if (!passes(code) || world_.now() > deadline_) {
      world_.story.fail(subject, "after the start: {}{}", error_name(code),
                        passes(code) ? ", for too long" : "");
      co_return false;
    }
    co_await env::sleep_for(env::milliseconds(20));
    co_return true;
  }

  env::Task<std::optional<std::int64_t>> offset_of(std::size_t track, std::int64_t timestamp) {
    for (;;) {
      ErrorCode code = ErrorCode::network_exception;
      if (co_await caller_.connect()) {
        const auto offset = co_await list_offset(&world_, &caller_, track, timestamp);
        if (offset) co_return *offset;
        code = offset.error().code;
      }
      if (!co_await may_retry(world_.model.track(track).name(), code)) co_return std::nullopt;
    }
  }

  // A gap is passed by whoever comes to it from below.
  env::Task<void> expect_nothing_behind(std::size_t track, std::int64_t gap, std::int64_t end) {
    for (std::int64_t from = gap + 1; from < end && !world_.story.failed(); ++from) {
      if (!co_await caller_.connect()) co_return;
      const auto answer = co_await fetch(&world_, &caller_, track, from, false, 0);
      if (!answer || answer->error_code != ErrorCode::none || answer->records->empty()) continue;
      world_.story.fail(world_.model.track(track).name(),
                        "a reader at {} gets nothing, one at {} does", gap, from);
    }
  }

  // Reads from `next` up to the high watermark.
  env::Task<void> read_all(std::size_t track, bool committed_only, std::int64_t next,
                           std::vector<RecordId>* visible, std::int64_t* high_watermark,
                           std::int64_t* log_start) {
    std::int64_t skipped = 0;
    while (!world_.story.failed()) {
      ErrorCode code = ErrorCode::network_exception;
      if (co_await caller_.connect()) {
        const auto answer = co_await fetch(&world_, &caller_, track, next, committed_only, 0);
        code = answer ? answer->error_code : answer.error().code;
        // Retention goes on meanwhile.
        const bool retained = world_.model.track(track).kind == TopicKind::retained;
        if (code == ErrorCode::offset_out_of_range && retained) {
          const auto start = co_await list_offset(&world_, &caller_, track, -2);
          if (start && *start > next) {
            next = *start;
            *log_start = std::max(*log_start, next);
            continue;
          }
        }
        if (code == ErrorCode::none) {
          *high_watermark = std::max(*high_watermark, answer->high_watermark);
          take_in(world_, track, *answer, committed_only, next, *visible);
          if (next >= answer->high_watermark) co_return;
          if (!answer->records->empty()) continue;
          const Track& known = world_.model.track(track);
          if (next < known.gaps_below || known.may_end_in_gap) {
            co_await expect_nothing_behind(track, next, *high_watermark);
            co_return;
          }
          // What was ended may still get its markers.
          code = ErrorCode::unstable_offset_commit;
        }
      }
      const bool damaged = inspection_.damaged == track && code == ErrorCode::corrupt_message;
      if (damaged && skipped < most_damaged) {
        // A reader that wants the rest has to step over the batch.
        world_.story.note(world_.model.track(track).name(), "damage at {}", next);
        ++skipped;
        ++next;
        continue;
      }
      if (!co_await may_retry(world_.model.track(track).name(), code)) co_return;
    }
  }

  env::Task<void> read_track(std::size_t index) {
    const auto start = co_await offset_of(index, -2);
    if (!start) co_return;
    std::int64_t high_watermark = 0;
    std::vector<RecordId> visible;
    std::int64_t log_start = *start;
    co_await read_all(index, false, *start, &visible, &high_watermark, &log_start);
    if (world_.story.failed() || inspection_.damaged == index) co_return;
    std::set<std::int64_t> found;
    for (const RecordId id : visible) found.insert(world_.model.record(id).offset.value());
    world_.model.check_track(index, log_start, high_watermark, found);
  }

  env::Task<std::optional<std::int64_t>> committed(std::string group, std::size_t index) {
    const Track track = world_.model.track(index);
    for (;;) {
      ErrorCode code = ErrorCode::network_exception;
      if (co_await caller_.connect()) {
        const auto offset = co_await fetch_committed(&caller_, group, track.topic, track.partition);
        if (offset) co_return *offset;
        code = offset.error().code;
      }
      if (!co_await may_retry(group, code)) co_return std::nullopt;
    }
  }

  // What is committed while the clock is a year back is as old as it says, as in Kafka.
  [[nodiscard]] bool has_expired(std::int64_t offset) const {
    return offset < 0 && world_.model.clock_jumped;
  }

  env::Task<void> check_groups() {
    for (auto& [place, known] : world_.model.committed) {
      const auto offset = co_await committed(place.first, place.second);
      if (!offset) co_return;
      const bool right = *offset == known.acknowledged || known.unknown.contains(*offset);
      if (has_expired(*offset)) {
        known.acknowledged = -1;
        continue;
      }
      if (!right) {
        world_.story.fail(place.first, "has committed {}, after {} was acknowledged", *offset,
                          known.acknowledged);
        co_return;
      }
      const Track& track = world_.model.track(place.second);
      if (track.synced && *offset > track.floor) {
        world_.story.fail(place.first, "has committed {}, and {} ends at {}", *offset, track.name(),
                          track.floor);
      }
      if (*offset > known.acknowledged) known.acknowledged = *offset;
      known.unknown.erase(known.unknown.begin(), known.unknown.upper_bound(*offset));
    }
  }

  env::Task<void> check_transactions() {
    std::set<RecordId> all;
    for (const std::size_t track : world_.tracks_of(TopicKind::transactional)) {
      std::vector<RecordId> visible;
      std::int64_t high_watermark = 0;
      std::int64_t log_start = world_.model.track(track).log_start;
      co_await read_all(track, true, log_start, &visible, &high_watermark, &log_start);
      for (const RecordId id : visible) world_.model.see_committed(id);
      all.insert(visible.begin(), visible.end());
    }
    if (world_.story.failed()) co_return;
    world_.model.check_transactions(all);
    for (std::size_t i = 0; i < world_.plan.transactional_producers; ++i) {
      if (!world_.story.failed()) co_await check_offset_of(transactional_number(i));
    }
  }

  // The group of a transactional producer stands where its last committed transaction left it.
  env::Task<void> check_offset_of(std::size_t producer) {
    const std::string group = transactional_name(producer);
    const auto offset =
        co_await committed(group, world_.tracks_of(TopicKind::transactional).front());
    if (!offset) co_return;
    std::int64_t least = -1;
    std::int64_t most = -1;
    bool stands = *offset == -1;
    for (const Transaction& transaction : world_.model.transactions) {
      if (transaction.producer != producer || transaction.group_offset < 0) continue;
      const bool must = transaction.state == TransactionState::committed || transaction.seen;
      if (must) least = std::max(least, transaction.group_offset);
      const bool may = must || transaction.state == TransactionState::ending;
      if (may) most = std::max(most, transaction.group_offset);
      stands = stands || (may && transaction.group_offset == *offset);
    }
    if (has_expired(*offset)) co_return;
    if (!stands || *offset < least || *offset > most) {
      world_.story.fail(group, "has committed {}; its transactions say {} to {}", *offset, least,
                        most);
    }
  }

  // A damaged header hides what follows it up to the next entry of the index.
  static constexpr std::int64_t most_damaged = 100;

  World& world_;
  const Inspection inspection_;
  Caller caller_;
  env::TimePoint deadline_{};
};

}  // namespace

env::Task<bool> inspect(World* world, Inspection inspection) {
  Inspector inspector(world, inspection);
  co_return co_await inspector.run();
}

}  // namespace arus::simulation
