#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "config/describe.h"
#include "config/validate.h"
#include "controller/placement.h"
#include "controller/topics.h"
#include "metadata/snapshot_records.h"
#include "raft/format.h"

namespace arus::controller {
namespace {

using protocol::CreateTopicsRequest;
using protocol::CreateTopicsResponse;
using Wanted = CreateTopicsRequest::CreatableTopic;
using Answer = CreateTopicsResponse::CreatableTopicResult;
using metadata::ConfigResourceType;

constexpr const char* metadata_topic = "__cluster_metadata";

// Names in which '.' and '_' are one share their metrics' names.
std::string collision_key(std::string name) {
  std::ranges::replace(name, '.', '_');
  return name;
}

// Topics that are there, or were created earlier in this request, by name without '.' against '_'.
class Names {
 public:
  explicit Names(const metadata::MetadataImage& image) : image_(image) {}

  Result<> take(const std::string& name) {
    if (image_.topic(name) != nullptr) {
      return fail(ErrorCode::topic_already_exists, fmt::format("Topic '{}' already exists.", name));
    }
    if (name.find_first_of("._") == std::string::npos) return {};
    if (const std::string other = colliding(name); !other.empty()) {
      return fail(ErrorCode::invalid_topic_exception,
                  fmt::format("Topic '{}' collides with existing topic: {}", name, other));
    }
    taken_.emplace(collision_key(name), name);
    return {};
  }

 private:
  // Only names that agree up to the first of the two characters can collide.
  [[nodiscard]] std::string colliding(const std::string& name) const {
    const std::string key = collision_key(name);
    if (const auto found = taken_.find(key); found != taken_.end()) return found->second;
    const std::string_view prefix = std::string_view(name).substr(0, name.find_first_of("._"));
    for (auto at = image_.topics.lower_bound(prefix); at != image_.topics.end(); ++at) {
      if (!at->key.starts_with(prefix)) break;
      if (at->key.size() == name.size() && collision_key(at->key) == key) return at->key;
    }
    return {};
  }

