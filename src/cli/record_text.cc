#include "cli/record_text.h"

#include <fmt/core.h>

#include "protocol/coordinator_record.h"
#include "protocol/features.h"
#include "protocol/record_codec.h"
#include "protocol/record_json.h"
#include "record/control.h"

namespace arus::cli {
namespace {

namespace p = protocol;

// "TopicRecord" is called TOPIC_RECORD there.
std::string upper_name(std::string_view name) {
  std::string text;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool upper = name[i] >= 'A' && name[i] <= 'Z';
    if (upper && i > 0) text += '_';
    text += upper ? name[i] : static_cast<char>(name[i] - 'a' + 'A');
  }
  return text;
}

template <class Message>
Result<std::string> body_text(ByteView value) {
  Reader in{value};
  const std::int16_t version = in.i16();
  in = Reader{value};
  auto message = Message::decode(in, version);
  if (!message) return fail(std::move(message).error());
  return p::to_json(*message, version);
}

// One kind of record of a coordinator: its number, and how its key and value are read.
struct CoordinatorRecord {
  std::int16_t type;
  Result<std::string> (*key)(ByteView bytes);
  Result<std::string> (*value)(ByteView bytes);
};

template <class Key>
Result<std::string> key_text(ByteView bytes) {
  Reader in{bytes};
  const std::int16_t type = in.i16();
  auto key = Key::decode(in, 0);
  if (!key) return fail(std::move(key).error());
  return fmt::format("{{\"type\":\"{}\",\"data\":{}}}", type, p::to_json(*key, 0));
}

template <class Value>
Result<std::string> value_text(ByteView bytes) {
  Reader in{bytes};
  const std::int16_t version = in.i16();
  auto value = Value::decode(in, version);
  if (!value) return fail(std::move(value).error());
  return fmt::format("{{\"version\":\"{}\",\"data\":{}}}", version, p::to_json(*value, version));
}

template <class Key, class Value>
constexpr CoordinatorRecord kind(std::int16_t type) {
  return {type, key_text<Key>, value_text<Value>};
}

const CoordinatorRecord group_records[] = {
    kind<p::LegacyOffsetCommitKey, p::LegacyOffsetCommitValue>(0),
    kind<p::OffsetCommitKey, p::OffsetCommitValue>(1),
    kind<p::GroupMetadataKey, p::GroupMetadataValue>(2),
    kind<p::ConsumerGroupMetadataKey, p::ConsumerGroupMetadataValue>(3),
    kind<p::ConsumerGroupPartitionMetadataKey, p::ConsumerGroupPartitionMetadataValue>(4),
    kind<p::ConsumerGroupMemberMetadataKey, p::ConsumerGroupMemberMetadataValue>(5),
    kind<p::ConsumerGroupTargetAssignmentMetadataKey,
         p::ConsumerGroupTargetAssignmentMetadataValue>(6),
    kind<p::ConsumerGroupTargetAssignmentMemberKey, p::ConsumerGroupTargetAssignmentMemberValue>(7),
    kind<p::ConsumerGroupCurrentMemberAssignmentKey, p::ConsumerGroupCurrentMemberAssignmentValue>(
        8),
    kind<p::ShareGroupMemberMetadataKey, p::ShareGroupMemberMetadataValue>(10),
    kind<p::ShareGroupMetadataKey, p::ShareGroupMetadataValue>(11),
    kind<p::ShareGroupTargetAssignmentMetadataKey, p::ShareGroupTargetAssignmentMetadataValue>(12),
    kind<p::ShareGroupTargetAssignmentMemberKey, p::ShareGroupTargetAssignmentMemberValue>(13),
    kind<p::ShareGroupCurrentMemberAssignmentKey, p::ShareGroupCurrentMemberAssignmentValue>(14),
    kind<p::ShareGroupStatePartitionMetadataKey, p::ShareGroupStatePartitionMetadataValue>(15),
    kind<p::ConsumerGroupRegularExpressionKey, p::ConsumerGroupRegularExpressionValue>(16),
    kind<p::StreamsGroupMetadataKey, p::StreamsGroupMetadataValue>(17),
    kind<p::StreamsGroupMemberMetadataKey, p::StreamsGroupMemberMetadataValue>(19),
    kind<p::StreamsGroupTargetAssignmentMetadataKey, p::StreamsGroupTargetAssignmentMetadataValue>(
        20),
    kind<p::StreamsGroupTargetAssignmentMemberKey, p::StreamsGroupTargetAssignmentMemberValue>(21),
    kind<p::StreamsGroupCurrentMemberAssignmentKey, p::StreamsGroupCurrentMemberAssignmentValue>(
        22),
    kind<p::StreamsGroupTopologyKey, p::StreamsGroupTopologyValue>(23),
};
const CoordinatorRecord transaction_records[] = {
    kind<p::TransactionLogKey, p::TransactionLogValue>(0),
};
const CoordinatorRecord share_records[] = {
    kind<p::ShareSnapshotKey, p::ShareSnapshotValue>(0),
    kind<p::ShareUpdateKey, p::ShareUpdateValue>(1),
};

std::span<const CoordinatorRecord> records_of(CoordinatorKind coordinator) {
  switch (coordinator) {
    case CoordinatorKind::group:
      return group_records;
    case CoordinatorKind::transaction:
      return transaction_records;
    case CoordinatorKind::share:
      return share_records;
  }
  return {};
}

}  // namespace

