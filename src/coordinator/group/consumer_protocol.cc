#include "coordinator/group/consumer_protocol.h"

#include <algorithm>

#include "base/reader.h"
#include "base/writer.h"

namespace arus::coordinator {
namespace {

template <class Message>
Result<Message> read(ByteView bytes) {
  Reader in{bytes};
  const std::int16_t version = in.i16();
  if (!in.ok() || version < 0) {
    return fail(ErrorCode::invalid_request, "The embedded consumer protocol is malformed");
  }
  return Message::decode(in, std::min(version, Message::max_version));
}

}  // namespace

Result<protocol::ConsumerProtocolSubscription> read_subscription(ByteView bytes) {
  return read<protocol::ConsumerProtocolSubscription>(bytes);
}

Result<protocol::ConsumerProtocolAssignment> read_assignment(ByteView bytes) {
  if (bytes.empty()) return protocol::ConsumerProtocolAssignment{};
  return read<protocol::ConsumerProtocolAssignment>(bytes);
}

std::int16_t protocol_version_of(ByteView metadata) {
  Reader in{metadata};
  const std::int16_t version = in.i16();
  if (!in.ok()) return 0;
  return std::clamp<std::int16_t>(version, 0, protocol::ConsumerProtocolAssignment::max_version);
}

Slice write_assignment(const PartitionSet& set, const metadata::MetadataImage& image,
                       std::int16_t version) {
  protocol::ConsumerProtocolAssignment assignment;
  for (const auto& topic : set) {
    const auto* const name = image.topic_names.find(topic.topic);
    if (name == nullptr) continue;
    auto& into = assignment.assigned_partitions.emplace_back();
    into.topic = *name;
    into.partitions = topic.partitions;
  }
  Writer out;
  out.i16(version);
  assignment.encode(out, version);
  return Slice(out.take_bytes());
}

}  // namespace arus::coordinator
