// DescribeLogDirs: the log directories of this node, their space, and the size of each partition.
#include "protocol/api/describe_log_dirs.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"
#include "replication/directories.h"

namespace arus::broker {
namespace {

using protocol::DescribeLogDirsRequest;
using protocol::DescribeLogDirsResponse;
using Directory = DescribeLogDirsResponse::DescribeLogDirsResult;

// Partitions by topic.
using Wanted = std::map<std::string, std::set<std::int32_t>>;

constexpr env::Duration patience = env::seconds(5);

struct Place {
  storage::LogDirectory* directory = nullptr;
  Wanted partitions;
};

// What was asked for and lives here, by directory.
std::vector<Place> places(const Context& context, const DescribeLogDirsRequest& request) {
  const auto& directories = context.partitions().directories();
  std::vector<Place> found;
  for (const auto& directory : directories.all()) found.push_back({directory.get(), {}});
  const auto image = context.image();
  const auto add = [&](const metadata::TopicImage& topic, std::int32_t partition) {
    const auto& replicas = topic.partitions[static_cast<std::size_t>(partition)];
    for (std::size_t i = 0; i < replicas->replicas.size(); ++i) {
      if (replicas->replicas[i] != context.node_id()) continue;
      const Uuid assigned = i < replicas->directories.size() ? replicas->directories[i] : zero_uuid;
      const auto* const place = directories.place({topic.name, partition}, topic.id, assigned);
      for (auto& entry : found) {
        if (entry.directory == place) entry.partitions[topic.name].insert(partition);
      }
    }
  };
  if (!request.topics) {
    for (const auto& [name, topic] : image->topics) {
      for (std::size_t p = 0; p < topic->partitions.size(); ++p) {
        add(*topic, static_cast<std::int32_t>(p));
      }
    }
    return found;
  }
  for (const auto& wanted : *request.topics) {
    const auto topic = image->topic(wanted.topic);
    if (!topic) continue;
    for (const std::int32_t partition : wanted.partitions) {
      if (partition >= 0 && partition < std::ssize(topic->partitions)) add(*topic, partition);
    }
  }
  return found;
}

// The bytes of its segments. A partition that nothing was written to has no files yet.
std::int64_t size_on_disk(env::FileSystem& files, const std::string& folder) {
  std::int64_t size = 0;
  const auto entries = files.list(folder);
  if (!entries) return 0;
  for (const auto& entry : *entries) {
    if (!entry.name.ends_with(".log")) continue;
    if (const auto bytes = files.file_size(folder + "/" + entry.name)) size += *bytes;
  }
  return size;
}

// Reads the file system: on the pool.
void measure(env::FileSystem& files, const Place& place, Directory& result) {
  for (const auto& [name, partitions] : place.partitions) {
    auto& topic = result.topics.emplace_back();
    topic.name = name;
    for (const std::int32_t partition : partitions) {
      auto& entry = topic.partitions.emplace_back();
      entry.partition_index = partition;
      entry.partition_size =
          size_on_disk(files, result.log_dir + "/" + TopicPartition{name, partition}.to_string());
    }
  }
}

Directory named(const std::string& path, ErrorCode error) {
  Directory result;
  result.log_dir = path;
  result.error_code = error;
  return result;
}

// What only Arus's own tools ask for.
void add_health(const storage::DirectoryStatus& status, std::int32_t uncleanable,
                Directory& result) {
  auto& health = result.arus_health;
  health.reserve_bytes = status.reserve_bytes;
  health.full_since_ms = status.full_since_ms;
  health.waiting_for_space = status.waiting;
  health.stalled_since_ms = status.stalled_since_ms;
  health.failed_at_ms = status.failed_at_ms;
  if (status.failure) health.failure = status.failure->message;
  health.uncleanable_logs = uncleanable;
}

std::int32_t count_uncleanable(const Context& context) {
  return static_cast<std::int32_t>(
      context.services().metrics().gauge("arus_log_uncleanable_partitions", {}).value());
}

env::Task<std::vector<replication::MoveProgress>> moves_under_way(const Context& context) {
  std::vector<replication::MoveProgress> all;
  for (std::size_t i = 0; i < context.partitions().loop_count(); ++i) {
    auto& here = context.partitions().on(i);
    auto some = co_await env::call(here.loop(), [&here] { return here.moves(); });
    std::ranges::move(some, std::back_inserter(all));
  }
  co_return all;
}

bool is_wanted(const DescribeLogDirsRequest& request, const TopicPartition& name) {
  if (!request.topics) return true;
  const auto topic = std::ranges::find(*request.topics, name.topic,
                                       &DescribeLogDirsRequest::DescribableLogDirTopic::topic);
  return topic != request.topics->end() &&
         std::ranges::find(topic->partitions, name.partition) != topic->partitions.end();
}

// Copies that are being made in this directory.
void add_moves(const std::vector<replication::MoveProgress>& moves,
               const DescribeLogDirsRequest& request, Directory& result) {
  for (const auto& move : moves) {
    if (move.directory != result.log_dir || !is_wanted(request, move.name)) continue;
    auto topic = std::ranges::find(result.topics, move.name.topic,
                                   &DescribeLogDirsResponse::DescribeLogDirsTopic::name);
    if (topic == result.topics.end()) {
      topic = result.topics.insert(topic, DescribeLogDirsResponse::DescribeLogDirsTopic{});
      topic->name = move.name.topic;
    }
    auto& entry = topic->partitions.emplace_back();
    entry.partition_index = move.name.partition;
    entry.partition_size = move.size_bytes;
    entry.offset_lag = move.lag;
    entry.is_future_key = true;
  }
}

// Outlives the request where the disk does not answer in time.
struct Survey {
  Place place;
  Directory result;
  env::Event done;
  bool ended = false;
};

// Nor does it touch the directory once the disk has answered: the node may have stopped by then.
env::Task<void> survey(std::shared_ptr<Survey> work, env::FileSystem* files) {
  Survey* const here = work.get();
  co_await env::run_on(here->place.directory->pool(), [here, files] {
    measure(*files, here->place, here->result);
    if (const auto space = files->space(here->result.log_dir)) {
      here->result.total_bytes = space->total_bytes;
      here->result.usable_bytes = space->usable_bytes;
    }
  });
  here->ended = true;
  here->done.notify_all();
}

std::vector<std::shared_ptr<Survey>> begin_surveys(const Context& context,
                                                   const DescribeLogDirsRequest& request) {
  std::vector<std::shared_ptr<Survey>> surveys;
  for (Place& place : places(context, request)) {
    auto work = std::make_shared<Survey>();
    work->ended = place.directory->offline();
    work->result = named(place.directory->path(),
                         work->ended ? ErrorCode::kafka_storage_error : ErrorCode::none);
    work->place = std::move(place);
    if (!work->ended) env::spawn_detached(survey(work, &context.environment().files()));
    surveys.push_back(std::move(work));
  }
  return surveys;
}

// One that has failed is named with its error, one that stalls does not hold up the others.
env::Task<DescribeLogDirsResponse> handle(DescribeLogDirsRequest request, Context& context) {
  DescribeLogDirsResponse response;
  const env::TimePoint deadline = env::Loop::current()->now() + patience;
  const auto surveys = begin_surveys(context, request);
  const std::int32_t uncleanable = count_uncleanable(context);
  const auto moves = co_await moves_under_way(context);
  for (const auto& work : surveys) {
    bool in_time = true;
    while (!work->ended && in_time) in_time = co_await work->done.wait_until(deadline);
    storage::LogDirectory& directory = *work->place.directory;
    Directory result = work->ended ? std::move(work->result)
                                   : named(directory.path(), ErrorCode::request_timed_out);
    if (work->ended && result.error_code == ErrorCode::none) add_moves(moves, request, result);
    if (request.arus_health) add_health(co_await directory.status(), uncleanable, result);
    response.results.push_back(std::move(result));
  }
  for (const auto& failed : context.partitions().directories().failed()) {
    Directory result = named(failed.path, ErrorCode::kafka_storage_error);
    if (request.arus_health) {
      add_health({.failure = failed.error, .failed_at_ms = failed.since_ms}, uncleanable, result);
    }
    response.results.push_back(std::move(result));
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> describe_log_dirs_handler() {
  return net::make_handler<DescribeLogDirsRequest, Context>(
      handle, net::needs_cluster<DescribeLogDirsRequest>(
                  security::AclOperation::describe,
                  refused_as_whole<DescribeLogDirsResponse, DescribeLogDirsRequest>));
}

}  // namespace arus::broker
