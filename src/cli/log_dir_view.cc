#include "cli/log_dir_view.h"

#include "cli/json.h"

namespace arus::cli {

env::Task<Result<std::vector<LogDirView>>> describe_log_dirs(client::Cluster& cluster,
                                                             std::vector<BrokerId> brokers,
                                                             bool with_health) {
  std::vector<LogDirView> views;
  for (const BrokerId broker : brokers) {
    protocol::DescribeLogDirsRequest request;
    request.topics.reset();  // all
    request.arus_health = with_health;
    auto answer = co_await cluster.ask(std::move(request), client::Route::one(broker),
                                       cluster.call_deadline());
    if (!answer) co_return fail(std::move(answer).error());
    if (answer->error_code != ErrorCode::none) {
      co_return fail(answer->error_code, std::string(error_name(answer->error_code)));
    }
    for (const auto& result : answer->results) {
      LogDirView& view = views.emplace_back();
      view.broker = broker;
      view.path = result.log_dir;
      view.error = result.error_code;
      view.total_bytes = result.total_bytes;
      view.usable_bytes = result.usable_bytes;
      view.health = result.arus_health;
      for (const auto& topic : result.topics) {
        for (const auto& partition : topic.partitions) {
          view.logs.push_back({{topic.name, partition.partition_index},
                               partition.partition_size,
                               partition.offset_lag,
                               partition.is_future_key});
        }
      }
    }
  }
  co_return views;
}

std::string log_dirs_as_json(const std::vector<LogDirView>& directories,
                             const std::vector<std::string>& topics) {
  JsonWriter json;
  json.begin_object().key("brokers").begin_array();
  for (std::size_t i = 0; i < directories.size();) {
    const BrokerId broker = directories[i].broker;
    json.begin_object().key("broker").number(broker.value());
    json.key("logDirs").begin_array();
    for (; i < directories.size() && directories[i].broker == broker; ++i) {
      const LogDirView& directory = directories[i];
      json.begin_object().key("partitions").begin_array();
      for (const auto& log : directory.logs) {
        if (!topics.empty() && std::ranges::find(topics, log.name.topic) == topics.end()) continue;
        json.begin_object();
        json.key("partition").text(log.name.to_string());
        json.key("size").number(log.size_bytes);
        json.key("offsetLag").number(log.offset_lag);
        json.key("isFuture").boolean(log.future);
        json.end_object();
      }
      json.end_array().key("error");
      if (directory.error == ErrorCode::none) {
        json.null();
      } else {
        json.text(error_name(directory.error));
      }
      json.key("logDir").text(directory.path).end_object();
    }
    json.end_array().end_object();
  }
  json.end_array().key("version").number(1).end_object();
  return json.take();
}

}  // namespace arus::cli
