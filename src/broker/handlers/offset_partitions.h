// What the requests about committed offsets have in common: partitions of topics, some of which are
// refused before the coordinator is asked about the others.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "broker/context.h"
#include "broker/handlers/group_caller.h"
#include "broker/handlers/topic_lookup.h"

namespace arus::broker {

// Where the answer of one partition goes.
struct OffsetPlace {
  std::size_t topic = 0;
  std::size_t partition = 0;
};

// Writes an answer for every partition into `response`, in the order of `topics`, with the code of
// those that are refused: the topic may not be used or does not exist, or it has no such partition.
// `topics` keeps the others; the places of these are given, in their order.
// look_up(topic) gives a TopicLookup; outline(answer, topic) what names the topic in the answer;
// identify(topic, image) what names it to the coordinator.
template <class Response, class Topic, class LookUp, class Outline, class Identify>
std::vector<OffsetPlace> keep_existing(Response& response, std::vector<Topic>& topics,
                                       LookUp look_up, Outline outline, Identify identify) {
  std::vector<OffsetPlace> places;
  std::vector<Topic> kept;
  response.topics.reserve(topics.size());
  for (Topic& topic : topics) {
    auto& answer = response.topics.emplace_back();
    outline(answer, topic);
    const TopicLookup found = look_up(topic);
    auto partitions = std::exchange(topic.partitions, {});
    answer.partitions.reserve(partitions.size());
    for (auto& partition : partitions) {
      auto& result = answer.partitions.emplace_back();
      result.partition_index = partition.partition_index;
      result.error_code = found.error;
      if (found.error != ErrorCode::none) continue;
      const auto count = static_cast<std::int32_t>(found.topic->partitions.size());
      if (partition.partition_index < 0 || partition.partition_index >= count) {
        result.error_code = ErrorCode::unknown_topic_or_partition;
        continue;
      }
      places.push_back({response.topics.size() - 1, answer.partitions.size() - 1});
      topic.partitions.push_back(std::move(partition));
    }
    if (topic.partitions.empty()) continue;
    identify(topic, *found.topic);
    kept.push_back(std::move(topic));
  }
  topics = std::move(kept);
  return places;
}

// Puts one code where the coordinator was to answer.
template <class Response>
void put_codes(Response& response, const std::vector<OffsetPlace>& places, ErrorCode code) {
  for (const OffsetPlace& place : places) {
    response.topics[place.topic].partitions[place.partition].error_code = code;
  }
}

// Puts the codes of the coordinator's answer, which has the partitions in the order of the places.
template <class Response>
void put_codes(Response& response, const std::vector<OffsetPlace>& places, const Response& given) {
  std::size_t next = 0;
  for (const auto& topic : given.topics) {
    for (const auto& partition : topic.partitions) {
      if (next == places.size()) return;
      const OffsetPlace& place = places[next++];
      response.topics[place.topic].partitions[place.partition].error_code = partition.error_code;
    }
  }
}

// An answer that says the same of every partition.
template <class Response, class Request, class Outline>
Response refuse_partitions(const Request& request, ErrorCode code, Outline outline) {
  Response response;
  for (const auto& topic : request.topics) {
    auto& answer = response.topics.emplace_back();
    outline(answer, topic);
    for (const auto& partition : topic.partitions) {
      auto& result = answer.partitions.emplace_back();
      result.partition_index = partition.partition_index;
      result.error_code = code;
    }
  }
  return response;
}

}  // namespace arus::broker
