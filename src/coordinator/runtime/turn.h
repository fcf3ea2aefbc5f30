// One turn of a state machine: the time it sees, the records it adds, the answers it gives.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "coordinator/runtime/record.h"
#include "coordinator/runtime/reply.h"
#include "env/loop.h"
#include "env/time.h"

namespace arus::coordinator {

class Machine;

// Everything that a state machine does to the outside goes through the turn that it is given.
//
// Records that a turn adds are replayed into the machine at once, so a decision sees what it has
// decided so far, and are appended together when the turn ends. Answers leave, and work that
// was put off begins, when everything that was appended up to the end of this turn is durable; so
// nobody is told what a crash could take back (durability.md, rule 7). Where the log refuses the
// records, the answers of the turn become that error and the machine is thrown away and loaded
// again: what was replayed is not in the log.
//
// Lives on the stack of the loop of the partition; valid during the call that it was given to.
class Turn {
 public:
  // What a topic takes without settings of its own (max.message.bytes).
  static constexpr std::size_t default_batch_limit_bytes = 1'048'588;

  Turn(Machine& machine, env::TimePoint now, std::int64_t wall_ms,
       std::size_t batch_limit_bytes = default_batch_limit_bytes)
      : machine_(machine), now_(now), wall_ms_(wall_ms), batch_limit_bytes_(batch_limit_bytes) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  // Monotonic, for deadlines.
  [[nodiscard]] env::TimePoint now() const { return now_; }
  // Milliseconds since 1970, for what is stored.
  [[nodiscard]] std::int64_t wall_ms() const { return wall_ms_; }

  // Whether the log takes a record of this size. One that does not fit must not be appended: the
  // whole machine would be loaded again for it. Kafka answers UNKNOWN_SERVER_ERROR then.
  [[nodiscard]] bool fits(const Record& record) const;
  // Appends `record` when the turn ends, and replays it now.
  void append(Record record);
  // Appends `records` as one transactional batch of this producer when the turn ends. They are
  // replayed only once the log has taken them, because it may refuse the producer's epoch; `reply`
  // of the same turn gives that error then, and the machine stays as it was. Once in a turn, alone.
  // `guard` as CoordinatorBase::guard_transaction() gave it, where the transaction was verified:
  // INVALID_TXN_STATE where it has ended since.
  void append_transactional(ProducerId producer_id, std::int16_t producer_epoch,
                            std::int16_t transaction_version, std::optional<std::uint64_t> guard,
                            std::vector<Record> records);

  // Answers a request when this turn and all before it are durable.
  template <class T>
  void answer(Reply<T> reply, Result<T> value) {
    finish_.push_back(
        [reply = std::move(reply), value = std::move(value)](const Result<>& kept) mutable {
          reply.deliver(kept ? std::move(value) : Result<T>(std::unexpected(kept.error())));
        });
  }
  // Runs `work` on the loop when this turn and all before it are durable; not at all when they
  // never will be.
  void when_durable(env::Work work) {
    finish_.push_back([work = std::move(work)](const Result<>& kept) mutable {
      if (kept) work();
    });
  }

  // For whoever carries out the turn.
  using Finish = std::move_only_function<void(const Result<>&)>;
  struct Transactional {
    ProducerId producer_id = no_producer;
    std::int16_t producer_epoch = -1;
    std::int16_t transaction_version = 0;
    std::optional<std::uint64_t> guard;
    std::vector<Record> records;
  };
  [[nodiscard]] std::vector<Record>& records() { return records_; }
  [[nodiscard]] Transactional& transactional() { return transactional_; }
  [[nodiscard]] std::vector<Finish>& finish() { return finish_; }

 private:
  Machine& machine_;
  env::TimePoint now_;
  std::int64_t wall_ms_;
  std::size_t batch_limit_bytes_;
  std::vector<Record> records_;
  Transactional transactional_;
  std::vector<Finish> finish_;
};

}  // namespace arus::coordinator
