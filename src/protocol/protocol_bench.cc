// The ten messages that a broker meets most: its requests decoded, its answers checked and encoded
// into a frame as the pipeline does it. An iteration is a message.
#include "base/bench.h"
#include "protocol/api/api_versions.h"
#include "protocol/api/consumer_group_heartbeat.h"
#include "protocol/api/fetch.h"
#include "protocol/api/find_coordinator.h"
#include "protocol/api/heartbeat.h"
#include "protocol/api/list_offsets.h"
#include "protocol/api/metadata.h"
#include "protocol/api/offset_commit.h"
#include "protocol/api/offset_fetch.h"
#include "protocol/api/produce.h"
#include "protocol/api_key.h"
#include "protocol/frame.h"

namespace arus::protocol {
namespace {

constexpr std::int32_t topics = 4;
constexpr std::int32_t partitions_of_topic = 8;

std::string topic_name(int topic) { return "orders.of.region." + std::to_string(topic); }
Uuid topic_id(int topic) {
  return Uuid::of_halves(0x1234567890abcdefULL, static_cast<std::uint64_t>(topic) + 1);
}
const std::string group = "payments-consumer-group";
const std::string member = "consumer-payments-1-0b6bb5b9-9a3e-4a4f-8f2e-3f1f8f0a7d11";
const std::string broker_host = "broker-1.kafka.example.org";
const Slice batch{Bytes(4096, 'x')};

// Topics, with eight elements each in the member that is named; `fill` is called with each.
template <class Topics, class Partitions, class Fill>
Topics fill_topics(Partitions Topics::value_type::* partitions, const Fill& fill) {
  Topics all;
  for (int topic = 0; topic < topics; ++topic) {
    auto& one = all.emplace_back();
    if constexpr (requires { one.name; }) one.name = topic_name(topic);
    if constexpr (requires { one.topic; }) one.topic = topic_name(topic);
    if constexpr (requires { one.topic_id; }) one.topic_id = topic_id(topic);
    for (std::int32_t i = 0; i < partitions_of_topic; ++i) {
      fill((one.*partitions).emplace_back(), i);
    }
  }
  return all;
}

void fill(ProduceRequest& request) {
  request.acks = -1;
  request.timeout_ms = 30'000;
  request.topic_data = fill_topics<decltype(request.topic_data)>(
      &ProduceRequest::TopicProduceData::partition_data, [](auto& one, std::int32_t index) {
        one.index = index;
        one.records = batch;
      });
}
void fill(ProduceResponse& response) {
  response.responses = fill_topics<decltype(response.responses)>(
      &ProduceResponse::TopicProduceResponse::partition_responses,
      [](auto& one, std::int32_t index) {
        one.index = index;
        one.base_offset = 1'000'000 + index;
        one.log_start_offset = 0;
      });
}
void fill(FetchRequest& request) {
  request.max_wait_ms = 500;
  request.min_bytes = 1;
  request.topics = fill_topics<decltype(request.topics)>(&FetchRequest::FetchTopic::partitions,
                                                         [](auto& one, std::int32_t index) {
                                                           one.partition = index;
                                                           one.current_leader_epoch = 7;
                                                           one.fetch_offset = 1'000'000;
                                                           one.partition_max_bytes = 1 << 20;
                                                         });
}
void fill(FetchResponse& response) {
  response.session_id = 77;
  response.responses = fill_topics<decltype(response.responses)>(
      &FetchResponse::FetchableTopicResponse::partitions, [](auto& one, std::int32_t index) {
        one.partition_index = index;
        one.high_watermark = 1'000'100;
        one.last_stable_offset = 1'000'100;
        one.log_start_offset = 0;
        one.records = batch;
      });
}
void fill(MetadataRequest& request) {
  for (int topic = 0; topic < topics; ++topic) {
    request.topics->emplace_back().name = topic_name(topic);
  }
}
void fill(MetadataResponse& response) {
  for (int i = 0; i < 3; ++i) {
    response.brokers.push_back({.node_id = BrokerId{i}, .host = broker_host, .port = 9092});
  }
  response.cluster_id = "MkU3OEVBNTcwNTJENDM2Qg";
  response.controller_id = BrokerId{1};
  response.topics = fill_topics<decltype(response.topics)>(
      &MetadataResponse::MetadataResponseTopic::partitions, [](auto& one, std::int32_t index) {
        one.partition_index = index;
        one.leader_id = BrokerId{1};
        one.leader_epoch = 7;
        one.replica_nodes = {BrokerId{0}, BrokerId{1}, BrokerId{2}};
        one.isr_nodes = one.replica_nodes;
      });
}
void fill(ListOffsetsRequest& request) {
  request.replica_id = BrokerId{-1};
  request.topics = fill_topics<decltype(request.topics)>(
      &ListOffsetsRequest::ListOffsetsTopic::partitions, [](auto& one, std::int32_t index) {
        one.partition_index = index;
        one.timestamp = -1;
      });
}
void fill(ListOffsetsResponse& response) {
  response.topics = fill_topics<decltype(response.topics)>(
      &ListOffsetsResponse::ListOffsetsTopicResponse::partitions,
      [](auto& one, std::int32_t index) {
        one.partition_index = index;
        one.offset = 1'000'000;
        one.leader_epoch = 7;
      });
}
void fill(OffsetCommitRequest& request) {
  request.group_id = group;
  request.generation_id_or_member_epoch = 12;
  request.member_id = member;
  request.topics = fill_topics<decltype(request.topics)>(
      &OffsetCommitRequest::OffsetCommitRequestTopic::partitions,
      [](auto& one, std::int32_t index) {
        one.partition_index = index;
        one.committed_offset = 1'000'000;
        one.committed_leader_epoch = 7;
      });
}
void fill(OffsetCommitResponse& response) {
  response.topics = fill_topics<decltype(response.topics)>(
      &OffsetCommitResponse::OffsetCommitResponseTopic::partitions,
      [](auto& one, std::int32_t index) { one.partition_index = index; });
}
void fill(OffsetFetchRequest& request) {
  auto& one = request.groups.emplace_back();
  one.group_id = group;
  one.topics = fill_topics<std::vector<OffsetFetchRequest::OffsetFetchRequestTopics>>(
      &OffsetFetchRequest::OffsetFetchRequestTopics::partition_indexes,
      [](std::int32_t& partition, std::int32_t index) { partition = index; });
}
void fill(OffsetFetchResponse& response) {
  auto& one = response.groups.emplace_back();
  one.group_id = group;
  one.topics =
      fill_topics<decltype(one.topics)>(&OffsetFetchResponse::OffsetFetchResponseTopics::partitions,
                                        [](auto& partition, std::int32_t index) {
                                          partition.partition_index = index;
                                          partition.committed_offset = 1'000'000;
                                          partition.committed_leader_epoch = 7;
                                        });
}
void fill(HeartbeatRequest& request) {
  request.group_id = group;
  request.generation_id = 12;
  request.member_id = member;
}
void fill(HeartbeatResponse& response) { response.throttle_time_ms = 0; }
void fill(ConsumerGroupHeartbeatRequest& request) {
  request.group_id = group;
  request.member_id = member;
  request.member_epoch = 12;
}
void fill(ConsumerGroupHeartbeatResponse& response) {
  response.member_id = member;
  response.member_epoch = 12;
  response.heartbeat_interval_ms = 5'000;
}
void fill(FindCoordinatorRequest& request) { request.coordinator_keys = {group}; }
void fill(FindCoordinatorResponse& response) {
  response.coordinators.push_back(
      {.key = group, .node_id = BrokerId{1}, .host = broker_host, .port = 9092});
}
void fill(ApiVersionsRequest& request) {
  request.client_software_name = "apache-kafka-java";
  request.client_software_version = "4.3.1";
}
void fill(ApiVersionsResponse& response) {
  for (const ApiInfo& api : all_apis()) {
    response.api_keys.push_back({.api_key = static_cast<std::int16_t>(api.key),
                                 .min_version = api.versions.min,
                                 .max_version = api.versions.max});
  }
}

template <class Request>
void decode(benchmark::State& state) {
  Request request;
  fill(request);
  Writer out;
  request.encode(out, Request::max_version);
  const Slice body(out.take_bytes());
  for (auto _ : state) {
    auto decoded = Request::decode(body, Request::max_version);
    if (!decoded) state.SkipWithError("refused");
    benchmark::DoNotOptimize(decoded);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}

template <class Response>
void encode(benchmark::State& state) {
  Response response;
  fill(response);
  for (auto _ : state) {
    if (!response.check(Response::max_version)) state.SkipWithError("cannot be said");
    Writer out(128);
    response.encode(out, Response::max_version);
    benchmark::DoNotOptimize(make_frame(std::move(out)));
  }
}

BENCHMARK_TEMPLATE(decode, ProduceRequest)->Apply(counted);
BENCHMARK_TEMPLATE(decode, FetchRequest)->Apply(counted);
BENCHMARK_TEMPLATE(decode, MetadataRequest)->Apply(counted);
BENCHMARK_TEMPLATE(decode, ListOffsetsRequest)->Apply(counted);
BENCHMARK_TEMPLATE(decode, OffsetCommitRequest)->Apply(counted);
BENCHMARK_TEMPLATE(decode, OffsetFetchRequest)->Apply(counted);
BENCHMARK_TEMPLATE(decode, HeartbeatRequest)->Apply(counted);
BENCHMARK_TEMPLATE(decode, ConsumerGroupHeartbeatRequest)->Apply(counted);
BENCHMARK_TEMPLATE(decode, FindCoordinatorRequest)->Apply(counted);
BENCHMARK_TEMPLATE(decode, ApiVersionsRequest)->Apply(counted);
BENCHMARK_TEMPLATE(encode, ProduceResponse)->Apply(counted);
BENCHMARK_TEMPLATE(encode, FetchResponse)->Apply(counted);
BENCHMARK_TEMPLATE(encode, MetadataResponse)->Apply(counted);
BENCHMARK_TEMPLATE(encode, ListOffsetsResponse)->Apply(counted);
BENCHMARK_TEMPLATE(encode, OffsetCommitResponse)->Apply(counted);
BENCHMARK_TEMPLATE(encode, OffsetFetchResponse)->Apply(counted);
BENCHMARK_TEMPLATE(encode, HeartbeatResponse)->Apply(counted);
BENCHMARK_TEMPLATE(encode, ConsumerGroupHeartbeatResponse)->Apply(counted);
BENCHMARK_TEMPLATE(encode, FindCoordinatorResponse)->Apply(counted);
BENCHMARK_TEMPLATE(encode, ApiVersionsResponse)->Apply(counted);

}  // namespace
}  // namespace arus::protocol
