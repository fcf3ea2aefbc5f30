#include "coordinator/group/offset_records.h"

#include "protocol/record/offset_commit_key.h"
#include "protocol/record/offset_commit_value.h"

namespace arus::coordinator {

namespace {

constexpr std::int16_t value_version = 4;
// The only version that can say when an offset expires; KIP-211 left that to the broker.
constexpr std::int16_t value_version_with_expiry = 1;

protocol::OffsetCommitKey stored_key(const OffsetKey& key) {
  protocol::OffsetCommitKey stored;
  stored.group = key.group;
  stored.topic = key.topic;
  stored.partition = key.partition;
  return stored;
}

}  // namespace

Record offset_record(const OffsetKey& key, const OffsetValue& value) {
  protocol::OffsetCommitValue stored;
  stored.offset = value.offset;
  stored.leader_epoch = value.leader_epoch;
  stored.metadata = value.metadata;
  stored.commit_timestamp = value.commit_timestamp_ms;
  stored.expire_timestamp = value.expire_timestamp_ms;
  stored.topic_id = value.topic_id;
  return Record::of(stored_key(key), stored,
                    value.expire_timestamp_ms < 0 ? value_version : value_version_with_expiry);
}

Record offset_tombstone(const OffsetKey& key) { return Record::tombstone(stored_key(key)); }

Result<OffsetKey> decode_offset_key(ByteView bytes) {
  // Both types have the same body.
  Reader in{bytes};
  in.skip(sizeof(std::int16_t));
  auto key = protocol::OffsetCommitKey::decode(in, 0);
  if (!key) return fail(std::move(key).error());
  if (!in.at_end()) return fail(ErrorCode::invalid_record, "bytes follow the key of an offset");
  return OffsetKey{std::move(key->group), std::move(key->topic), key->partition};
}

Result<OffsetValue> decode_offset_value(ByteView bytes) {
  auto stored = protocol::decode_coordinator_value<protocol::OffsetCommitValue>(bytes);
  if (!stored) return fail(std::move(stored).error());
  return OffsetValue{.offset = stored->offset,
                     .leader_epoch = stored->leader_epoch,
                     .metadata = std::move(stored->metadata),
                     .commit_timestamp_ms = stored->commit_timestamp,
                     .expire_timestamp_ms = stored->expire_timestamp,
                     .topic_id = stored->topic_id};
}

}  // namespace arus::coordinator
