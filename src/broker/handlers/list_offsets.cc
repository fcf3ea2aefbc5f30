// ListOffsets: the first, last and newest offsets of partitions, and those of timestamps.
#include "protocol/api/list_offsets.h"

#include <set>
#include <utility>
#include <vector>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/topic_lookup.h"
#include "replication/fan_out.h"
#include "replication/look_up.h"

namespace arus::broker {
namespace {

using protocol::ListOffsetsRequest;
using protocol::ListOffsetsResponse;
using replication::OffsetLookup;
using replication::OffsetLookupOptions;
using replication::OffsetLookupResult;
using security::AclOperation;

constexpr std::int8_t read_committed = 1;
constexpr std::int16_t leader_epochs_from_version = 4;

struct Place {
  std::size_t topic = 0;
  std::size_t partition = 0;
};

// The first version that knows a special timestamp; nothing for one that nobody knows, and for −7,
// which is not served.
std::optional<std::int16_t> version_of(std::int64_t timestamp) {
  switch (timestamp) {
    case replication::latest_offset:
    case replication::earliest_offset:
      return std::int16_t{0};
    case replication::max_timestamp_offset:
      return std::int16_t{7};
    case replication::earliest_local_offset:
      return std::int16_t{8};
    case replication::latest_tiered_offset:
      return std::int16_t{9};
    case replication::earliest_pending_upload_offset:
      return std::int16_t{11};
    default:
      return std::nullopt;
  }
}

bool is_known(std::int64_t timestamp, std::int16_t version) {
  if (timestamp >= 0) return true;
  const auto since = version_of(timestamp);
  return since && version >= *since;
}

// Partitions that the request names twice.
std::set<std::pair<std::string, std::int32_t>> duplicates_in(const ListOffsetsRequest& request) {
  std::set<std::pair<std::string, std::int32_t>> seen;
  std::set<std::pair<std::string, std::int32_t>> twice;
  for (const auto& topic : request.topics) {
    for (const auto& partition : topic.partitions) {
      if (!seen.emplace(topic.name, partition.partition_index).second) {
        twice.emplace(topic.name, partition.partition_index);
      }
    }
  }
  return twice;
}

env::Task<ListOffsetsResponse> handle(ListOffsetsRequest request, Context& context) {
  ListOffsetsResponse response;
  std::vector<OffsetLookup> lookups;
  std::vector<std::size_t> loops;
  std::vector<Place> places;
  const auto twice = duplicates_in(request);
  for (const auto& asked : request.topics) {
    auto& topic = response.topics.emplace_back();
    topic.name = asked.name;
    const auto known = find_topic(context, asked.name, AclOperation::describe);
    for (const auto& partition : asked.partitions) {
      auto& answer = topic.partitions.emplace_back();
      answer.partition_index = partition.partition_index;
      answer.error_code = known.error;
      if (known.error != ErrorCode::none) continue;
      if (twice.contains({asked.name, partition.partition_index})) {
        answer.error_code = ErrorCode::invalid_request;
        continue;
      }
      if (!is_known(partition.timestamp, context.version())) {
        answer.error_code = ErrorCode::unsupported_version;
        continue;
      }
      lookups.push_back({.id = {known.topic->id, partition.partition_index},
                         .current_epoch = partition.current_leader_epoch,
                         .timestamp = partition.timestamp});
      loops.push_back(context.partitions().loop_index(asked.name, partition.partition_index));
      places.push_back({response.topics.size() - 1, topic.partitions.size() - 1});
    }
  }
  const OffsetLookupOptions options{.committed = request.isolation_level == read_committed};
  const auto results =
      co_await replication::fan_out<OffsetLookup, OffsetLookupOptions, OffsetLookupResult>(
          context.partitions(), std::move(lookups), std::move(loops), options,
          &replication::look_up_offsets);
  for (std::size_t i = 0; i < results.size(); ++i) {
    auto& answer = response.topics[places[i].topic].partitions[places[i].partition];
    answer.error_code = results[i].error;
    answer.timestamp = results[i].found.timestamp_ms;
    answer.offset = results[i].found.offset.value();
    if (context.version() >= leader_epochs_from_version) {
      answer.leader_epoch = results[i].found.leader_epoch.value();
    }
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> list_offsets_handler() {
  return net::make_handler<ListOffsetsRequest, Context>(
      handle,
      net::checked_in_handler<ListOffsetsRequest>("one topic at a time, before it is looked for"));
}

}  // namespace arus::broker
