// OffsetForLeaderEpoch: where the log of an epoch ends, for clients that look for truncation.
#include "protocol/api/offset_for_leader_epoch.h"

#include <vector>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/topic_lookup.h"
#include "replication/fan_out.h"
#include "replication/look_up.h"

namespace arus::broker {
namespace {

using protocol::OffsetForLeaderEpochRequest;
using protocol::OffsetForLeaderEpochResponse;
using replication::EpochLookup;
using replication::EpochLookupResult;
using security::AclOperation;

struct EpochPlace {
  std::size_t topic = 0;
  std::size_t partition = 0;
};

env::Task<OffsetForLeaderEpochResponse> handle(OffsetForLeaderEpochRequest request,
                                               Context& context) {
  OffsetForLeaderEpochResponse response;
  // Other brokers may ask about everything.
  const bool is_broker =
      context.authorization().allows_cluster(AclOperation::cluster_action, net::Audit::quiet);
  std::vector<EpochLookup> lookups;
  std::vector<std::size_t> loops;
  std::vector<EpochPlace> places;
  for (const auto& asked : request.topics) {
    auto& topic = response.topics.emplace_back();
    topic.topic = asked.topic;
    const auto known = is_broker ? TopicLookup{.topic = context.image()->topic(asked.topic)}
                                 : find_topic(context, asked.topic, AclOperation::describe);
    for (const auto& partition : asked.partitions) {
      auto& answer = topic.partitions.emplace_back();
      answer.partition = partition.partition;
      answer.error_code = known.topic                      ? ErrorCode::none
                          : known.error != ErrorCode::none ? known.error
                                                           : ErrorCode::unknown_topic_or_partition;
      if (!known.topic) continue;
      lookups.push_back({.id = {known.topic->id, partition.partition},
                         .current_epoch = partition.current_leader_epoch,
                         .epoch = partition.leader_epoch});
      loops.push_back(context.partitions().loop_index(asked.topic, partition.partition));
      places.push_back({response.topics.size() - 1, topic.partitions.size() - 1});
    }
  }
  const auto results =
      co_await replication::fan_out<EpochLookup, replication::NoOptions, EpochLookupResult>(
          context.partitions(), std::move(lookups), std::move(loops), {},
          &replication::look_up_epochs);
  for (std::size_t i = 0; i < results.size(); ++i) {
    auto& answer = response.topics[places[i].topic].partitions[places[i].partition];
    answer.error_code = results[i].error;
    answer.leader_epoch = results[i].end.epoch.value();
    answer.end_offset = results[i].end.end.value();
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> offset_for_leader_epoch_handler() {
  return net::make_handler<OffsetForLeaderEpochRequest, Context>(
      handle,
      net::checked_in_handler<OffsetForLeaderEpochRequest>("brokers may ask about every topic"));
}

}  // namespace arus::broker
