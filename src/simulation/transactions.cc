// A transactional producer, which also commits offsets of a group of its own.
#include "protocol/api/end_txn.h"
#include "protocol/api/find_coordinator.h"
#include "protocol/api/init_producer_id.h"
#include "protocol/api/txn_offset_commit.h"
#include "simulation/requests.h"

namespace arus::simulation {
namespace {

constexpr env::Duration transaction_patience = env::seconds(40);
constexpr std::int8_t group_type = 0;
constexpr std::int8_t transaction_type = 1;

class Transactional {
 public:
  Transactional(World* world, std::size_t number)
      : world_(*world),
        number_(number),
        name_(transactional_name(number)),
        tracks_(world->tracks_of(TopicKind::transactional)),
        caller_(world->environment, world->node) {}

  env::Task<void> run() {
    while (!world_.stopping && !world_.story.failed()) {
      if (co_await begin()) {
        co_await transact();
        co_await env::sleep_for(world_.between_ms(5, 150));
      } else {
        co_await env::sleep_for(world_.between_ms(20, 200));
      }
    }
    // Whatever is open is aborted by the next of this name.
    while (!world_.story.failed() && !co_await begin()) {
      co_await env::sleep_for(world_.between_ms(20, 200));
    }
    co_await caller_.close();
  }

 private:
  env::Task<bool> find(std::string key, std::int8_t type) {
    protocol::FindCoordinatorRequest request;
    request.key_type = type;
    request.coordinator_keys.push_back(std::move(key));
    const auto found = co_await caller_.ask(std::move(request), transaction_patience);
    co_return found && found->coordinators.front().error_code == ErrorCode::none;
  }

  // Ready for the next transaction; whatever was open before is not.
  env::Task<bool> begin() {
    if (!co_await caller_.connect()) co_return false;
    if (ready_) co_return true;
    if (!co_await find(name_, transaction_type)) co_return false;
    if (!co_await find(name_, group_type)) co_return false;
    protocol::InitProducerIdRequest request;
    request.transactional_id = name_;
    request.transaction_timeout_ms = 600'000;
    const auto answer = co_await caller_.ask(std::move(request), transaction_patience);
    if (!answer) co_return false;
    if (answer->error_code != ErrorCode::none) {
      if (!passes(answer->error_code)) {
        world_.story.fail(name_, "InitProducerId gives {}", error_name(answer->error_code));
      }
      co_return false;
    }
    id_ = answer->producer_id;
    epoch_ = answer->producer_epoch;
    sequences_.clear();
    ready_ = true;
    if (current_) settle(TransactionState::aborted);
    world_.story.note(name_, "is producer {} in epoch {}", id_.value(), epoch_);
    co_return true;
  }

  Transaction& transaction() { return world_.model.transactions[*current_]; }
  // What is known of the current one; one whose end was asked for stays unknown.
  void settle(TransactionState state) {
    if (transaction().state == TransactionState::open || state == TransactionState::committed) {
      transaction().state = state;
    }
    current_.reset();
  }

  env::Task<void> transact() {
    current_ = world_.model.transactions.size();
    world_.model.transactions.push_back({.producer = number_, .records = {}});
    ready_ = false;
    const std::uint64_t batches = 1 + world_.random.below(4);
    for (std::uint64_t i = 0; i < batches; ++i) {
      if (!co_await append()) co_return;
      co_await env::sleep_for(world_.between_ms(0, 30));
    }
    if (world_.random.below(2) == 0 && !co_await commit_offset()) co_return;
    const bool commit = world_.random.below(4) != 0;
    if (commit) transaction().state = TransactionState::ending;
    if (!co_await end(commit)) co_return;
    settle(commit ? TransactionState::committed : TransactionState::aborted);
    ready_ = true;
  }

  env::Task<bool> append() {
    const std::size_t track = world_.pick(tracks_);
    BatchPlan batch{.track = track,
                    .ids = draw_records(
                        world_, {.track = track, .producer = number_, .transaction = *current_}),
                    .options = {.producer_id = id_,
                                .producer_epoch = epoch_,
                                .base_sequence = sequences_[track],
                                .transactional = true},
                    .transactional_id = name_};
    const std::size_t which = *current_;
    const auto count = static_cast<std::int32_t>(batch.ids.size());
    auto& records = world_.model.transactions[which].records;
    records.insert(records.end(), batch.ids.begin(), batch.ids.end());
    const Produced outcome = co_await produce(&world_, &caller_, std::move(batch));
    if (outcome.ok()) {
      sequences_[track] += count;
      co_return true;
    }
    if (!passes(outcome.code) && !world_.model.clock_jumped) {
      world_.story.fail(name_, "Produce in transaction {} gives {}", which,
                        error_name(outcome.code));
    }
    co_return false;
  }

  env::Task<bool> commit_offset() {
    const Track& track = world_.model.track(tracks_.front());
    protocol::TxnOffsetCommitRequest request;
    request.transactional_id = name_;
    request.group_id = name_;
    request.producer_id = id_;
    request.producer_epoch = epoch_;
    auto& topic = request.topics.emplace_back();
    topic.name = track.topic;
    auto& partition = topic.partitions.emplace_back();
    partition.partition_index = track.partition;
    partition.committed_offset = static_cast<std::int64_t>(*current_);
    const auto answer = co_await caller_.ask(std::move(request), transaction_patience);
    if (!answer) co_return false;
    const ErrorCode code = answer->topics.front().partitions.front().error_code;
    world_.story.note(name_, "offset of transaction {}: {}", *current_, error_name(code));
    if (code == ErrorCode::none) transaction().group_offset = static_cast<std::int64_t>(*current_);
    co_return code == ErrorCode::none;
  }

  // Asked again while it is not known what became of it.
  env::Task<bool> end(bool commit) {
    for (int attempt = 0; attempt < 4; ++attempt) {
      protocol::EndTxnRequest request;
      request.transactional_id = name_;
      request.producer_id = id_;
      request.producer_epoch = epoch_;
      request.committed = commit;
      const bool connected = co_await caller_.connect();
      if (connected) {
        const auto answer = co_await caller_.ask(std::move(request), transaction_patience);
        const ErrorCode code = answer ? answer->error_code : ErrorCode::network_exception;
        world_.story.note(name_, "{} of transaction {}: {}", commit ? "commit" : "abort", *current_,
                          error_name(code));
        if (code == ErrorCode::none) {
          id_ = answer->producer_id;
          epoch_ = answer->producer_epoch;
          sequences_.clear();
          co_return true;
        }
        if (!passes(code)) co_return false;
      }
      co_await env::sleep_for(world_.between_ms(20, 200));
    }
    co_return false;
  }

  World& world_;
  const std::size_t number_;
  const std::string name_;
  const std::vector<std::size_t> tracks_;
  Caller caller_;
  bool ready_ = false;
  ProducerId id_ = no_producer;
  std::int16_t epoch_ = -1;
  std::map<std::size_t, std::int32_t> sequences_;
  std::optional<std::size_t> current_;
};

}  // namespace

env::Task<void> run_transactions(World* world, std::size_t number) {
  Transactional producer(world, number);
  co_await producer.run();
}

}  // namespace arus::simulation