Result<std::string> metadata_record_text(ByteView value) {
  const auto decoded = p::decode_metadata_record(value);
  if (!decoded) return fail(decoded.error());
  const std::string data = std::visit(
      [&](const auto& record) { return p::to_json(record, decoded->version); }, decoded->record);
  return fmt::format("{{\"type\":\"{}\",\"version\":{},\"data\":{}}}",
                     upper_name(p::record_name(decoded->record)), decoded->version, data);
}

Result<std::string> control_record_text(ByteView key, ByteView value) {
  const auto type = record::parse_control_key(key);
  if (!type) return fail(ErrorCode::corrupt_message, "The key names no kind of control record");
  Result<std::string> body = std::string();
  std::string_view name;
  switch (*type) {
    case record::ControlType::abort:
    case record::ControlType::commit: {
      const auto marker = record::parse_end_transaction_value(value);
      if (!marker) return fail(ErrorCode::corrupt_message, "The marker does not decode");
      return fmt::format(" endTxnMarker: {} coordinatorEpoch: {}", record::control_type_name(*type),
                         marker->coordinator_epoch);
    }
    case record::ControlType::leader_change:
      name = "LeaderChange:";
      body = body_text<p::LeaderChangeMessage>(value);
      break;
    case record::ControlType::snapshot_header:
      name = "SnapshotHeader";
      body = body_text<p::SnapshotHeaderRecord>(value);
      break;
    case record::ControlType::snapshot_footer:
      name = "SnapshotFooter";
      body = body_text<p::SnapshotFooterRecord>(value);
      break;
    case record::ControlType::kraft_version:
      name = "KRaftVersion";
      body = body_text<p::KRaftVersionRecord>(value);
      break;
    case record::ControlType::kraft_voters:
      name = "KRaftVoters";
      body = body_text<p::VotersRecord>(value);
      break;
    default:
      return fmt::format(" controlType: {}({})", record::control_type_name(*type),
                         static_cast<int>(*type));
  }
  if (!body) return body;
  return fmt::format(" {} {}", name, *body);
}

Result<CoordinatorRecordText> coordinator_record_text(CoordinatorKind coordinator, ByteView key,
                                                      const std::optional<ByteView>& value) {
  const auto type = p::coordinator_prefix(key);
  if (!type) return fail(type.error());
  for (const auto& known : records_of(coordinator)) {
    if (known.type != *type) continue;
    auto key_shown = known.key(key);
    if (!key_shown) return fail(std::move(key_shown).error());
    Result<std::string> value_shown = value ? known.value(*value) : Result<std::string>("<DELETE>");
    if (!value_shown) return fail(std::move(value_shown).error());
    return CoordinatorRecordText{std::move(*key_shown), std::move(*value_shown)};
  }
  return fail(ErrorCode::corrupt_message, fmt::format("No record has type {}", *type));
}

}  // namespace arus::cli
