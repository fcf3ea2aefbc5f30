#include "coordinator/group/group_machine.h"

#include <utility>

#include "coordinator/group/classic_group.h"

namespace arus::coordinator {
namespace {

// Types of keys that are read here; the other parts know theirs.
constexpr std::int16_t group_metadata_key = protocol::GroupMetadataKey::record_key;

bool is_of_kind(const Group* group, GroupKind kind) {
  return group != nullptr && group->kind() == kind;
}
bool is_foreign(const Group* group) {
  return is_of_kind(group, GroupKind::share) || is_of_kind(group, GroupKind::streams);
}

template <class Response>
Response refused(ErrorCode code) {
  Response response;
  response.error_code = code;
  return response;
}

protocol::JoinGroupResponse refused_join(const protocol::JoinGroupRequest& request,
                                         ErrorCode code) {
  auto response = refused<protocol::JoinGroupResponse>(code);
  response.member_id = request.member_id;
  return response;
}

}  // namespace

GroupMachine::GroupMachine(GroupSettings settings, std::function<std::uint64_t()> random,
                           env::TimePoint now)
    : timers_(now),
      surroundings_{.settings = std::move(settings),
                    .image = std::make_shared<const metadata::MetadataImage>(),
                    .random = std::move(random)},
      offsets_(surroundings_, groups_, timers_,
               [this](std::string_view id) -> Group& { return classic_.group_for_offsets(id); }),
      classic_(surroundings_, groups_, timers_),
      consumer_(surroundings_, groups_, timers_, classic_),
      foreign_(groups_) {}

GroupMachine::~GroupMachine() = default;

void GroupMachine::join_group(Turn& turn, const GroupCaller& caller,
                              protocol::JoinGroupRequest request,
                              Reply<protocol::JoinGroupResponse> reply) {
  const Group* const group = groups_.find(request.group_id);
  if (is_foreign(group)) {
    turn.answer<protocol::JoinGroupResponse>(
        std::move(reply),
        refused<protocol::JoinGroupResponse>(ErrorCode::inconsistent_group_protocol));
    return;
  }
  if (!is_of_kind(group, GroupKind::consumer)) {
    classic_.join(turn, caller, std::move(request), std::move(reply));
    return;
  }
  if (group->has_members()) {
    consumer_.classic_join(turn, caller, std::move(request), std::move(reply));
    return;
  }
  // A consumer group without members gives its name to a classic one. Only who may make a group
  // does that.
  const GroupSettings& settings = surroundings_.settings;
  if (request.session_timeout_ms < settings.min_session_timeout_ms ||
      request.session_timeout_ms > settings.max_session_timeout_ms) {
    turn.answer<protocol::JoinGroupResponse>(
        std::move(reply), refused_join(request, ErrorCode::invalid_session_timeout));
  } else if (!request.member_id.empty()) {
    turn.answer<protocol::JoinGroupResponse>(std::move(reply),
                                             refused_join(request, ErrorCode::unknown_member_id));
  } else {
    group->append_tombstones(turn);
    classic_.join(turn, caller, std::move(request), std::move(reply));
  }
}

void GroupMachine::sync_group(Turn& turn, const GroupCaller& caller,
                              protocol::SyncGroupRequest request,
                              Reply<protocol::SyncGroupResponse> reply) {
  const Group* const group = groups_.find(request.group_id);
  if (is_foreign(group)) {
    turn.answer<protocol::SyncGroupResponse>(
        std::move(reply), refused<protocol::SyncGroupResponse>(ErrorCode::unknown_member_id));
  } else if (is_of_kind(group, GroupKind::consumer)) {
    consumer_.classic_sync(turn, caller, std::move(request), std::move(reply));
  } else {
    classic_.sync(turn, caller, std::move(request), std::move(reply));
  }
}

void GroupMachine::heartbeat(Turn& turn, const GroupCaller& caller,
                             protocol::HeartbeatRequest request,
                             Reply<protocol::HeartbeatResponse> reply) {
  const Group* const group = groups_.find(request.group_id);
  if (is_foreign(group)) {
    turn.answer<protocol::HeartbeatResponse>(
        std::move(reply), refused<protocol::HeartbeatResponse>(ErrorCode::unknown_member_id));
  } else if (is_of_kind(group, GroupKind::consumer)) {
    consumer_.classic_heartbeat(turn, request, std::move(reply));
  } else {
    classic_.heartbeat(turn, caller, request, std::move(reply));
  }
}

void GroupMachine::leave_group(Turn& turn, const GroupCaller& caller,
                               protocol::LeaveGroupRequest request,
                               Reply<protocol::LeaveGroupResponse> reply) {
  const Group* const group = groups_.find(request.group_id);
  if (is_foreign(group)) {
    turn.answer<protocol::LeaveGroupResponse>(
        std::move(reply), refused<protocol::LeaveGroupResponse>(ErrorCode::unknown_member_id));
  } else if (is_of_kind(group, GroupKind::consumer)) {
    consumer_.classic_leave(turn, caller, request, std::move(reply));
  } else {
    classic_.leave(turn, caller, request, std::move(reply));
  }
}

void GroupMachine::consumer_group_heartbeat(Turn& turn, const GroupCaller& caller,
                                            protocol::ConsumerGroupHeartbeatRequest request,
                                            MayDescribe may_describe,
                                            Reply<protocol::ConsumerGroupHeartbeatResponse> reply) {
  consumer_.heartbeat(turn, caller, std::move(request), may_describe, std::move(reply));
}

void GroupMachine::commit_offsets(Turn& turn, const GroupCaller& caller,
                                  protocol::OffsetCommitRequest request,
                                  Reply<protocol::OffsetCommitResponse> reply) {
  offsets_.commit(turn, caller, std::move(request), std::move(reply));
}

void GroupMachine::commit_transactional_offsets(Turn& turn, const GroupCaller& caller,
                                                protocol::TxnOffsetCommitRequest request,
                                                Reply<protocol::TxnOffsetCommitResponse> reply) {
  offsets_.commit_transactional(turn, caller, std::move(request), std::move(reply));
}

void GroupMachine::fetch_offsets(
    Turn& turn, protocol::OffsetFetchRequest::OffsetFetchRequestGroup request, bool require_stable,
    Reply<protocol::OffsetFetchResponse::OffsetFetchResponseGroup> reply) {
  using Fetched = protocol::OffsetFetchResponse::OffsetFetchResponseGroup;
  turn.answer<Fetched>(std::move(reply), offsets_.fetch(request, require_stable));
}

void GroupMachine::delete_offsets(Turn& turn, protocol::OffsetDeleteRequest request,
                                  Reply<protocol::OffsetDeleteResponse> reply) {
  offsets_.remove(turn, std::move(request), std::move(reply));
}

Result<> GroupMachine::replay(const ReplayedRecord& record) {
  const auto type = protocol::coordinator_prefix(record.key);
  if (!type) return std::unexpected(type.error());
  if (*type == group_metadata_key) {
    const auto key = protocol::decode_coordinator_key<protocol::GroupMetadataKey>(record.key);
    if (!key) return std::unexpected(key.error());
    std::optional<protocol::GroupMetadataValue> value;
    if (record.value) {
      auto decoded =
          protocol::decode_coordinator_value<protocol::GroupMetadataValue>(*record.value);
      if (!decoded) return std::unexpected(std::move(decoded).error());
      value.emplace(std::move(*decoded));
    }
    return classic_.replay(*key, value);
  }
  const auto offsets = offsets_.replay(*type, record);
  if (!offsets) return std::unexpected(offsets.error());
  if (*offsets) return {};
  const auto consumer = consumer_.replay(*type, record);
  if (!consumer) return std::unexpected(consumer.error());
  if (*consumer) return {};
  const auto foreign = foreign_.replay(*type, record);
  if (!foreign) return std::unexpected(foreign.error());
  if (*foreign) return {};
  return fail(ErrorCode::invalid_record,
              "Its key has type " + std::to_string(*type) + ", which is not known");
}

void GroupMachine::replay_end(ProducerId producer_id, std::int16_t producer_epoch, bool committed) {
  static_cast<void>(producer_epoch);
  offsets_.replay_end(producer_id, committed);
}

void GroupMachine::loaded(Turn& turn, metadata::ImagePointer image) {
  surroundings_.image = std::move(image);
  classic_.loaded(turn);
  consumer_.loaded(turn);
  offsets_.loaded(turn);
}

void GroupMachine::on_image(Turn& turn, const metadata::ImagePointer& image,
                            const metadata::MetadataDelta& delta) {
  surroundings_.image = image;
  consumer_.on_image(turn, delta);
  offsets_.on_image(turn, delta);
}

}  // namespace arus::coordinator
