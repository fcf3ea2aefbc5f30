// Fetch: records from an offset on, at once or as soon as there are enough of them.
#include "protocol/api/fetch.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "broker/context.h"
#include "broker/handlers/fetch_answer.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/topic_lookup.h"
#include "replication/fan_out.h"
#include "replication/read.h"
#include "replication/read_wait.h"

namespace arus::broker {
namespace {

using protocol::FetchRequest;
using protocol::FetchResponse;
using replication::ReadItem;
using replication::ReadRequest;
using replication::ReadResult;
using security::AclOperation;

constexpr std::int16_t topic_ids_from_version = 13;
constexpr std::int16_t replica_state_from_version = 15;
constexpr std::int8_t read_committed = 1;
constexpr std::int32_t final_epoch = -1;
constexpr std::int32_t initial_epoch = 0;
// What one fetch may still take when the budget for answers is used up.
constexpr std::size_t least_answer_bytes = 64 * 1024;

BrokerId replica_of(const FetchRequest& request, std::int16_t version) {
  return version >= replica_state_from_version ? request.replica_state.replica_id
                                               : request.replica_id;
}

FetchTarget target_of(const FetchRequest::FetchTopic& topic,
                      const FetchRequest::FetchPartition& partition) {
  return {
      .key = {.topic_id = topic.topic_id, .topic = topic.topic, .partition = partition.partition},
      .offset = Offset{partition.fetch_offset},
      .max_bytes = partition.partition_max_bytes,
      .leader_epoch = partition.current_leader_epoch,
      .last_fetched_epoch = partition.last_fetched_epoch};
}

std::vector<FetchTarget> targets_of(const FetchRequest& request) {
  std::vector<FetchTarget> targets;
  for (const auto& topic : request.topics) {
    for (const auto& partition : topic.partitions) targets.push_back(target_of(topic, partition));
  }
  return targets;
}

// The session that this request opens or goes on with; none for a request that stands alone.
Result<std::shared_ptr<FetchSession>> take_session(const FetchRequest& request, Context& context) {
  FetchSessions& sessions = context.loop().fetch_sessions();
  const bool by_id = context.version() >= topic_ids_from_version;
  if (request.session_epoch == final_epoch || request.session_epoch == initial_epoch) {
    if (request.session_id != 0) sessions.close(request.session_id);
    if (request.session_epoch == final_epoch) return nullptr;
    return sessions.open(targets_of(request), by_id, context.now());
  }
  auto session = sessions.find(request.session_id, request.session_epoch, by_id);
  if (!session) return session;
  const std::size_t before = (*session)->size();
  for (const auto& topic : request.topics) {
    for (const auto& partition : topic.partitions) (*session)->set(target_of(topic, partition));
  }
  for (const auto& topic : request.forgotten_topics_data) {
    for (const auto index : topic.partitions) {
      (*session)->forget({.topic_id = topic.topic_id, .topic = topic.topic, .partition = index});
    }
  }
  sessions.note_size(before, (*session)->size());
  (*session)->advance(context.now());
  if ((*session)->size() == 0) {
    sessions.close(request.session_id);
    return nullptr;
  }
  return session;
}

// What one fetch is about: its targets in order, and for each the topic or why there is none.
struct Plan {
  std::vector<FetchTarget*> targets;
  std::vector<TopicLookup> topics;  // parallel to targets
  ReadRequest read;
  std::int64_t min_bytes = 0;
  env::TimePoint deadline{};
};

void look_up(const Context& context, Plan& plan) {
  plan.topics.clear();
  for (const FetchTarget* const target : plan.targets) {
    const FetchKey& key = target->key;
    // Neighbours are mostly of one topic.
    if (!plan.topics.empty()) {
      const FetchKey& before = plan.targets[plan.topics.size() - 1]->key;
      if (before.topic_id == key.topic_id && before.topic == key.topic) {
        plan.topics.push_back(plan.topics.back());
        continue;
      }
    }
    plan.topics.push_back(context.version() >= topic_ids_from_version
                              ? find_topic(context, key.topic_id, AclOperation::read)
                              : find_topic(context, key.topic, AclOperation::read));
  }
}

env::Task<std::vector<ReadResult>> read_all(Context& context, const Plan& plan) {
  std::vector<ReadItem> items;
  std::vector<std::size_t> loops;
  std::vector<std::size_t> places;
  std::vector<ReadResult> results(plan.targets.size());
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    const FetchTarget& target = *plan.targets[i];
    if (plan.topics[i].error != ErrorCode::none) {
      results[i].error = plan.topics[i].error;
      continue;
    }
    items.push_back({.id = {plan.topics[i].topic->id, target.key.partition},
                     .offset = target.offset,
                     .leader_epoch = target.leader_epoch,
                     .last_fetched_epoch = target.last_fetched_epoch,
                     .max_bytes = target.max_bytes});
    loops.push_back(
        context.partitions().loop_index(plan.topics[i].topic->name, target.key.partition));
    places.push_back(i);
  }
  if (items.empty()) co_return results;
  const bool spread = std::ranges::adjacent_find(loops, std::not_equal_to<>{}) != loops.end();
  std::vector<ReadResult> read = co_await replication::fan_out<ReadItem, ReadRequest, ReadResult>(
      context.partitions(), std::move(items), std::move(loops), plan.read, &replication::read);
  if (read.size() == results.size()) {
    results = std::move(read);
  } else {
    for (std::size_t i = 0; i < read.size(); ++i) results[places[i]] = std::move(read[i]);
  }
  if (spread) keep_within(results, plan.read.max_bytes);
  co_return results;
}

// Whether there is anything to say at once. Topics that are not there or may not be read do not
// keep the fetch from waiting for the others.
bool is_enough(const Plan& plan, const std::vector<ReadResult>& results, std::int64_t& missing) {
  missing = plan.min_bytes;
  bool any_readable = false;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!plan.topics[i].topic) continue;
    if (results[i].error != ErrorCode::none || results[i].diverging) return true;
    any_readable = true;
    missing -= static_cast<std::int64_t>(results[i].size_bytes);
  }
  return !any_readable || missing <= 0;
}

