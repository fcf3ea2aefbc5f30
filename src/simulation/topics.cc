// A topic that is made, used, deleted, and made again under the same name.
#include "protocol/api/delete_topics.h"
#include "protocol/api/metadata.h"
#include "simulation/requests.h"

namespace arus::simulation {
namespace {

constexpr const char* topic_name = "passing";

// The id of the topic of this name now; zero without one, nothing when the node does not say.
env::Task<std::optional<Uuid>> look_up(Caller* caller) {
  protocol::MetadataRequest request;
  request.topics->emplace_back().name = topic_name;
  request.allow_auto_topic_creation = false;
  const auto answer = co_await caller->ask(std::move(request), patience);
  if (!answer) co_return std::nullopt;
  const auto& topic = answer->topics.front();
  if (topic.error_code == ErrorCode::unknown_topic_or_partition) co_return Uuid{};
  if (topic.error_code != ErrorCode::none) co_return std::nullopt;
  co_return topic.topic_id;
}

class Passing {
 public:
  explicit Passing(World* world) : world_(*world), caller_(world->environment, world->node) {}

  env::Task<void> run() {
    while (!world_.stopping && !world_.story.failed()) {
      if (co_await caller_.connect()) co_await step();
      co_await env::sleep_for(world_.between_ms(20, 400));
    }
    co_await caller_.close();
  }

 private:
  env::Task<void> step() {
    const auto id = co_await look_up(&caller_);
    if (!id) co_return;
    if (deleted_.contains(*id)) {
      world_.story.fail(topic_name, "is there again after its deletion was acknowledged");
      co_return;
    }
    if (id->is_zero()) {
      const bool must_be = !tracks_.empty() && !asked_to_delete_;
      if (must_be) {
        world_.story.fail(topic_name, "is gone, and nobody has deleted it");
        co_return;
      }
      co_await make();
      co_return;
    }
    if (tracks_.empty() || world_.model.track(tracks_.front()).topic_id != *id) {
      // Made by a request whose answer was lost: its partitions are not known here.
      co_await remove(*id);
      co_return;
    }
    if (world_.random.below(3) != 0 && !asked_to_delete_) {
      co_await use();
    } else {
      co_await remove(*id);
    }
  }

  env::Task<void> make() {
    TopicPlan plan{.name = topic_name,
                   .partitions = static_cast<std::int32_t>(1 + world_.random.below(2)),
                   .configs = {{"internal.segment.bytes", "3000"}}};
    auto made = co_await create_topic(&world_, &caller_, std::move(plan));
    world_.story.note(topic_name, "making it: {}", made ? "done" : made.error().message);
    if (!made) co_return;
    tracks_ = std::move(*made);
    asked_to_delete_ = false;
  }

  env::Task<void> use() {
    const std::size_t track = world_.pick(tracks_);
    auto ids = draw_records(
        world_, {.track = track, .producer = 1'000, .connection = caller_.connection()});
    static_cast<void>(co_await produce(
        &world_, &caller_,
        {.track = track, .ids = std::move(ids), .options = {}, .transactional_id = {}}));
    std::int64_t next = 0;
    const Model::Ends promised = world_.model.promised(track);
    const auto answer = co_await fetch(&world_, &caller_, track, 0, false, 0);
    if (!answer || answer->error_code != ErrorCode::none) co_return;
    world_.model.see_ends(track, {answer->log_start_offset, answer->high_watermark}, promised);
    std::vector<RecordId> visible;
    take_in(world_, track, *answer, false, next, visible);
  }

  env::Task<void> remove(Uuid id) {
    for (const std::size_t track : tracks_) world_.model.track(track).gone = true;
    asked_to_delete_ = true;
    protocol::DeleteTopicsRequest request;
    request.timeout_ms = 10'000;
    request.topics.emplace_back().topic_id = id;
    request.topics.front().name.reset();
    const auto answer = co_await caller_.ask(std::move(request), patience);
    if (!answer) co_return;
    const ErrorCode code = answer->responses.front().error_code;
    world_.story.note(topic_name, "deleting it: {}", error_name(code));
    if (code != ErrorCode::none) co_return;
    deleted_.insert(id);
    tracks_.clear();
  }

  World& world_;
  Caller caller_;
  std::vector<std::size_t> tracks_;
  std::set<Uuid> deleted_;
  bool asked_to_delete_ = false;
};

}  // namespace

env::Task<void> run_topics(World* world) {
  Passing topic(world);
  co_await topic.run();
}

}  // namespace arus::simulation
