// WriteTxnMarkers: ends transactions in partitions, for coordinators on other brokers and for
// administrators who free a partition from a transaction that hangs.
#include "protocol/api/write_txn_markers.h"

#include <utility>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "coordinator/group/group_machine.h"
#include "coordinator/runtime/coordinator.h"
#include "replication/fan_out.h"
#include "replication/markers.h"

namespace arus::broker {
namespace {

using protocol::WriteTxnMarkersRequest;
using protocol::WriteTxnMarkersResponse;
using Marker = WriteTxnMarkersRequest::WritableTxnMarker;
using replication::MarkerItem;
using replication::MarkerRequest;
using replication::MarkerResult;
using security::AclOperation;

// Where the answer of one marker in one partition goes.
struct Place {
  std::size_t marker = 0;
  std::size_t topic = 0;
  std::size_t partition = 0;
};

struct Work {
  std::vector<MarkerItem> items;
  std::vector<std::size_t> loops;
  std::vector<Place> places;
  std::vector<Place> in_offsets;  // partitions of __consumer_offsets
};

ErrorCode& code_at(WriteTxnMarkersResponse& response, const Place& place) {
  return response.markers[place.marker].topics[place.topic].partitions[place.partition].error_code;
}

// An answer for everything that is asked, and what is to be done for it.
Work collect(const Context& context, const WriteTxnMarkersRequest& request,
             WriteTxnMarkersResponse& response) {
  Work work;
  const auto image = context.image();
  for (const Marker& marker : request.markers) {
    auto& answered = response.markers.emplace_back();
    answered.producer_id = marker.producer_id;
    for (const auto& asked : marker.topics) {
      auto& topic = answered.topics.emplace_back();
      topic.name = asked.name;
      const auto known = image->topic(asked.name);
      for (const std::int32_t partition : asked.partition_indexes) {
        auto& entry = topic.partitions.emplace_back();
        entry.partition_index = partition;
        const Place place{response.markers.size() - 1, answered.topics.size() - 1,
                          topic.partitions.size() - 1};
        if (!known || partition < 0 || partition >= std::ssize(known->partitions)) {
          entry.error_code = ErrorCode::unknown_topic_or_partition;
        } else if (asked.name == context.groups().topic()) {
          work.in_offsets.push_back(place);
        } else {
          work.items.push_back({.id = {known->id, partition},
                                .producer_id = marker.producer_id,
                                .producer_epoch = marker.producer_epoch,
                                .coordinator_epoch = marker.coordinator_epoch,
                                .committed = marker.transaction_result,
                                .transaction_version = marker.transaction_version});
          work.loops.push_back(context.partitions().loop_index(asked.name, partition));
          work.places.push_back(place);
        }
      }
    }
  }
  return work;
}

// A coordinator of transactions knows what to do about a leader that has moved.
ErrorCode as_leaders_say_it(ErrorCode code) {
  switch (code) {
    case ErrorCode::coordinator_not_available:
    case ErrorCode::coordinator_load_in_progress:
    case ErrorCode::not_coordinator:
      return ErrorCode::not_leader_or_follower;
    default:
      return code;
  }
}

env::Task<WriteTxnMarkersResponse> handle(WriteTxnMarkersRequest request, Context& context) {
  WriteTxnMarkersResponse response;
  const net::Authorization& may = context.authorization();
  if (!may.allows_cluster(AclOperation::alter, net::Audit::quiet) &&
      !may.allows_cluster(AclOperation::cluster_action)) {
    collect(context, request, response);
    for (auto& marker : response.markers) {
      for (auto& topic : marker.topics) {
        for (auto& partition : topic.partitions) {
          partition.error_code = ErrorCode::cluster_authorization_failed;
        }
      }
    }
    co_return response;
  }
  Work work = collect(context, request, response);
  const MarkerRequest markers{.deadline = context.now() +
                                          env::milliseconds(context.config()->request_timeout_ms)};
  if (!work.items.empty()) {
    const auto results = co_await replication::fan_out<MarkerItem, MarkerRequest, MarkerResult>(
        context.partitions(), std::move(work.items), std::move(work.loops), markers,
        &replication::append_markers);
    for (std::size_t i = 0; i < results.size(); ++i) {
      code_at(response, work.places[i]) = results[i].error;
    }
  }
  for (const Place& place : work.in_offsets) {
    const Marker& marker = request.markers[place.marker];
    const auto ended = co_await context.groups().end_transaction(
        marker.topics[place.topic].partition_indexes[place.partition], marker.producer_id,
        marker.producer_epoch, marker.coordinator_epoch, marker.transaction_result,
        marker.transaction_version);
    if (!ended) code_at(response, place) = as_leaders_say_it(ended.error().code);
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> write_txn_markers_handler() {
  return net::make_handler<WriteTxnMarkersRequest, Context>(
      handle, net::checked_in_handler<WriteTxnMarkersRequest>(
                  "the refusal needs the outline of the answer"));
}

}  // namespace arus::broker
