// The state machine of one partition at work: loaded from its log, appending to it, answering when
// that is durable.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "coordinator/runtime/coordinator_parts.h"
#include "record/compression.h"

namespace arus::coordinator {

// What the shards of one loop share. Owner: their set.
struct ShardSurroundings {
  const CoordinatorParts& parts;
  env::Loop& loop;
  record::CodecScratch scratch;
  // Each load holds one piece of its log in memory.
  static constexpr std::size_t loads_at_once = 4;
  std::size_t loading = 0;
  env::Event load_ended;
};

// The marker that ends a producer's transaction.
struct TransactionMarker {
  ProducerId producer_id = no_producer;
  std::int16_t producer_epoch = -1;
  std::int32_t coordinator_epoch = -1;
  bool committed = false;
  std::int16_t transaction_version = 0;
};

// One partition of a coordinator's topic, while this node leads it in one epoch. Owner: its loop.
//
// Holds: decisions run only while it is active, one at a time; the log's records up to the machine
// are exactly those that were replayed into it; answers leave in the order of their turns. Nobody
// else appends to the log.
class Shard final : public std::enable_shared_from_this<Shard> {
 public:
  using Decision = std::move_only_function<void(Machine&, Turn&)>;

  // Turns whose answers wait for the log; beyond it decisions are refused.
  static constexpr std::size_t most_pending = 100'000;
  // Changes of metadata that are kept for later while the log takes no writes.
  static constexpr std::size_t most_missed_images = 1'000;
  static constexpr std::int32_t load_piece_bytes = 512 << 10;
  static constexpr std::size_t timers_at_once = 64;
  static constexpr env::Duration stall_pause = env::milliseconds(100);
  static constexpr env::Duration first_retry_pause = env::seconds(1);
  static constexpr env::Duration longest_retry_pause = env::seconds(60);

  Shard(ShardSurroundings& surroundings, std::shared_ptr<replication::Partition> partition,
        LeaderEpoch leader_epoch);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  [[nodiscard]] const Uuid& topic_id() const { return partition_->id().topic_id; }
  [[nodiscard]] std::int32_t partition() const { return partition_->id().partition; }
  [[nodiscard]] LeaderEpoch leader_epoch() const { return leader_epoch_; }
  [[nodiscard]] bool active() const { return state_ == State::active; }

  // Loads the machine, in the background.
  void start();
  // Drops the machine; who waits gets `why`. Nothing happens here any more.
  void close(const Error& why);
  // Completes when loading has ended, well or badly, or when the deadline has come.
  static env::Task<void> settled(std::shared_ptr<Shard> shard, env::TimePoint deadline);
  // Completes when no task of this shard is under way any more.
  [[clang::coro_wrapper]] env::Task<void> stopped() { return gate_.close(); }

  // Whether a decision may run now. COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR, or
  // COORDINATOR_NOT_AVAILABLE where the log does not keep up.
  [[nodiscard]] Result<> check() const;
  // The next three only after check().
  void run(Decision decide);
  // A guard for what this producer is about to append in a transaction of which its coordinator has
  // to be asked; TransactionGuards::no_guard where it is open here already.
  [[nodiscard]] std::uint64_t guard_transaction(ProducerId producer_id,
                                                std::int16_t producer_epoch);
  // Appends the marker and replays it; the answer comes when it is durable.
  env::OneShot<Result<>> end_transaction(const TransactionMarker& marker);

  void on_image(const metadata::ImagePointer& image, const metadata::MetadataDelta& delta);
  // Null unless it is active.
  [[nodiscard]] Machine* machine() { return active() ? machine_.get() : nullptr; }

 private:
  enum class State : std::uint8_t { loading, active, failed, closed };

  class Wait final : public replication::AppendWait {
   public:
    explicit Wait(Shard& shard) : shard_(shard) {}
    void on_decided(const Result<>& outcome) override { shard_.on_decided(outcome); }

   private:
    Shard& shard_;
  };
  class Clock final : public env::Timer {
   public:
    explicit Clock(Shard& shard) : shard_(shard) {}
    void fire() override { shard_.on_timer(); }

   private:
    Shard& shard_;
  };
  // Answers and work that wait until everything below `end` is visible.
  struct Pending {
    Offset end;
    std::vector<Turn::Finish> finish;
    std::optional<Error> refusal;  // of a transaction's records
  };
  struct MissedImage {
    metadata::ImagePointer image;
    metadata::MetadataDelta delta;
  };

  static env::Task<void> load(std::shared_ptr<Shard> shard);
  env::Task<Result<>> replay_log();
  env::Task<Result<>> visible_to(Offset end);
  [[nodiscard]] Result<> still_mine() const;
  void note_load(std::size_t records, std::size_t skipped, env::Duration took) const;
  void activate();
  void retry_later();
  // Throws the machine away; those who wait get `why`. Loads again where that may help.
  void drop(const Error& why, State next);
  void load_again();

  [[nodiscard]] Turn make_turn();
  void carry_out(Turn& turn);
  [[nodiscard]] Result<> append_records(Turn& turn);
  [[nodiscard]] Result<> append_transactional(Turn& turn);
  [[nodiscard]] Result<> check_guard(const Turn::Transactional& from) const;
  [[nodiscard]] Result<Offset> append(Bytes batch, const storage::AppendOptions& options);
  [[nodiscard]] storage::AppendOptions append_options(std::int64_t wall_ms) const;
  [[nodiscard]] std::size_t batch_limit() const;
  [[nodiscard]] Result<> check_log() const;

  void finish_ready();
  void on_decided(const Result<>& outcome);
  void on_timer();
  void fire_timers();
  void arm_clock();
  void tell_image(const metadata::ImagePointer& image, const metadata::MetadataDelta& delta);
  void deliver_missed_images();

  ShardSurroundings& surroundings_;
  std::shared_ptr<replication::Partition> partition_;
  LeaderEpoch leader_epoch_;
  State state_ = State::loading;
  std::unique_ptr<Machine> machine_;
  std::vector<std::unique_ptr<Machine>> dropped_;  // until what is under way has ended
  Offset appended_end_;                            // of what this shard knows of the log
  std::deque<Pending> pending_;
  bool finishing_ = false;
  std::vector<MissedImage> missed_images_;
  Wait wait_{*this};
  Clock clock_{*this};
  bool more_timers_ = false;
  env::Duration retry_pause_ = first_retry_pause;
  env::Event changed_;  // the state, or what loading waits for
  env::Gate gate_;
};

}  // namespace arus::coordinator
