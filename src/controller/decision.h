// What a decision sees, and what it gives: records to write, and the answer once they are durable.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/topic_config.h"
#include "controller/settings.h"
#include "env/environment.h"
#include "metadata/image.h"
#include "protocol/metadata_record.h"

namespace arus::controller {

using Records = std::vector<protocol::MetadataRecord>;

// The newest image, with what was decided but is not durable yet: each decision builds on the one
// before. Decisions are pure but for `random`; they are called one at a time.
struct DecisionContext {
  const metadata::MetadataImage& image;
  const ControllerSettings& settings;
  BrokerId self;
  std::int16_t kraft_version = 0;
  env::Random& random;
};

template <class Response>
struct Decision {
  Records records;
  Response response;
};

// One batch of the metadata log holds no more records; larger changes are several batches.
inline constexpr std::size_t max_records_per_batch = 10'000;
// What one request may create.
inline constexpr std::int64_t max_partitions_per_request = 10'000;

// The layers below a topic's own overrides.
[[nodiscard]] config::Layers broker_layers(const DecisionContext& context);
inline constexpr const char* min_insync_key = "min.insync.replicas";
// min.insync.replicas of a topic: its own, the cluster's, the node's.
[[nodiscard]] std::int32_t min_insync_replicas(const DecisionContext& context,
                                               const std::string& topic);
[[nodiscard]] bool elr_enabled(const metadata::MetadataImage& image);
// INVALID_TOPIC_EXCEPTION for names that Kafka refuses.
Result<> validate_topic_name(const std::string& name);

[[nodiscard]] protocol::ConfigRecord config_record(const metadata::ConfigResource& resource,
                                                   std::string key,
                                                   std::optional<std::string> value);

}  // namespace arus::controller
