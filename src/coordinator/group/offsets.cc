#include "coordinator/group/offsets.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "coordinator/group/offset_records.h"
#include "coordinator/runtime/turn.h"
#include "protocol/record/legacy_offset_commit_key.h"
#include "protocol/record/offset_commit_key.h"

namespace arus::coordinator {

namespace {

using protocol::OffsetCommitRequest;
using protocol::OffsetCommitResponse;
using protocol::OffsetDeleteRequest;
using protocol::OffsetDeleteResponse;
using protocol::OffsetFetchRequest;
using protocol::OffsetFetchResponse;
using protocol::TxnOffsetCommitRequest;
using protocol::TxnOffsetCommitResponse;

// From this version on a commit to a group that does not exist says so.
constexpr std::int16_t unknown_groups_from_version = 9;
// The value of RetentionTimeMs that leaves it to the broker.
constexpr std::int64_t default_retention = -1;

// Characters as Java counts them: UTF-16 units.
std::size_t utf16_length(std::string_view text) {
  std::size_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if ((byte & 0xC0U) != 0x80U) ++units;
    if (byte >= 0xF0U) ++units;
  }
  return units;
}

// An answer for every partition of the request, with one code.
OffsetCommitResponse outline(const OffsetCommitRequest& request, ErrorCode code) {
  OffsetCommitResponse response;
  response.topics.reserve(request.topics.size());
  for (const auto& topic : request.topics) {
    auto& answer = response.topics.emplace_back();
    answer.name = topic.name;
    answer.topic_id = topic.topic_id;
    answer.partitions.reserve(topic.partitions.size());
    for (const auto& partition : topic.partitions) {
      answer.partitions.push_back({partition.partition_index, code, {}});
    }
  }
  return response;
}
TxnOffsetCommitResponse outline(const TxnOffsetCommitRequest& request, ErrorCode code) {
  TxnOffsetCommitResponse response;
  response.topics.reserve(request.topics.size());
  for (const auto& topic : request.topics) {
    auto& answer = response.topics.emplace_back();
    answer.name = topic.name;
    answer.partitions.reserve(topic.partitions.size());
    for (const auto& partition : topic.partitions) {
      answer.partitions.push_back({partition.partition_index, code, {}});
    }
  }
  return response;
}

// When a commit expires, or −1 where the broker decides.
std::int64_t expire_ms_of(const OffsetCommitRequest& request, std::int64_t now_ms) {
  constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  if (request.retention_time_ms == default_retention) return -1;
  if (request.retention_time_ms > never - now_ms) return never;
  return std::max(now_ms + request.retention_time_ms, std::int64_t{0});
}

// A client of transactions version 2 sends this request from version 5 on (KIP-890).
std::int16_t transaction_version_of(std::int16_t api_version) { return api_version >= 5 ? 2 : 1; }

Uuid id_of(const OffsetCommitRequest::OffsetCommitRequestTopic& topic) { return topic.topic_id; }
Uuid id_of(const TxnOffsetCommitRequest::TxnOffsetCommitRequestTopic& topic) {
  static_cast<void>(topic);
  return {};
}

}  // namespace

Offsets::Offsets(GroupSurroundings& surroundings, Groups& groups, Timers& timers,
                 GroupForOffsets group_for_offsets)
    : surroundings_(surroundings),
      groups_(groups),
      group_for_offsets_(std::move(group_for_offsets)),
      cleaning_(surroundings, groups, timers, stored_, pending_) {}

Result<> Offsets::check_committer(const OffsetCommitter& committer, std::string_view group) const {
  if (const Group* const found = groups_.find(group)) return found->check_offset_commit(committer);
  // A consumer without a group, or an administrator: the group is made with the first record.
  if (committer.generation_or_epoch < 0) return {};
  if (!committer.transactional && committer.api_version >= unknown_groups_from_version) {
    return fail(ErrorCode::group_id_not_found);
  }
  return fail(ErrorCode::illegal_generation);
}

bool Offsets::is_too_long(const std::optional<std::string>& metadata) const {
  return metadata &&
         utf16_length(*metadata) > static_cast<std::size_t>(std::max(
                                       surroundings_.settings.offset_metadata_max_bytes, 0));
}