  const metadata::MetadataImage& image_;
  std::map<std::string, std::string> taken_;
};

Answer refused(const Wanted& wanted, const Error& error) {
  Answer answer;
  answer.name = wanted.name;
  answer.error_code = error.code;
  answer.error_message =
      error.message.empty() ? std::nullopt : std::optional<std::string>(error.message);
  return answer;
}

// One topic on its way.
struct Draft {
  Records records;
  std::int32_t partitions = 0;
  std::int16_t replication_factor = 0;
  config::ConfigMap overrides;
};

Result<config::ConfigMap> read_configs(const DecisionContext& context, const Wanted& wanted) {
  config::ConfigMap overrides;
  for (const auto& config : wanted.configs) {
    if (!config.value) {
      return fail(ErrorCode::invalid_config,
                  "Null value not supported for topic configs: " + config.name);
    }
    overrides[config.name] = *config.value;
  }
  ARUS_TRY(config::validate_topic(overrides, broker_layers(context)));
  return overrides;
}

void write_configs(const DecisionContext& context, const Wanted& wanted, const Uuid& id,
                   Draft& draft) {
  bool changes_min_insync = false;
  std::set<std::string> written;
  for (const auto& config : wanted.configs) {
    if (!written.insert(config.name).second) continue;
    const std::string& value = draft.overrides.at(config.name);
    if (config::is_arus_topic_key(config.name)) {
      draft.records.emplace_back(config_record({ConfigResourceType::broker, {}},
                                               config::stored_arus_key(id, config.name), value));
      continue;
    }
    draft.records.emplace_back(
        config_record({ConfigResourceType::topic, wanted.name}, config.name, value));
    changes_min_insync = changes_min_insync || config.name == min_insync_key;
  }
  if (changes_min_insync && elr_enabled(context.image)) {
    protocol::ClearElrRecord clear;
    clear.topic_name = wanted.name;
    draft.records.emplace_back(clear);
  }
}

Result<std::map<std::int32_t, std::vector<BrokerId>>> read_assignments(
    const DecisionContext& context, const Wanted& wanted) {
  if (wanted.replication_factor != -1) {
    return fail(ErrorCode::invalid_request,
                "A manual partition assignment was specified, but replication factor was not set "
                "to -1.");
  }
  if (wanted.num_partitions != -1) {
    return fail(ErrorCode::invalid_request,
                "A manual partition assignment was specified, but numPartitions was not set to "
                "-1.");
  }
  std::map<std::int32_t, std::vector<BrokerId>> assignments;
  std::size_t replication_factor = 0;
  for (const auto& one : wanted.assignments) {
    if (assignments.contains(one.partition_index)) {
      return fail(ErrorCode::invalid_replica_assignment,
                  fmt::format("Found multiple manual partition assignments for partition {}",
                              one.partition_index));
    }
    ARUS_TRY(validate_assignment(context.image, one.broker_ids, replication_factor));
    replication_factor = one.broker_ids.size();
    assignments.emplace(one.partition_index, one.broker_ids);
  }
  std::int32_t expected = 0;
  for (const auto& [index, replicas] : assignments) {
    if (index != expected++) {
      return fail(ErrorCode::invalid_replica_assignment,
                  "partitions should be a consecutive 0-based integer sequence");
    }
  }
  return assignments;
}

Result<> write_partition(const DecisionContext& context, Placement& placement, const Uuid& id,
                         std::int32_t index, std::vector<BrokerId> replicas, Draft& draft) {
  draft.replication_factor = static_cast<std::int16_t>(replicas.size());
  const auto partition = new_partition(context, placement, index, std::move(replicas));
  if (!partition) return fail(partition.error());
  draft.records.emplace_back(metadata::to_record(id, index, *partition));
  ++draft.partitions;
  return {};
}

Result<> write_partitions(const DecisionContext& context, Placement& placement,
                          const Wanted& wanted, const Uuid& id, Draft& draft) {
  if (!wanted.assignments.empty()) {
    auto assignments = read_assignments(context, wanted);
    if (!assignments) return fail(assignments.error());
    for (auto& [index, replicas] : *assignments) {
      ARUS_TRY(write_partition(context, placement, id, index, std::move(replicas), draft));
    }
    return {};
  }
  if (wanted.replication_factor < -1 || wanted.replication_factor == 0) {
    return fail(ErrorCode::invalid_replication_factor,
                "Replication factor must be larger than 0, or -1 to use the default value.");
  }
  if (wanted.num_partitions < -1 || wanted.num_partitions == 0) {
    return fail(ErrorCode::invalid_partitions,
                "Number of partitions was set to an invalid non-positive value.");
  }
  const std::int32_t partitions =
      wanted.num_partitions == -1 ? context.settings.default_partitions : wanted.num_partitions;
  const std::int16_t replication_factor = wanted.replication_factor == -1
                                              ? context.settings.default_replication_factor
                                              : wanted.replication_factor;
  for (std::int32_t index = 0; index < partitions; ++index) {
    auto replicas = placement.place(replication_factor);
    if (!replicas) return fail(replicas.error());
    ARUS_TRY(write_partition(context, placement, id, index, std::move(*replicas), draft));
  }
  return {};
}

void describe(const DecisionContext& context, const Draft& draft, Answer& answer) {
  config::Layers layers = broker_layers(context);
  layers.overrides = &draft.overrides;
  std::vector<CreateTopicsResponse::CreatableTopicConfigs> configs;
  for (const auto& described : config::describe_topic(layers)) {
    // Settings of our own are shown where somebody set them.
    if (config::is_arus_topic_key(described.name) && !draft.overrides.contains(described.name)) {
      continue;
    }
    auto& config = configs.emplace_back();
    config.name = described.name;
    config.value = described.value;
    config.read_only = described.read_only;
    config.config_source = static_cast<std::int8_t>(described.source);
    config.is_sensitive = described.sensitive;
  }
  answer.configs = std::move(configs);
}

Result<Answer> create_topic(const DecisionContext& context, Placement& placement,
                            const Wanted& wanted, Draft& draft) {
  auto overrides = read_configs(context, wanted);
  if (!overrides) return fail(overrides.error());
  draft.overrides = std::move(*overrides);
  const Uuid id = raft::random_uuid(context.random);
  protocol::TopicRecord record;
  record.name = wanted.name;
  record.topic_id = id;
  draft.records.emplace_back(record);
  write_configs(context, wanted, id, draft);
  ARUS_TRY(write_partitions(context, placement, wanted, id, draft));
  Answer answer;
  answer.name = wanted.name;
  answer.topic_id = id;
  answer.error_message.reset();
  answer.num_partitions = draft.partitions;
  answer.replication_factor = draft.replication_factor;
  describe(context, draft, answer);
  return answer;
}

// What the request asks for at most, before anything is made of it.
bool is_excessive(const DecisionContext& context, const CreateTopicsRequest& request) {
  std::int64_t total = 0;
  for (const auto& wanted : request.topics) {
    if (!wanted.assignments.empty()) {
      total += static_cast<std::int64_t>(wanted.assignments.size());
    } else if (wanted.num_partitions == -1) {
      total += context.settings.default_partitions;
    } else if (wanted.num_partitions > 0) {
      total += wanted.num_partitions;
    }
  }
  return total > max_partitions_per_request;
}

}  // namespace

Result<Decision<CreateTopicsResponse>> create_topics(const DecisionContext& context,
                                                     const CreateTopicsRequest& request) {
  Decision<CreateTopicsResponse> decision;
  std::map<std::string, int> counts;
  for (const auto& wanted : request.topics) ++counts[wanted.name];
  const bool excessive = is_excessive(context, request);
  Names names(context.image);
  Placement placement(context);
  for (const auto& wanted : request.topics) {
    if (counts[wanted.name] > 1) continue;
    const auto decide = [&]() -> Result<Answer> {
      if (wanted.name == metadata_topic) {
        return fail(ErrorCode::invalid_request,
                    "Creation of internal topic __cluster_metadata is prohibited.");
      }
      if (excessive) {
        return fail(ErrorCode::policy_violation,
                    "Excessively large number of partitions per request.");
      }
      ARUS_TRY(validate_topic_name(wanted.name));
      ARUS_TRY(names.take(wanted.name));
      Draft draft;
      auto answer = create_topic(context, placement, wanted, draft);
      if (answer) {
        std::ranges::move(draft.records, std::back_inserter(decision.records));
      }
      return answer;
    };
    auto answer = decide();
    decision.response.topics.push_back(answer ? std::move(*answer)
                                              : refused(wanted, answer.error()));
  }
  for (const auto& [name, count] : counts) {
    if (count < 2) continue;
    Wanted twice;
    twice.name = name;
    decision.response.topics.push_back(
        refused(twice, {ErrorCode::invalid_request, "Duplicate topic name."}));
  }
  if (request.validate_only) decision.records.clear();
  return decision;
}

}  // namespace arus::controller
