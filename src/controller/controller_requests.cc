// Controller: its side of each request.
#include <fmt/core.h>

#include "controller/acls.h"
#include "controller/configs.h"
#include "controller/controller.h"
#include "controller/elections.h"
#include "controller/feature_updates.h"
#include "controller/quotas.h"
#include "controller/topics.h"

namespace arus::controller {
namespace {

constexpr std::int32_t producer_id_block = 1000;
constexpr std::size_t max_pending_bytes = std::size_t{64} << 20;

}  // namespace

env::Task<Result<>> Controller::change_here(env::TimePoint deadline, const Change& decide) {
  gate_.enter();
  // A change waits while the log is that far behind: what waits is bounded.
  while (quorum_.log().pending_bytes() > max_pending_bytes) {
    if (!co_await progress_.wait_until(deadline)) break;
  }
  Result<Records> records;
  Result<> done = check_open();
  if (done && quorum_.log().pending_bytes() > max_pending_bytes) {
    done = fail(ErrorCode::request_timed_out, "The metadata log is too far behind");
  }
  if (done) {
    records = decide(context());
    if (!records) done = fail(records.error());
  }
  if (done && !records->empty()) {
    const auto end = append(*records);
    done = end ? co_await committed(*end, deadline) : fail(end.error());
  }
  gate_.leave();
  co_return done;
}

env::Task<Result<>> Controller::change(env::TimePoint deadline, const Change& decide) {
  auto here = [this, deadline, &decide] [[clang::coro_wrapper]] () {
    return change_here(deadline, decide);
  };
  co_return co_await env::call(home_, here, env::Priority::control);
}

template <class Request, class Response>
env::Task<Result<Response>> Controller::perform(env::TimePoint deadline, Request request,
                                                Decide<Request, Response> decide) {
  Response response;
  const Change decided = [&](const DecisionContext& context) -> Result<Records> {
    auto decision = decide(context, request);
    if (!decision) return fail(std::move(decision).error());
    response = std::move(decision->response);
    return std::move(decision->records);
  };
  auto done = co_await change(deadline, decided);
  if (!done) co_return fail(std::move(done).error());
  co_return std::move(response);
}

#define ARUS_CONTROLLER_REQUEST(name, Type)                                                       \
  env::Task<Result<protocol::Type##Response>> Controller::name(CallerContext caller,              \
                                                               protocol::Type##Request request) { \
    co_return co_await perform<protocol::Type##Request, protocol::Type##Response>(                \
        caller.deadline, std::move(request), &controller::name);                                  \
  }

ARUS_CONTROLLER_REQUEST(create_topics, CreateTopics)
ARUS_CONTROLLER_REQUEST(delete_topics, DeleteTopics)
ARUS_CONTROLLER_REQUEST(create_partitions, CreatePartitions)
ARUS_CONTROLLER_REQUEST(alter_configs, AlterConfigs)
ARUS_CONTROLLER_REQUEST(incremental_alter_configs, IncrementalAlterConfigs)
ARUS_CONTROLLER_REQUEST(create_acls, CreateAcls)
ARUS_CONTROLLER_REQUEST(delete_acls, DeleteAcls)
ARUS_CONTROLLER_REQUEST(alter_client_quotas, AlterClientQuotas)
ARUS_CONTROLLER_REQUEST(alter_user_scram_credentials, AlterUserScramCredentials)
ARUS_CONTROLLER_REQUEST(elect_leaders, ElectLeaders)
ARUS_CONTROLLER_REQUEST(alter_partition_reassignments, AlterPartitionReassignments)
ARUS_CONTROLLER_REQUEST(list_partition_reassignments, ListPartitionReassignments)
ARUS_CONTROLLER_REQUEST(update_features, UpdateFeatures)
ARUS_CONTROLLER_REQUEST(unregister_broker, UnregisterBroker)
#undef ARUS_CONTROLLER_REQUEST

env::Task<Result<ProducerIdBlock>> Controller::allocate_here(BrokerId broker,
                                                             std::int64_t broker_epoch) {
  gate_.enter();
  ProducerIdBlock block{.first = ProducerId{0}, .count = producer_id_block};
  Result<> done = check_open();
  if (done) {
    const auto registered = newest_->broker(broker);
    if (registered == nullptr || registered->epoch != broker_epoch) {
      done = fail(ErrorCode::stale_broker_epoch,
                  fmt::format("Broker {} is not registered with the epoch {}", broker.value(),
                              broker_epoch));
    }
  }
  if (done) {
    const std::int64_t first = std::max<std::int64_t>(newest_->retained->next_producer_id, 0);
    block.first = ProducerId{first};
    protocol::ProducerIdsRecord record;
    record.broker_id = broker;
    record.broker_epoch = broker_epoch;
    record.next_producer_id = first + producer_id_block;
    if (first > INT64_MAX - producer_id_block) {
      done = fail(ErrorCode::unknown_server_error, "All producer ids have been handed out");
    } else {
      const auto end = append({record});
      done = end ? co_await committed(*end) : fail(end.error());
    }
  }
  gate_.leave();
  if (!done) co_return fail(std::move(done).error());
  co_return block;
}

env::Task<Result<ProducerIdBlock>> Controller::allocate_producer_ids(BrokerId broker,
                                                                     std::int64_t broker_epoch) {
  auto here = [this, broker, broker_epoch] [[clang::coro_wrapper]] () {
    return allocate_here(broker, broker_epoch);
  };
  co_return co_await env::call(home_, here, env::Priority::control);
}

Result<protocol::DescribeQuorumResponse> Controller::describe_here(
    const protocol::DescribeQuorumRequest& request) const {
  protocol::DescribeQuorumResponse response;
  bool described = false;
  for (const auto& wanted : request.topics) {
    auto& topic = response.topics.emplace_back();
    topic.topic_name = wanted.topic_name;
    for (const auto& one : wanted.partitions) {
      auto& partition = topic.partitions.emplace_back();
      partition.partition_index = one.partition_index;
      partition.leader_id = BrokerId{0};
      if (wanted.topic_name != "__cluster_metadata" || one.partition_index != 0) {
        partition.error_code = ErrorCode::unknown_topic_or_partition;
        partition.error_message = "This server does not host this topic-partition.";
        continue;
      }
      described = true;
      partition.leader_id = self_;
      partition.leader_epoch = quorum_.epoch().value();
      partition.high_watermark = quorum_.high_watermark().value();
      const std::int64_t now_ms = environment_.clock().wall_ms();
      for (const auto& voter : quorum_.voters().voters) {
        auto& replica = partition.current_voters.emplace_back();
        replica.replica_id = BrokerId{voter.id};
        replica.replica_directory_id = voter.directory_id;
        replica.log_end_offset = quorum_.end().value();
        replica.last_fetch_timestamp = now_ms;
        replica.last_caught_up_timestamp = now_ms;
      }
    }
  }
  if (!described) return response;
  for (const auto& voter : quorum_.voters().voters) {
    auto& node = response.nodes.emplace_back();
    node.node_id = BrokerId{voter.id};
    for (const auto& endpoint : voter.endpoints) {
      auto& listener = node.listeners.emplace_back();
      listener.name = endpoint.listener;
      listener.host = endpoint.host;
      listener.port = endpoint.port;
    }
  }
  return response;
}

env::Task<Result<protocol::DescribeQuorumResponse>> Controller::describe_quorum(
    CallerContext, protocol::DescribeQuorumRequest request) {
  auto here = [this, &request] { return describe_here(request); };
  co_return co_await env::call(home_, here, env::Priority::control);
}

}  // namespace arus::controller