// Both kinds of commit: `write` is given the records when nothing speaks against them, and the
// answer to give.
template <class Request, class Response, class Write>
void Offsets::decide(const Turn& turn, const OffsetCommitter& committer, Request& request,
                     std::int64_t expire_ms, Write write) const {
  const auto refuse = [&](ErrorCode code) {
    // Transactional clients do not know of member epochs.
    if (committer.transactional && code == ErrorCode::stale_member_epoch) {
      code = ErrorCode::illegal_generation;
    }
    write(std::vector<Record>{}, outline(request, code));
  };
  if (auto ok = check_committer(committer, request.group_id); !ok) return refuse(ok.error().code);
  const Group* const group = groups_.find(request.group_id);
  Response response = outline(request, ErrorCode::none);
  std::vector<Record> records;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < request.topics.size(); ++i) {
    auto& topic = request.topics[i];
    const Uuid topic_id = id_of(topic);
    for (std::size_t j = 0; j < topic.partitions.size(); ++j) {
      auto& partition = topic.partitions[j];
      if (is_too_long(partition.committed_metadata)) {
        response.topics[i].partitions[j].error_code = ErrorCode::offset_metadata_too_large;
        continue;
      }
      if (group != nullptr) {
        const auto may =
            group->check_partition_commit(committer, topic_id, partition.partition_index);
        if (!may) return refuse(may.error().code);
      }
      records.push_back(offset_record(
          {request.group_id, topic.name, partition.partition_index},
          {.offset = partition.committed_offset,
           .leader_epoch = partition.committed_leader_epoch,
           .metadata = std::move(partition.committed_metadata).value_or(std::string()),
           .commit_timestamp_ms = turn.wall_ms(),
           .expire_timestamp_ms = expire_ms,
           .topic_id = topic_id}));
      if (!turn.fits(records.back())) return refuse(ErrorCode::unknown_server_error);
      bytes += records.back().key.size() + records.back().value->size();
    }
  }
  if (bytes > longest_commit_bytes) return refuse(ErrorCode::unknown_server_error);
  write(std::move(records), std::move(response));
}

void Offsets::commit(Turn& turn, const GroupCaller& caller, OffsetCommitRequest request,
                     Reply<OffsetCommitResponse> reply) {
  const OffsetCommitter committer{.member_id = request.member_id,
                                  .instance_id = request.group_instance_id,
                                  .generation_or_epoch = request.generation_id_or_member_epoch,
                                  .transactional = false,
                                  .api_version = caller.api_version};
  decide<OffsetCommitRequest, OffsetCommitResponse>(
      turn, committer, request, expire_ms_of(request, turn.wall_ms()),
      [&](std::vector<Record> records, OffsetCommitResponse response) {
        if (!records.empty()) {
          if (Group* const group = groups_.find(request.group_id)) {
            group->on_offset_commit(turn, request.member_id);
          }
        }
        for (Record& record : records) turn.append(std::move(record));
        turn.answer<OffsetCommitResponse>(std::move(reply), std::move(response));
      });
}

void Offsets::commit_transactional(Turn& turn, const GroupCaller& caller,
                                   TxnOffsetCommitRequest request,
                                   Reply<TxnOffsetCommitResponse> reply) {
  const OffsetCommitter committer{.member_id = request.member_id,
                                  .instance_id = request.group_instance_id,
                                  .generation_or_epoch = request.generation_id,
                                  .transactional = true,
                                  .api_version = caller.api_version};
  decide<TxnOffsetCommitRequest, TxnOffsetCommitResponse>(
      turn, committer, request, -1,
      [&](std::vector<Record> records, TxnOffsetCommitResponse response) {
        if (!records.empty()) {
          turn.append_transactional(request.producer_id, request.producer_epoch,
                                    transaction_version_of(caller.api_version),
                                    caller.transaction_guard, std::move(records));
        }
        turn.answer<TxnOffsetCommitResponse>(std::move(reply), std::move(response));
      });
}

OffsetFetchResponse::OffsetFetchResponsePartitions Offsets::fetch_one(const OffsetKey& key,
                                                                      const Uuid& topic_id,
                                                                      bool group_is_known,
                                                                      bool require_stable) const {
  OffsetFetchResponse::OffsetFetchResponsePartitions answer;
  answer.partition_index = key.partition;
  answer.committed_offset = -1;
  if (require_stable && !pending_.empty() && pending_.has(key)) {
    answer.error_code = ErrorCode::unstable_offset_commit;
    return answer;
  }
  if (!group_is_known) return answer;
  const OffsetStore::View found = stored_.find(key.group, key.topic, key.partition);
  if (!found) return answer;
  // What was committed to an earlier topic of that name says nothing of this one.
  const Uuid stored_id = found.topic_id();
  if (!topic_id.is_zero() && !stored_id.is_zero() && topic_id != stored_id) return answer;
  answer.committed_offset = found.offset();
  answer.committed_leader_epoch = found.leader_epoch();
  answer.metadata = std::string(found.metadata());
  return answer;
}

