// Producers without transactions.
#include <algorithm>

#include "protocol/api/init_producer_id.h"
#include "simulation/requests.h"

namespace arus::simulation {
namespace {

std::vector<std::size_t> writable_tracks(const World& world) {
  std::vector<std::size_t> tracks;
  for (const std::size_t track : world.tracks) {
    if (world.model.track(track).kind != TopicKind::transactional) tracks.push_back(track);
  }
  return tracks;
}

env::Task<void> send_once(World* world, Caller* caller, BatchPlan batch) {
  static_cast<void>(co_await produce(world, caller, std::move(batch)));
}

env::Task<std::optional<ProducerId>> take_producer_id(Caller* caller) {
  protocol::InitProducerIdRequest request;
  request.transactional_id.reset();
  request.transaction_timeout_ms = 60'000;
  const auto answer = co_await caller->ask(std::move(request), env::seconds(40));
  if (!answer || answer->error_code != ErrorCode::none) co_return std::nullopt;
  co_return answer->producer_id;
}

// An idempotent producer's batches, one at a time, each sent until it is there.
class Idempotent {
 public:
  Idempotent(World* world, std::size_t number)
      : world_(*world), number_(number), caller_(world->environment, world->node) {}

  env::Task<void> run() {
    const auto tracks = writable_tracks(world_);
    while (!world_.stopping) {
      if (!co_await prepare()) {
        co_await env::sleep_for(world_.between_ms(20, 200));
        continue;
      }
      const std::size_t track = world_.pick(tracks);
      co_await deliver(track);
      co_await env::sleep_for(world_.between_ms(2, 60));
    }
    co_await caller_.close();
  }

 private:
  env::Task<bool> prepare() {
    if (!co_await caller_.connect()) co_return false;
    if (!id_) {
      id_ = co_await take_producer_id(&caller_);
      sequences_.clear();
    }
    co_return id_.has_value();
  }

  env::Task<void> deliver(std::size_t track) {
    BatchPlan batch{
        .track = track,
        .ids = draw_records(world_, {.track = track, .producer = number_}),
        .options = {.producer_id = *id_, .producer_epoch = 0, .base_sequence = sequences_[track]},
        .transactional_id = {}};
    const auto count = static_cast<std::int32_t>(batch.ids.size());
    for (;;) {
      Produced outcome{.code = ErrorCode::network_exception};
      if (co_await caller_.connect()) outcome = co_await produce(&world_, &caller_, batch);
      if (world_.story.failed()) co_return;
      if (outcome.ok() || outcome.code == ErrorCode::duplicate_sequence_number) {
        sequences_[track] += count;
        co_return;
      }
      if (!passes(outcome.code)) {
        give_up(track, outcome.code);
        co_return;
      }
      co_await env::sleep_for(world_.between_ms(20, 200));
    }
  }

  // Only a power cut makes an unsynced partition forget what a producer has sent.
  void give_up(std::size_t index, ErrorCode code) {
    const Track& track = world_.model.track(index);
    const bool forgotten = !track.synced && (code == ErrorCode::out_of_order_sequence_number ||
                                             code == ErrorCode::unknown_producer_id);
    const bool clock = world_.model.clock_jumped && code == ErrorCode::invalid_timestamp;
    if (!forgotten && !clock) {
      world_.story.fail(track.name(), "idempotent producer {} gets {}", number_, error_name(code));
    }
    id_.reset();
  }

  World& world_;
  const std::size_t number_;
  Caller caller_;
  std::optional<ProducerId> id_;
  std::map<std::size_t, std::int32_t> sequences_;
};

}  // namespace

std::vector<std::size_t> World::tracks_of(TopicKind kind) const {
  std::vector<std::size_t> found;
  for (const std::size_t track : tracks) {
    if (model.track(track).kind == kind) found.push_back(track);
  }
  return found;
}

env::Task<void> run_plain_producer(World* world, std::size_t number) {
  constexpr std::size_t most_under_way = 4;
  const auto tracks = writable_tracks(*world);
  Caller caller(world->environment, world->node);
  env::Gate gate;
  while (!world->stopping) {
    if (!co_await caller.connect()) {
      co_await env::sleep_for(world->between_ms(20, 200));
      continue;
    }
    const std::size_t track = world->pick(tracks);
    BatchPlan batch{
        .track = track,
        .ids = draw_records(
            *world, {.track = track, .producer = number, .connection = caller.connection()}),
        .options = {},
        .transactional_id = {}};
    env::spawn(gate, send_once(world, &caller, std::move(batch)));
    do {
      co_await env::sleep_for(world->between_ms(1, 60));
    } while (gate.running() >= most_under_way);
  }
  co_await gate.close();
  co_await caller.close();
}

env::Task<void> run_idempotent_producer(World* world, std::size_t number) {
  Idempotent producer(world, number);
  co_await producer.run();
}

}  // namespace arus::simulation
