// A group without members that commits how far it has read a partition.
#include "protocol/api/find_coordinator.h"
#include "protocol/api/offset_commit.h"
#include "simulation/requests.h"

namespace arus::simulation {
namespace {

env::Task<bool> find_coordinator(Caller* caller, std::string group) {
  protocol::FindCoordinatorRequest request;
  request.key_type = 0;
  request.coordinator_keys.push_back(std::move(group));
  const auto found = co_await caller->ask(std::move(request), patience);
  co_return found && found->coordinators.front().error_code == ErrorCode::none;
}

env::Task<void> commit(World* world, Caller* caller, std::string group, std::size_t index,
                       std::int64_t offset) {
  const Track& track = world->model.track(index);
  protocol::OffsetCommitRequest request;
  request.group_id = group;
  auto& topic = request.topics.emplace_back();
  topic.name = track.topic;
  auto& partition = topic.partitions.emplace_back();
  partition.partition_index = track.partition;
  partition.committed_offset = offset;
  Committed& committed = world->model.committed[{group, index}];
  committed.unknown.insert(offset);
  constexpr std::int16_t by_name = 9;
  const auto answer = co_await caller->ask(std::move(request), patience, by_name);
  if (!answer) co_return;
  const ErrorCode code = answer->topics.front().partitions.front().error_code;
  world->story.note(group, "commit of {}: {}", offset, error_name(code));
  if (code == ErrorCode::none) {
    committed.acknowledged = offset;
    committed.unknown.erase(committed.unknown.begin(), committed.unknown.upper_bound(offset));
  } else if (!passes(code)) {
    world->story.fail(group, "a commit of {} gives {}", offset, error_name(code));
  }
}

}  // namespace

env::Task<void> run_group(World* world, std::size_t number) {
  const std::string group = "group-" + std::to_string(number);
  const std::vector<std::size_t> tracks = world->tracks_of(TopicKind::plain);
  const std::size_t track = world->pick(tracks);
  Caller caller(world->environment, world->node);
  std::int64_t last = -1;
  while (!world->stopping && !world->story.failed()) {
    const std::int64_t read = world->model.track(track).floor;
    const bool ready =
        read > last && co_await caller.connect() && co_await find_coordinator(&caller, group);
    if (ready) {
      last = read;
      co_await commit(world, &caller, group, track, read);
    }
    co_await env::sleep_for(world->between_ms(10, 300));
  }
  co_await caller.close();
}

}  // namespace arus::simulation
