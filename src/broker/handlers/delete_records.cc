// DeleteRecords: moves the start of partitions.
#include "protocol/api/delete_records.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/topic_lookup.h"
#include "broker/handlers/topic_names.h"
#include "replication/delete_records.h"
#include "replication/fan_out.h"

namespace arus::broker {
namespace {

using protocol::DeleteRecordsRequest;
using protocol::DeleteRecordsResponse;
using replication::Deletion;
using replication::DeletionOptions;
using replication::DeletionResult;

constexpr std::int64_t no_low_watermark = -1;

// Where the answer of one partition goes.
struct Place {
  std::size_t topic = 0;
  std::size_t partition = 0;
};

env::Task<DeleteRecordsResponse> handle(DeleteRecordsRequest request, Context& context) {
  DeleteRecordsResponse response;
  std::vector<Deletion> deletions;
  std::vector<std::size_t> loops;
  std::vector<Place> places;
  for (const auto& asked : request.topics) {
    auto& topic = response.topics.emplace_back();
    topic.name = asked.name;
    auto known = find_topic(context, asked.name, security::AclOperation::remove);
    if (known.topic && is_internal_topic(asked.name)) {
      known.error = ErrorCode::invalid_topic_exception;
    }
    for (const auto& partition : asked.partitions) {
      auto& answer = topic.partitions.emplace_back();
      answer.partition_index = partition.partition_index;
      answer.low_watermark = no_low_watermark;
      answer.error_code = known.error;
      if (known.error != ErrorCode::none) continue;
      deletions.push_back({{known.topic->id, partition.partition_index}, partition.offset});
      loops.push_back(context.partitions().loop_index(asked.name, partition.partition_index));
      places.push_back({response.topics.size() - 1, topic.partitions.size() - 1});
    }
  }
  if (deletions.empty()) co_return response;
  const DeletionOptions options{.deadline = context.now() +
                                            env::milliseconds(std::max(request.timeout_ms, 0))};
  const auto results = co_await replication::fan_out<Deletion, DeletionOptions, DeletionResult>(
      context.partitions(), std::move(deletions), std::move(loops), options,
      &replication::delete_records);
  for (std::size_t i = 0; i < results.size(); ++i) {
    auto& answer = response.topics[places[i].topic].partitions[places[i].partition];
    answer.error_code = results[i].error;
    answer.low_watermark = results[i].low_watermark.value();
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> delete_records_handler() {
  return net::make_handler<DeleteRecordsRequest, Context>(
      handle, net::checked_in_handler<DeleteRecordsRequest>(
                  "one topic at a time, before it is looked for"));
}

}  // namespace arus::broker
