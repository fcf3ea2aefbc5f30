#include "cli/quorum_view.h"

#include <fmt/core.h>

#include "protocol/api/describe_cluster.h"
#include "protocol/api/describe_quorum.h"

namespace arus::cli {
namespace {

constexpr std::int8_t controller_endpoints = 2;

using Answer = protocol::DescribeQuorumResponse;

QuorumReplicaView view_of(const Answer::ReplicaState& state, const Answer& answer) {
  QuorumReplicaView view;
  view.id = state.replica_id.value();
  view.directory_id = state.replica_directory_id;
  view.log_end_offset = state.log_end_offset;
  view.last_fetch_ms = state.last_fetch_timestamp;
  view.last_caught_up_ms = state.last_caught_up_timestamp;
  for (const auto& node : answer.nodes) {
    if (node.node_id != state.replica_id) continue;
    for (const auto& listener : node.listeners) {
      view.endpoints.push_back(
          fmt::format("{}://{}:{}", listener.name, listener.host, listener.port));
    }
  }
  return view;
}

// Brokers say the cluster's id in any answer, controllers only about controllers.
env::Task<std::string> ask_cluster_id(client::Cluster& cluster) {
  for (const std::int8_t endpoints : {std::int8_t{1}, controller_endpoints}) {
    protocol::DescribeClusterRequest request;
    request.endpoint_type = endpoints;
    auto answer =
        co_await cluster.ask(std::move(request), client::Route::any(), cluster.call_deadline());
    if (answer && answer->error_code == ErrorCode::none) co_return answer->cluster_id;
  }
  co_return std::string{};
}

const QuorumReplicaView* leader_of(const QuorumView& quorum) {
  const auto found = std::ranges::find(quorum.voters, quorum.leader_id, &QuorumReplicaView::id);
  return found == quorum.voters.end() ? nullptr : &*found;
}

std::string nodes_text(const std::vector<QuorumReplicaView>& nodes) {
  std::string text = "[";
  for (const auto& node : nodes) {
    if (text.size() > 1) text += ", ";
    text += fmt::format("{{\"id\": {}", node.id);
    if (!node.directory_id.is_zero()) {
      text += fmt::format(", \"directoryId\": \"{}\"", node.directory_id.to_string());
    }
    if (!node.endpoints.empty()) {
      std::string endpoints;
      for (const auto& endpoint : node.endpoints) {
        endpoints += fmt::format("{}\"{}\"", endpoints.empty() ? "" : ", ", endpoint);
      }
      text += fmt::format(", \"endpoints\": [{}]", endpoints);
    }
    text += "}";
  }
  return text + "]";
}

std::string time_text(std::int64_t time_ms, bool human_readable, std::int64_t now_ms) {
  if (!human_readable) return std::to_string(time_ms);
  if (time_ms < 0) return "unknown";
  return fmt::format("{} ms ago", now_ms - time_ms);
}

}  // namespace

env::Task<Result<QuorumView>> describe_quorum(client::Cluster& cluster) {
  protocol::DescribeQuorumRequest request;
  auto& topic = request.topics.emplace_back();
  topic.topic_name = "__cluster_metadata";
  topic.partitions.emplace_back().partition_index = 0;
  auto answer =
      co_await cluster.ask(std::move(request), client::Route::any(), cluster.call_deadline());
  if (!answer) co_return fail(std::move(answer).error());
  if (answer->error_code != ErrorCode::none) {
    co_return fail(answer->error_code,
                   answer->error_message.value_or(std::string(error_name(answer->error_code))));
  }
  if (answer->topics.empty() || answer->topics.front().partitions.empty()) {
    co_return fail(ErrorCode::corrupt_message, "The answer does not mention the metadata log");
  }
  const auto& partition = answer->topics.front().partitions.front();
  if (partition.error_code != ErrorCode::none) {
    co_return fail(partition.error_code, std::string(error_name(partition.error_code)));
  }
  QuorumView view;
  view.leader_id = partition.leader_id.value();
  view.leader_epoch = partition.leader_epoch;
  view.high_watermark = partition.high_watermark;
  for (const auto& voter : partition.current_voters) {
    view.voters.push_back(view_of(voter, *answer));
  }
  for (const auto& observer : partition.observers) {
    view.observers.push_back(view_of(observer, *answer));
  }
  view.cluster_id = co_await ask_cluster_id(cluster);
  co_return view;
}

std::string format_quorum_status(const QuorumView& quorum) {
  const QuorumReplicaView* leader = leader_of(quorum);
  std::int64_t max_lag = 0;
  std::int64_t max_lag_ms = 0;
  if (leader != nullptr) {
    std::int64_t oldest_ms = leader->last_caught_up_ms;
    bool unknown = false;
    for (const auto& voter : quorum.voters) {
      max_lag = std::max(max_lag, leader->log_end_offset - voter.log_end_offset);
      if (voter.last_caught_up_ms < 0) unknown = true;
      oldest_ms = std::min(oldest_ms, voter.last_caught_up_ms);
    }
    max_lag_ms = max_lag == 0 ? 0 : unknown ? -1 : leader->last_caught_up_ms - oldest_ms;
  }
  return fmt::format(
      "ClusterId:              {}\n"
      "LeaderId:               {}\n"
      "LeaderEpoch:            {}\n"
      "HighWatermark:          {}\n"
      "MaxFollowerLag:         {}\n"
      "MaxFollowerLagTimeMs:   {}\n"
      "CurrentVoters:          {}\n"
      "CurrentObservers:       {}\n",
      quorum.cluster_id, quorum.leader_id, quorum.leader_epoch, quorum.high_watermark, max_lag,
      max_lag_ms, nodes_text(quorum.voters), nodes_text(quorum.observers));
}

std::string format_table(const std::vector<std::string>& head,
                         const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& title : head) widths.push_back(title.size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  const auto add = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += fmt::format("{:<{}}\t", row[i], widths[i]);
    }
    text += "\n";
  };
  add(head);
  for (const auto& row : rows) add(row);
  return text;
}

std::string format_quorum_replication(const QuorumView& quorum, bool human_readable,
                                      std::int64_t now_ms) {
  const QuorumReplicaView* leader = leader_of(quorum);
  const std::int64_t end = leader == nullptr ? 0 : leader->log_end_offset;
  std::vector<std::vector<std::string>> rows;
  const auto add = [&](const QuorumReplicaView& node, std::string_view status) {
    rows.push_back({std::to_string(node.id), node.directory_id.to_string(),
                    std::to_string(node.log_end_offset), std::to_string(end - node.log_end_offset),
                    time_text(node.last_fetch_ms, human_readable, now_ms),
                    time_text(node.last_caught_up_ms, human_readable, now_ms),
                    std::string(status)});
  };
  if (leader != nullptr) add(*leader, "Leader");
  for (const auto& voter : quorum.voters) {
    if (voter.id != quorum.leader_id) add(voter, "Follower");
  }
  for (const auto& observer : quorum.observers) add(observer, "Observer");
  return format_table({"NodeId", "DirectoryId", "LogEndOffset", "Lag", "LastFetchTimestamp",
                       "LastCaughtUpTimestamp", "Status"},
                      rows);
}

}  // namespace arus::cli