OffsetFetchResponse::OffsetFetchResponseGroup Offsets::fetch(
    const OffsetFetchRequest::OffsetFetchRequestGroup& request, bool require_stable) const {
  OffsetFetchResponse::OffsetFetchResponseGroup response;
  response.group_id = request.group_id;
  const Group* const group = groups_.find(request.group_id);
  bool group_is_known = group != nullptr;
  if (group != nullptr) {
    const auto may = group->check_offset_fetch(request.member_id, request.member_epoch);
    if (!may && may.error().code != ErrorCode::group_id_not_found) {
      response.error_code = may.error().code;
      return response;
    }
    group_is_known = may.has_value();
  }
  if (request.topics) {
    response.topics.reserve(request.topics->size());
    for (const auto& topic : *request.topics) {
      auto& answer = response.topics.emplace_back();
      answer.name = topic.name;
      answer.topic_id = topic.topic_id;
      answer.partitions.reserve(topic.partition_indexes.size());
      OffsetKey key{request.group_id, topic.name, -1};
      for (const std::int32_t partition : topic.partition_indexes) {
        key.partition = partition;
        answer.partitions.push_back(fetch_one(key, topic.topic_id, group_is_known, require_stable));
      }
    }
    return response;
  }
  if (!group_is_known) return response;
  stored_.for_each(request.group_id, [&](std::string_view topic, const OffsetStore::View& offset) {
    if (response.topics.empty() || response.topics.back().name != topic) {
      response.topics.emplace_back().name = topic;
    }
    response.topics.back().partitions.push_back(fetch_one(
        {request.group_id, std::string(topic), offset.partition()}, {}, true, require_stable));
    return true;
  });
  return response;
}

void Offsets::remove(Turn& turn, OffsetDeleteRequest request, Reply<OffsetDeleteResponse> reply) {
  OffsetDeleteResponse response;
  const Group* const group = groups_.find(request.group_id);
  const auto may = group == nullptr ? Result<>(fail(ErrorCode::group_id_not_found))
                                    : group->check_offset_delete();
  if (!may) {
    response.error_code = may.error().code;
    turn.answer<OffsetDeleteResponse>(std::move(reply), std::move(response));
    return;
  }
  for (const auto& topic : request.topics) {
    auto& answer = response.topics.emplace_back();
    answer.name = topic.name;
    const bool subscribed = group->is_subscribed_to(topic.name);
    for (const auto& partition : topic.partitions) {
      auto& result = answer.partitions.emplace_back();
      result.partition_index = partition.partition_index;
      if (subscribed) {
        result.error_code = ErrorCode::group_subscribed_to_topic;
        continue;
      }
      const OffsetKey key{request.group_id, topic.name, partition.partition_index};
      if (stored_.find(key.group, key.topic, key.partition) || pending_.has(key)) {
        turn.append(offset_tombstone(key));
      }
    }
  }
  turn.answer<OffsetDeleteResponse>(std::move(reply), std::move(response));
}

void Offsets::append_tombstones(Turn& turn, std::string_view group) {
  std::vector<OffsetKey> gone;
  stored_.for_each(group, [&](std::string_view topic, const OffsetStore::View& offset) {
    gone.push_back({std::string(group), std::string(topic), offset.partition()});
    return true;
  });
  for (OffsetKey& key : pending_.keys_of(group)) {
    if (!stored_.find(key.group, key.topic, key.partition)) gone.push_back(std::move(key));
  }
  for (const OffsetKey& key : gone) turn.append(offset_tombstone(key));
}

bool Offsets::has_offsets(std::string_view group) const {
  return stored_.has_group(group) || pending_.has_group(group);
}

Result<bool> Offsets::replay(std::int16_t type, const ReplayedRecord& record) {
  if (type != protocol::OffsetCommitKey::record_key &&
      type != protocol::LegacyOffsetCommitKey::record_key) {
    return false;
  }
  auto key = decode_offset_key(record.key);
  if (!key) return fail(std::move(key).error());
  if (!record.value) {
    stored_.remove(key->group, key->topic, key->partition);
    pending_.forget(*key);
    return true;
  }
  auto value = decode_offset_value(*record.value);
  if (!value) return fail(std::move(value).error());
  if (groups_.find(key->group) == nullptr) group_for_offsets_(key->group);
  if (record.producer_id != no_producer) {
    pending_.add(record.producer_id, std::move(*key), std::move(*value));
    return true;
  }
  stored_.put(key->group, key->topic, key->partition, std::move(*value));
  if (!pending_.empty()) pending_.overtake(*key);
  return true;
}

void Offsets::replay_end(ProducerId producer_id, bool committed) {
  for (auto& [key, value] : pending_.end(producer_id, committed)) {
    stored_.put(key.group, key.topic, key.partition, std::move(value));
  }
}

void Offsets::loaded(Turn& turn) { cleaning_.start(turn); }

void Offsets::on_image(Turn& turn, const metadata::MetadataDelta& delta) {
  cleaning_.on_image(turn, delta);
}

}  // namespace arus::coordinator
