// DescribeLogDirs: the log directories of this node, their space, and the size of each partition.
#include "protocol/api/describe_log_dirs.h"

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

struct Place {
  storage::LogDirectory* directory;
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
      entry.partition_size = size_on_disk(
          files, place.directory->path() + "/" + TopicPartition{name, partition}.to_string());
    }
  }
}

env::Task<DescribeLogDirsResponse> handle(DescribeLogDirsRequest request, Context& context) {
  DescribeLogDirsResponse response;
  env::FileSystem& files = context.environment().files();
  for (const Place& place : places(context, request)) {
    Directory result;
    result.log_dir = place.directory->path();
    if (place.directory->offline()) {
      result.error_code = ErrorCode::kafka_storage_error;
      response.results.push_back(std::move(result));
      continue;
    }
    co_await env::run_on(context.environment().pool(), [&] { measure(files, place, result); });
    if (const auto space = co_await place.directory->space()) {
      result.total_bytes = space->total_bytes;
      result.usable_bytes = space->usable_bytes;
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
