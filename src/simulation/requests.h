// Requests to the node, and what their answers mean to the model.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/api/fetch.h"
#include "record/builder.h"
#include "simulation/world.h"

namespace arus::simulation {

struct Produced {
  ErrorCode code = ErrorCode::none;
  std::int64_t base_offset = -1;
  [[nodiscard]] bool ok() const { return code == ErrorCode::none; }
};

// What is said once about a batch.
struct BatchPlan {
  std::size_t track = 0;
  std::vector<RecordId> ids;
  record::BatchOptions options;
  std::optional<std::string> transactional_id;
};

// New records for a track.
[[nodiscard]] std::vector<RecordId> draw_records(World& world, SentRecord sent);
// Sends the batch once and tells the model what became of it. An answer that comes too late, or not
// at all on a connection that holds, is a failure.
env::Task<Produced> produce(World* world, Caller* caller, BatchPlan batch);

// One partition's part of an answer to Fetch.
using Fetched = protocol::FetchResponse::PartitionData;
env::Task<Result<Fetched>> fetch(World* world, Caller* caller, std::size_t track,
                                 std::int64_t offset, bool committed_only,
                                 std::int32_t max_wait_ms);
// Gives the records of an answer to the model; those that a reader with this isolation gives its
// application are `visible`. Moves `next` behind what was read.
void take_in(World& world, std::size_t track, const Fetched& answer, bool committed_only,
             std::int64_t& next, std::vector<RecordId>& visible);

// The offset for −1 (latest) or −2 (earliest).
env::Task<Result<std::int64_t>> list_offset(World* world, Caller* caller, std::size_t track,
                                            std::int64_t timestamp);
// What a group has committed for a track.
env::Task<Result<std::int64_t>> fetch_committed(Caller* caller, std::string group,
                                                std::string topic, std::int32_t partition);
// Registers the topic's partitions in the model. An error says why the node did not make it.
env::Task<Result<std::vector<std::size_t>>> create_topic(World* world, Caller* caller,
                                                         TopicPlan topic);
// Errors that say that the node, not the request, is not ready.
[[nodiscard]] bool passes(ErrorCode code);

}  // namespace arus::simulation
