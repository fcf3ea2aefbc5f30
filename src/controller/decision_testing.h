// For tests of decisions: an image that begins as one node's, and chance that is none.
#pragma once

#include "controller/decision.h"
#include "controller/node_records.h"
#include "metadata/image_builder.h"
#include "raft/format.h"

namespace arus::controller {

// Counts instead of drawing.
class CountingRandom final : public env::Random {
 public:
  void fill(MutableByteView bytes) override {
    ++count_;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::uint8_t>(count_ >> (8 * (i % 8)));
    }
  }

 private:
  std::uint64_t count_ = 100;
};

// One node with the features of a fresh cluster, alone and serving. Decisions are applied.
class DecisionWorld {
 public:
  DecisionWorld() {
    for (const auto& feature : *raft::initial_features(raft::newest_metadata_version, {})) {
      protocol::FeatureLevelRecord record;
      record.name = feature.first;
      record.feature_level = feature.second;
      apply({record});
    }
    apply({config_record({metadata::ConfigResourceType::broker, {}}, "min.insync.replicas", "1")});
    apply(*register_broker(context(), {.broker_epoch = 10,
                                       .incarnation_id = Uuid::of_halves(1, 1),
                                       .endpoints = {{"PLAINTEXT", "127.0.0.1", 9092}},
                                       .directories = {directory}}));
    apply(unfence(context(), false));
    settings.has_authorizer = true;
  }

  [[nodiscard]] DecisionContext context() {
    return {.image = *image,
            .settings = settings,
            .self = BrokerId{1},
            .kraft_version = 1,
            .random = random};
  }

  void apply(const Records& records) {
    metadata::ImageBuilder builder(image);
    for (const auto& record : records) {
      const auto applied = builder.apply(record);
      EXPECT_TRUE(applied) << applied.error().message;
    }
    auto next =
        builder.finish(image->offset + static_cast<std::int64_t>(records.size()), LeaderEpoch{1});
    EXPECT_TRUE(next);
    image = *next;
  }

  // Decides, applies what was decided, gives the answer.
  template <class Request, class Response>
  Response perform(Result<Decision<Response>> (*decide)(const DecisionContext&, const Request&),
                   const Request& request) {
    auto decision = decide(context(), request);
    EXPECT_TRUE(decision) << decision.error().message;
    if (!decision) return {};
    written = decision->records.size();
    apply(decision->records);
    return decision->response;
  }

  // Another broker of the cluster, alive.
  void add_broker(std::int32_t id, std::optional<std::string> rack = std::nullopt) {
    protocol::RegisterBrokerRecord record;
    record.broker_id = BrokerId{id};
    record.broker_epoch = 100 + id;
    record.rack = std::move(rack);
    record.fenced = false;
    record.log_dirs = {Uuid::of_halves(2, static_cast<std::uint64_t>(1000 + id))};
    apply({record});
  }

  void add_topic(const std::string& name, std::vector<std::vector<std::int32_t>> replicas);

  static constexpr Uuid directory = Uuid::of_halves(1, 1000);
  CountingRandom random;
  ControllerSettings settings;
  metadata::ImagePointer image = std::make_shared<const metadata::MetadataImage>();
  std::size_t written = 0;  // records of the last decision
};

inline void DecisionWorld::add_topic(const std::string& name,
                                     std::vector<std::vector<std::int32_t>> replicas) {
  protocol::TopicRecord topic;
  topic.name = name;
  topic.topic_id = raft::random_uuid(random);
  Records records{topic};
  for (std::size_t i = 0; i < replicas.size(); ++i) {
    protocol::PartitionRecord partition;
    partition.topic_id = topic.topic_id;
    partition.partition_id = static_cast<std::int32_t>(i);
    for (const std::int32_t id : replicas[i]) {
      partition.replicas.emplace_back(id);
      partition.isr.emplace_back(id);
      partition.directories.push_back(directory);
    }
    partition.leader = partition.replicas.front();
    partition.leader_epoch = 0;
    partition.partition_epoch = 0;
    records.emplace_back(partition);
  }
  apply(records);
}

}  // namespace arus::controller
