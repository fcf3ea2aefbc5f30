// AlterReplicaLogDirs: moves partitions between the log directories of this node.
#include "protocol/api/alter_replica_log_dirs.h"

#include <algorithm>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "replication/directories.h"

namespace arus::broker {
namespace {

using Request = protocol::AlterReplicaLogDirsRequest;
using Response = protocol::AlterReplicaLogDirsResponse;
using TopicResult = Response::AlterReplicaLogDirTopicResult;

// Of a directory's entry while it is moved: "-0.<32 digits>-future" behind the topic.
constexpr std::size_t longest_topic = 255 - std::string_view("-2147483647.-future").size() - 32;

Result<storage::LogDirectory*> find_target(const Context& context, const std::string& path) {
  const auto& directories = context.partitions().directories();
  for (const auto& directory : directories.all()) {
    if (directory->path() != path) continue;
    if (directory->offline()) return fail(ErrorCode::kafka_storage_error);
    return directory.get();
  }
  const auto failed =
      std::ranges::find(directories.failed(), path, &replication::Directories::Failed::path);
  return fail(failed == directories.failed().end() ? ErrorCode::log_dir_not_found
                                                   : ErrorCode::kafka_storage_error);
}

env::Task<ErrorCode> move_one(Context& context, const std::string& topic, std::int32_t partition,
                              const Result<storage::LogDirectory*>& target) {
  if (topic.size() > longest_topic) co_return ErrorCode::invalid_topic_exception;
  if (!target) co_return target.error().code;
  const auto known = context.image()->topic(topic);
  if (!known || partition < 0 || partition >= std::ssize(known->partitions)) {
    co_return ErrorCode::replica_not_available;
  }
  auto& loop = context.partitions().on(context.partitions().loop_index(topic, partition));
  const TopicIdPartition id{known->id, partition};
  const auto moved = co_await env::call(loop.loop(), [&loop, &id, &target] [[clang::coro_wrapper]] {
    return loop.move(id, *target);
  });
  if (moved) co_return ErrorCode::none;
  // As Kafka, for older clients.
  co_return moved.error().code == ErrorCode::not_leader_or_follower
      ? ErrorCode::replica_not_available
      : moved.error().code;
}

TopicResult& result_of(Response& response, const std::string& topic) {
  const auto known = std::ranges::find(response.results, topic, &TopicResult::topic_name);
  if (known != response.results.end()) return *known;
  auto& result = response.results.emplace_back();
  result.topic_name = topic;
  return result;
}

Response refused(const Request& request, ErrorCode code) {
  Response response;
  for (const auto& directory : request.dirs) {
    for (const auto& topic : directory.topics) {
      for (const std::int32_t partition : topic.partitions) {
        auto& answer = result_of(response, topic.name).partitions.emplace_back();
        answer.partition_index = partition;
        answer.error_code = code;
      }
    }
  }
  return response;
}

env::Task<Response> handle(Request request, Context& context) {
  Response response;
  for (const auto& directory : request.dirs) {
    const auto target = find_target(context, directory.path);
    for (const auto& topic : directory.topics) {
      for (const std::int32_t partition : topic.partitions) {
        const ErrorCode code = co_await move_one(context, topic.name, partition, target);
        auto& answer = result_of(response, topic.name).partitions.emplace_back();
        answer.partition_index = partition;
        answer.error_code = code;
      }
    }
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> alter_replica_log_dirs_handler() {
  return net::make_handler<Request, Context>(
      handle, net::needs_cluster<Request>(security::AclOperation::alter, refused));
}

}  // namespace arus::broker