env::Task<void> wait(Context& context, const Plan& plan, const std::vector<ReadResult>& results,
                     std::int64_t missing) {
  std::vector<replication::Awaited> awaited;
  awaited.reserve(plan.targets.size());
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    if (!plan.topics[i].topic) continue;
    const auto& topic = *plan.topics[i].topic;
    const std::int32_t partition = plan.targets[i]->key.partition;
    awaited.push_back(
        {.loop = context.partitions().loop_index(topic.name, partition),
         .seen = {.id = {topic.id, partition}, .high_watermark = results[i].high_watermark}});
  }
  co_await replication::wait_for_more(context.partitions(), std::move(awaited), missing,
                                      plan.deadline, context.peer()->watchers);
}

env::Task<std::vector<ReadResult>> read_until_enough(Context& context, Plan& plan) {
  for (;;) {
    look_up(context, plan);
    std::vector<ReadResult> results = co_await read_all(context, plan);
    std::int64_t missing = 0;
    if (is_enough(plan, results, missing) || context.peer()->watchers.closed() ||
        context.now() >= plan.deadline) {
      co_return results;
    }
    co_await wait(context, plan, results, missing);
  }
}

ReadRequest limits_of(const FetchRequest& request, Context& context) {
  const net::MemoryBudget& budget = context.loop().budget();
  const std::size_t used = budget.used(net::Share::answers);
  const std::size_t limit = budget.limit(net::Share::answers);
  const std::size_t left = std::max(limit > used ? limit - used : 0, least_answer_bytes);
  const std::int32_t most = std::min(request.max_bytes, context.config()->fetch_max_bytes);
  return {.max_bytes = static_cast<std::int32_t>(
              std::min<std::size_t>(static_cast<std::size_t>(std::max(most, 0)), left)),
          .committed = request.isolation_level == read_committed};
}

FetchResponse refuse_all(const FetchRequest& request, ErrorCode code) {
  FetchResponse response;
  for (const auto& topic : request.topics) {
    auto& answer = response.responses.emplace_back();
    answer.topic = topic.topic;
    answer.topic_id = topic.topic_id;
    for (const auto& partition : topic.partitions) {
      auto& data = answer.partitions.emplace_back();
      data.partition_index = partition.partition;
      data.error_code = code;
      data.high_watermark = -1;
      data.aborted_transactions.reset();
    }
  }
  return response;
}

// Followers fetch with their broker's id: for brokers only.
void check_replica(FetchRequest& request, const net::Context& context,
                   net::Refusals<FetchResponse>& refusals) {
  if (replica_of(request, context.version()).value() < 0) return;
  if (context.authorization().allows_cluster(AclOperation::cluster_action)) return;
  refusals.whole(refuse_all(request, ErrorCode::topic_authorization_failed));
}

env::Task<FetchResponse> handle(FetchRequest request, Context& context) {
  if (replica_of(request, context.version()).value() >= 0) {
    // This node is alone: no other broker holds a replica of anything here.
    co_return refuse_all(request, ErrorCode::not_leader_or_follower);
  }
  auto session = take_session(request, context);
  if (!session) {
    FetchResponse response;
    response.error_code = session.error().code;
    co_return response;
  }
  Plan plan;
  std::vector<FetchTarget> alone;
  if (*session) {
    for (auto& target : (*session)->targets()) plan.targets.push_back(&target);
  } else {
    alone = targets_of(request);
    for (auto& target : alone) plan.targets.push_back(&target);
  }
  plan.read = limits_of(request, context);
  plan.min_bytes = std::min(request.min_bytes, plan.read.max_bytes);
  plan.deadline = context.now() + env::milliseconds(std::max(request.max_wait_ms, 0));
  if (*session) (*session)->set_busy(true);
  const std::vector<ReadResult> results = co_await read_until_enough(context, plan);
  if (*session) (*session)->set_busy(false);
  const bool incremental = *session && request.session_epoch > initial_epoch;
  FetchResponse response =
      answer_of(context, plan.targets, results, incremental, plan.read.committed);
  if (*session) {
    response.session_id = (*session)->id();
    rotate(**session, plan.targets, results);
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> fetch_handler() {
  return net::make_handler<FetchRequest, Context>(handle, net::Checks<FetchRequest>(check_replica));
}

}  // namespace arus::broker
