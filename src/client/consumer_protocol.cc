#include "client/consumer_protocol.h"

#include <algorithm>

#include "protocol/record/consumer_protocol_assignment.h"
#include "protocol/record/consumer_protocol_subscription.h"

namespace arus::client {
namespace {

std::optional<Bytes> bytes_of(const std::optional<Slice>& slice) {
  if (!slice) return std::nullopt;
  return Bytes(slice->view().begin(), slice->view().end());
}

std::optional<Slice> slice_of(std::optional<Bytes>&& bytes) {
  if (!bytes) return std::nullopt;
  return Slice(std::move(*bytes));
}

// The version and the message behind it.
template <class Message>
Bytes encode(const Message& message) {
  Writer out;
  out.i16(Message::max_version);
  message.encode(out, Message::max_version);
  return out.take_bytes();
}

template <class Message>
Result<Message> decode(const Slice& bytes) {
  Reader in{bytes.view()};
  const std::int16_t version = in.i16();
  if (!in.ok() || version < Message::min_version) {
    return fail(ErrorCode::corrupt_message, "A member's data has no version that can be");
  }
  return Message::decode(in, std::min(version, Message::max_version));
}

}  // namespace

Bytes encode_subscription(ConsumerSubscription subscription) {
  protocol::ConsumerProtocolSubscription message;
  std::ranges::sort(subscription.topics);
  std::ranges::sort(subscription.owned);
  message.topics = std::move(subscription.topics);
  message.user_data = slice_of(std::move(subscription.user_data));
  by_topic(
      subscription.owned,
      [&](const std::string& topic) { message.owned_partitions.emplace_back().topic = topic; },
      [&](std::int32_t index) { message.owned_partitions.back().partitions.push_back(index); });
  message.generation_id = subscription.generation;
  message.rack_id = std::move(subscription.rack);
  return encode(message);
}

Bytes encode_assignment(ConsumerAssignment assignment) {
  protocol::ConsumerProtocolAssignment message;
  std::ranges::sort(assignment.partitions);
  by_topic(
      assignment.partitions,
      [&](const std::string& topic) { message.assigned_partitions.emplace_back().topic = topic; },
      [&](std::int32_t index) { message.assigned_partitions.back().partitions.push_back(index); });
  message.user_data = slice_of(std::move(assignment.user_data));
  return encode(message);
}

Result<ConsumerSubscription> decode_subscription(const Slice& bytes) {
  auto message = decode<protocol::ConsumerProtocolSubscription>(bytes);
  if (!message) return fail(std::move(message).error());
  ConsumerSubscription subscription;
  subscription.topics = std::move(message->topics);
  for (const auto& topic : message->owned_partitions) {
    for (const std::int32_t index : topic.partitions) {
      subscription.owned.push_back({topic.topic, index});
    }
  }
  subscription.generation = message->generation_id;
  subscription.rack = std::move(message->rack_id);
  subscription.user_data = bytes_of(message->user_data);
  return subscription;
}

Result<ConsumerAssignment> decode_assignment(const Slice& bytes) {
  ConsumerAssignment assignment;
  if (bytes.empty()) return assignment;
  auto message = decode<protocol::ConsumerProtocolAssignment>(bytes);
  if (!message) return fail(std::move(message).error());
  for (const auto& topic : message->assigned_partitions) {
    for (const std::int32_t index : topic.partitions) {
      assignment.partitions.push_back({topic.topic, index});
    }
  }
  assignment.user_data = bytes_of(message->user_data);
  return assignment;
}

}  // namespace arus::client
