#include "broker/handlers/fetch_answer.h"

#include <algorithm>
#include <utility>

namespace arus::broker {
namespace {

using protocol::FetchResponse;
using replication::ReadResult;

constexpr std::int16_t hints_from_version = 12;
constexpr std::int16_t endpoints_from_version = 16;

bool is_news(const FetchTarget& target, const ReadResult& result) {
  return result.size_bytes > 0 || result.error != ErrorCode::none || result.diverging ||
         target.told_error || result.high_watermark != target.told_high_watermark ||
         result.log_start != target.told_log_start;
}

Slice in_one_piece(const Chain& records) {
  if (records.empty()) return {};
  if (records.size() == 1) return records.front();
  return Slice(flatten(records));
}

bool names_leader(ErrorCode code) {
  return code == ErrorCode::not_leader_or_follower || code == ErrorCode::fenced_leader_epoch;
}

void fill(FetchResponse::PartitionData& data, const FetchTarget& target, const ReadResult& result,
          std::int16_t version, bool committed) {
  data.partition_index = target.key.partition;
  data.error_code = result.error;
  data.high_watermark = result.high_watermark.value();
  data.last_stable_offset = result.last_stable_offset.value();
  data.log_start_offset = result.log_start.value();
  data.records = in_one_piece(result.records);
  data.aborted_transactions.reset();
  if (committed && result.error == ErrorCode::none) {
    auto& aborted = data.aborted_transactions.emplace();
    for (const auto& transaction : result.aborted) {
      auto& entry = aborted.emplace_back();
      entry.producer_id = transaction.producer_id;
      entry.first_offset = transaction.first_offset.value();
    }
  }
  if (version < hints_from_version) return;
  if (result.diverging) {
    data.diverging_epoch.epoch = result.diverging->epoch.value();
    data.diverging_epoch.end_offset = result.diverging->end.value();
  }
  if (names_leader(result.error)) {
    data.current_leader.leader_id = result.leadership.leader;
    data.current_leader.leader_epoch = result.leadership.epoch.value();
  }
}

void add_endpoints(const Context& context, const std::vector<ReadResult>& results,
                   FetchResponse& response) {
  if (context.version() < endpoints_from_version) return;
  std::vector<BrokerId> leaders;
  for (const auto& result : results) {
    const BrokerId leader = result.leadership.leader;
    if (names_leader(result.error) && leader != no_broker &&
        std::ranges::find(leaders, leader) == leaders.end()) {
      leaders.push_back(leader);
    }
  }
  const auto image = context.image();
  for (const BrokerId leader : leaders) {
    const auto broker = image->broker(leader);
    const auto address = broker ? context.address_of(*broker) : std::nullopt;
    if (!address) continue;
    auto& endpoint = response.node_endpoints.emplace_back();
    endpoint.node_id = leader;
    endpoint.host = address->host;
    endpoint.port = address->port;
    endpoint.rack = broker->rack;
  }
}

}  // namespace

void keep_within(std::vector<ReadResult>& results, std::int64_t max_bytes) {
  std::int64_t room = max_bytes;
  bool first = true;
  for (auto& result : results) {
    if (result.size_bytes == 0) continue;
    const auto size = static_cast<std::int64_t>(result.size_bytes);
    if (!first && size > room) {
      result.records.clear();
      result.size_bytes = 0;
      continue;
    }
    room -= size;
    first = false;
  }
}

FetchResponse answer_of(const Context& context, const std::vector<FetchTarget*>& targets,
                        const std::vector<ReadResult>& results, bool incremental, bool committed) {
  FetchResponse response;
  const FetchKey* before = nullptr;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    FetchTarget& target = *targets[i];
    if (incremental && !is_news(target, results[i])) continue;
    const FetchKey& key = target.key;
    if (before == nullptr || before->topic_id != key.topic_id || before->topic != key.topic) {
      auto& topic = response.responses.emplace_back();
      topic.topic = key.topic;
      topic.topic_id = key.topic_id;
    }
    before = &key;
    fill(response.responses.back().partitions.emplace_back(), target, results[i], context.version(),
         committed);
    target.told_high_watermark = results[i].high_watermark;
    target.told_log_start = results[i].log_start;
    target.told_error = results[i].error != ErrorCode::none;
  }
  add_endpoints(context, results, response);
  return response;
}

void rotate(FetchSession& session, const std::vector<FetchTarget*>& targets,
            const std::vector<ReadResult>& results) {
  auto target = session.targets().begin();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto next = std::next(target);
    if (results[i].size_bytes > 0) session.move_to_end(target);
    target = next;
  }
}

}  // namespace arus::broker
