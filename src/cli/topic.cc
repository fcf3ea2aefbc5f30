#include <fmt/core.h>

#include <set>

#include "base/json.h"
#include "cli/config_view.h"
#include "cli/own.h"
#include "cli/topic_view.h"
#include "protocol/api/create_partitions.h"
#include "protocol/api/create_topics.h"
#include "protocol/api/delete_topics.h"

namespace arus::cli {
namespace {

constexpr std::int32_t call_timeout_ms = 30'000;
constexpr std::int32_t partitions_of_one_answer = 2000;

Error error_of(ErrorCode code, const std::optional<std::string>& message) {
  return {code, message && !message->empty() ? *message : std::string(error_name(code))};
}

env::Task<int> run_create(Session session, Console& console, const TopicOptions& options) {
  protocol::CreateTopicsRequest request;
  request.timeout_ms = call_timeout_ms;
  for (const auto& name : options.names) {
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.num_partitions = options.partitions.value_or(-1);
    topic.replication_factor = options.replication_factor.value_or(-1);
    for (const auto& pair : options.configs) {
      const auto equals = pair.find('=');
      if (equals == std::string::npos) {
        co_return report(console, {ErrorCode::invalid_request,
                                   fmt::format("{} is no config: write key=value", pair)});
      }
      auto& config = topic.configs.emplace_back();
      config.name = pair.substr(0, equals);
      config.value = pair.substr(equals + 1);
    }
  }
  auto answer = co_await session.cluster.ask(std::move(request), client::Route::any(),
                                             session.cluster.call_deadline());
  if (!answer) co_return report(console, answer.error());
  int status = 0;
  for (const auto& result : answer->topics) {
    if (result.error_code == ErrorCode::none) {
      console.print("Created topic {} with {} partitions\n", result.name, result.num_partitions);
    } else if (result.error_code != ErrorCode::topic_already_exists || !options.if_not_exists) {
      status = report(console, error_of(result.error_code, result.error_message));
    }
  }
  co_return status;
}

env::Task<int> run_list(Session session, Console& console, const TopicOptions& options) {
  auto topics = co_await session.cluster.all_topics(session.cluster.call_deadline());
  if (!topics) co_return report(console, topics.error());
  std::ranges::sort(*topics, {}, [](const auto& topic) { return topic->name; });
  JsonWriter json;
  json.begin_array();
  for (const auto& topic : *topics) {
    if (topic->internal && !options.internal) continue;
    if (options.json) {
      json.begin_object();
      json.key("name").text(topic->name);
      json.key("id").text(topic->id.to_string());
      json.key("partitions").number(static_cast<std::int64_t>(topic->partitions.size()));
      json.key("internal").boolean(topic->internal);
      json.end_object();
    } else {
      console.print("{}\n", topic->name);
    }
  }
  json.end_array();
  if (options.json) console.print("{}\n", json.take());
  co_return 0;
}

void add_ids(JsonWriter& json, const std::vector<std::int32_t>& ids) {
  json.begin_array();
  for (const std::int32_t id : ids) json.number(id);
  json.end_array();
}

std::string topics_as_json(const std::vector<TopicView>& topics) {
  JsonWriter json;
  json.begin_array();
  for (const auto& topic : topics) {
    json.begin_object();
    json.key("name").text(topic.name);
    json.key("id").text(topic.id.to_string());
    json.key("internal").boolean(topic.internal);
    json.key("configs").begin_object();
    for (const auto& [name, value] : topic.changed_configs) json.key(name).text(value);
    json.end_object();
    json.key("partitions").begin_array();
    for (const auto& partition : topic.partitions) {
      json.begin_object();
      json.key("partition").number(partition.index);
      json.key("leader");
      if (partition.leader) {
        json.number(*partition.leader);
      } else {
        json.null();
      }
      json.key("replicas");
      add_ids(json, partition.replicas);
      json.key("isr");
      add_ids(json, partition.isr);
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
  return json.take();
}

env::Task<int> run_show(Session session, Console& console, const TopicOptions& options) {
  std::vector<std::string> names = options.names;
  if (names.empty()) {
    auto topics = co_await session.cluster.all_topics(session.cluster.call_deadline());
    if (!topics) co_return report(console, topics.error());
    for (const auto& topic : *topics) {
      if (!topic->internal || options.internal) names.push_back(topic->name);
    }
  }
  auto views = co_await describe_topics(session.cluster, names, partitions_of_one_answer);
  if (!views) co_return report(console, views.error());
  if (options.json) {
    console.print("{}\n", topics_as_json(*views));
  } else {
    for (const auto& view : *views) console.out(format_topic(view));
  }
  int status = 0;
  for (const auto& name : options.names) {
    if (std::ranges::find(*views, name, &TopicView::name) != views->end()) continue;
    status = report(console, {ErrorCode::unknown_topic_or_partition,
                              fmt::format("There is no topic {}", name)});
  }
  co_return status;
}

env::Task<int> run_delete(Session session, Console& console, const TopicOptions& options) {
  protocol::DeleteTopicsRequest request;
  request.timeout_ms = call_timeout_ms;
  for (const auto& name : options.names) request.topics.emplace_back().name = name;
  request.topic_names = options.names;
  auto answer = co_await session.cluster.ask(std::move(request), client::Route::any(),
                                             session.cluster.call_deadline());
  if (!answer) co_return report(console, answer.error());
  int status = 0;
  for (const auto& result : answer->responses) {
    const std::string name = result.name.value_or("");
    if (result.error_code == ErrorCode::none) {
      console.print("Deleted topic {}\n", name);
    } else if (result.error_code != ErrorCode::unknown_topic_or_partition || !options.if_exists) {
      status =
          report(console, {result.error_code,
                           fmt::format("Topic {}: {}", name,
                                       error_of(result.error_code, result.error_message).message)});
    }
  }
  co_return status;
}

env::Task<Result<>> alter(Session& session, std::string name, const TopicOptions& options) {
  if (options.partitions) {
    protocol::CreatePartitionsRequest request;
    request.timeout_ms = call_timeout_ms;
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.count = *options.partitions;
    topic.assignments.reset();
    auto answer = co_await session.cluster.ask(std::move(request), client::Route::any(),
                                               session.cluster.call_deadline());
    if (!answer) co_return fail(std::move(answer).error());
    for (const auto& result : answer->results) {
      if (result.error_code != ErrorCode::none) {
        co_return fail(error_of(result.error_code, result.error_message));
      }
    }
  }
  std::vector<ConfigChange> changes;
  for (const auto& pair : options.configs) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos) {
      co_return fail(ErrorCode::invalid_request,
                     fmt::format("{} is no config: write key=value", pair));
    }
    changes.push_back(
        {pair.substr(0, equals), protocol::AlterConfigOperation::set, pair.substr(equals + 1)});
  }
  for (const auto& key : options.delete_configs) {
    changes.push_back({key, protocol::AlterConfigOperation::delete_, std::nullopt});
  }
  if (changes.empty()) co_return Result<>{};
  co_return co_await alter_configs(session.cluster, protocol::ConfigResourceKind::topic, name,
                                   std::move(changes));
}

env::Task<int> run_alter(Session session, Console& console, const TopicOptions& options) {
  int status = 0;
  for (const auto& name : options.names) {
    const auto done = co_await alter(session, name, options);
    if (done) {
      console.print("Altered topic {}\n", name);
    } else {
      status = report(console, done.error());
    }
  }
  co_return status;
}

int run(Console& console, const ClusterOptions& cluster, const TopicOptions& options,
        env::Task<int> (*body)(Session, Console&, const TopicOptions&)) {
  const auto client = cluster.client();
  if (!client) return report(console, client.error());
  return run_session(*client, body, console, options);
}

}  // namespace

int create_topics(Console& console, const ClusterOptions& cluster, const TopicOptions& options) {
  return run(console, cluster, options, run_create);
}
int list_topics(Console& console, const ClusterOptions& cluster, const TopicOptions& options) {
  return run(console, cluster, options, run_list);
}
int show_topics(Console& console, const ClusterOptions& cluster, const TopicOptions& options) {
  return run(console, cluster, options, run_show);
}
int delete_topics(Console& console, const ClusterOptions& cluster, const TopicOptions& options) {
  return run(console, cluster, options, run_delete);
}
int alter_topics(Console& console, const ClusterOptions& cluster, const TopicOptions& options) {
  return run(console, cluster, options, run_alter);
}

}  // namespace arus::cli
