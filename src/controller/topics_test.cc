#include "controller/topics.h"

#include "controller/decision_testing.h"

namespace arus::controller {
namespace {

using Topic = protocol::CreateTopicsRequest::CreatableTopic;
using Assignment = protocol::CreateTopicsRequest::CreatableReplicaAssignment;

Topic topic(const std::string& name, std::int32_t partitions = 1, std::int16_t replicas = 1) {
  return {.name = name, .num_partitions = partitions, .replication_factor = replicas};
}

Topic assigned(std::vector<Assignment> assignments) {
  Topic wanted = topic("m", -1, -1);
  wanted.assignments = std::move(assignments);
  return wanted;
}

Assignment at(std::int32_t index, std::vector<BrokerId> brokers) {
  return {.partition_index = index, .broker_ids = std::move(brokers)};
}

Topic configured(std::vector<std::pair<std::string, std::optional<std::string>>> configs) {
  Topic wanted = topic("c");
  for (auto& [name, value] : configs) wanted.configs.push_back({.name = name, .value = value});
  return wanted;
}

constexpr BrokerId one{1};

// What Kafka 4.3.1 answered to the same requests.
struct Refusal {
  Topic wanted;
  ErrorCode code;
  std::string message;
};

const std::string illegal_characters =
    " contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'";

const std::vector<Refusal> refusals{
    {topic("there"), ErrorCode::topic_already_exists, "Topic 'there' already exists."},
    {topic("a_b"), ErrorCode::invalid_topic_exception,
     "Topic 'a_b' collides with existing topic: a.b"},
    {topic("x", 0), ErrorCode::invalid_partitions,
     "Number of partitions was set to an invalid non-positive value."},
    {topic("x", -5), ErrorCode::invalid_partitions,
     "Number of partitions was set to an invalid non-positive value."},
    {topic("x", 1, 0), ErrorCode::invalid_replication_factor,
     "Replication factor must be larger than 0, or -1 to use the default value."},
    {topic("x", 1, 2), ErrorCode::invalid_replication_factor,
     "Unable to replicate the partition 2 time(s): The target replication factor of 2 cannot be "
     "reached because only 1 broker(s) are registered or some brokers have all their log "
     "directories cordoned."},
    {topic(".."), ErrorCode::invalid_topic_exception, "Topic name is invalid: '..' is not allowed"},
    {topic("."), ErrorCode::invalid_topic_exception, "Topic name is invalid: '.' is not allowed"},
    {topic(""), ErrorCode::invalid_topic_exception,
     "Topic name is invalid: the empty string is not allowed"},
    {topic("a b"), ErrorCode::invalid_topic_exception,
     "Topic name is invalid: 'a b'" + illegal_characters},
    {topic(std::string(250, 'a')), ErrorCode::invalid_topic_exception,
     "Topic name is invalid: the length of '" + std::string(250, 'a') +
         "' is longer than the max allowed length 249"},
    {topic("__cluster_metadata"), ErrorCode::invalid_request,
     "Creation of internal topic __cluster_metadata is prohibited."},
    {topic("x", 10'001), ErrorCode::policy_violation,
     "Excessively large number of partitions per request."},
    {assigned({at(0, {one}), at(2, {one})}), ErrorCode::invalid_replica_assignment,
     "partitions should be a consecutive 0-based integer sequence"},
    {assigned({at(0, {BrokerId{7}})}), ErrorCode::invalid_replica_assignment,
     "The manual partition assignment includes broker 7, but no such broker is registered."},
    {assigned({at(0, {one, one})}), ErrorCode::invalid_replica_assignment,
     "The manual partition assignment includes the broker 1 more than once."},
    {assigned({at(0, {})}), ErrorCode::invalid_replica_assignment,
     "The manual partition assignment includes an empty replica list."},
    {assigned({at(0, {one}), at(0, {one})}), ErrorCode::invalid_replica_assignment,
     "Found multiple manual partition assignments for partition 0"},
    {configured({{"foo", "1"}}), ErrorCode::invalid_config, "Unknown topic config name: foo"},
    {configured({{"retention.ms", "x"}}), ErrorCode::invalid_config,
     "Invalid value x for configuration retention.ms: Not a number of type LONG"},
    {configured({{"retention.ms", std::nullopt}}), ErrorCode::invalid_config,
     "Null value not supported for topic configs: retention.ms"},
};

TEST(CreateTopics, RefusesWhatKafkaRefusesInTheSameWords) {
  DecisionWorld world;
  world.add_topic("there", {{1}});
  world.add_topic("a.b", {{1}});
  for (const Refusal& refusal : refusals) {
    const auto answer = world.perform(create_topics, {.topics = {refusal.wanted}}).topics.front();
    EXPECT_EQ(answer.error_code, refusal.code) << refusal.message;
    EXPECT_EQ(answer.error_message, refusal.message);
    EXPECT_TRUE(answer.topic_id.is_zero());
    EXPECT_EQ(world.written, 0U) << refusal.message;
  }
}

TEST(CreateTopics, OneBadTopicDoesNotHinderItsNeighbours) {
  DecisionWorld world;
  const auto answer = world.perform(
      create_topics, {.topics = {topic("twice"), topic("good", 2), topic("twice"), topic("..")}});
  ASSERT_EQ(answer.topics.size(), 3U);
  EXPECT_EQ(answer.topics[0].name, "good");
  EXPECT_EQ(answer.topics[0].error_code, ErrorCode::none);
  EXPECT_EQ(answer.topics[1].error_code, ErrorCode::invalid_topic_exception);
  EXPECT_EQ(answer.topics[2].name, "twice");
  EXPECT_EQ(answer.topics[2].error_message, "Duplicate topic name.");
  EXPECT_EQ(world.image->topics.size(), 1U);
}

TEST(CreateTopics, NamesCollideWithinOneRequestToo) {
  DecisionWorld world;
  const auto answer =
      world.perform(create_topics, {.topics = {topic("q.q"), topic("q_q"), topic("qq")}});
  EXPECT_EQ(answer.topics[0].error_code, ErrorCode::none);
  EXPECT_EQ(answer.topics[1].error_code, ErrorCode::invalid_topic_exception);
  EXPECT_EQ(answer.topics[2].error_code, ErrorCode::none);
}

TEST(CreateTopics, AnswersWithIdShapeAndSettings) {
  DecisionWorld world;
  world.settings.default_partitions = 4;
  Topic wanted = topic("t", -1, -1);
  wanted.configs = {{.name = "cleanup.policy", .value = "compact"},
                    {.name = "arus.durability", .value = "page-cache"},
                    {.name = "min.insync.replicas", .value = "1"}};
  const auto answer = world.perform(create_topics, {.topics = {wanted}}).topics.front();
  EXPECT_EQ(answer.error_code, ErrorCode::none);
  EXPECT_EQ(answer.error_message, std::nullopt);
  EXPECT_EQ(answer.num_partitions, 4);
  EXPECT_EQ(answer.replication_factor, 1);
  const auto created = world.image->topic(answer.topic_id);
  ASSERT_NE(created, nullptr);
  EXPECT_EQ(created->partitions[3]->leader, one);
  EXPECT_EQ(created->partitions[3]->directories, std::vector<Uuid>{DecisionWorld::directory});
  EXPECT_FALSE(
      world.image->configs({metadata::ConfigResourceType::topic, "t"}).contains("arus.durability"));
  EXPECT_EQ(world.image->arus_topic_configs(created->id).at("arus.durability"), "page-cache");
  std::map<std::string, std::pair<std::optional<std::string>, int>> configs;
  for (const auto& config : *answer.configs) {
    configs[config.name] = {config.value, config.config_source};
  }
  EXPECT_EQ(configs.at("cleanup.policy"),
            (std::pair<std::optional<std::string>, int>("compact", 1)));
  EXPECT_EQ(configs.at("retention.ms").second, 5);
  EXPECT_EQ(configs.at("arus.durability").first, "page-cache");
  EXPECT_EQ(configs.count("arus.batch.validation"), 0U);
}

TEST(CreateTopics, OnlyValidatingWritesNothing) {
  DecisionWorld world;
  const auto answer =
      world.perform(create_topics, {.topics = {topic("v", 3)}, .validate_only = true});
  EXPECT_EQ(answer.topics.front().num_partitions, 3);
  EXPECT_EQ(world.written, 0U);
}

TEST(CreateTopics, ReplicasAreSpreadOverRacksAndBrokers) {
  DecisionWorld world;
  world.add_broker(2, "a");
  world.add_broker(3, "a");
  world.add_broker(4, "b");
  const auto answer = world.perform(create_topics, {.topics = {topic("r", 24, 3)}}).topics.front();
  ASSERT_EQ(answer.error_code, ErrorCode::none);
  std::map<BrokerId, int> leads;
  for (const auto& partition : world.image->topic("r")->partitions) {
    std::set<std::optional<std::string>> racks;
    for (const BrokerId replica : partition->replicas) {
      racks.insert(world.image->broker(replica)->rack);
    }
    EXPECT_EQ(racks.size(), 3U);
    ++leads[partition->leader];
  }
  EXPECT_EQ(leads.size(), 4U);
}

using Grown = protocol::CreatePartitionsRequest::CreatePartitionsTopic;

TEST(CreatePartitions, RefusesWhatKafkaRefusesInTheSameWords) {
  DecisionWorld world;
  world.add_topic("t", {{1}, {1}, {1}});
  const auto refused = [&](const Grown& wanted, ErrorCode code, const std::string& message) {
    const auto answer = world.perform(create_partitions, {.topics = {wanted}}).results.front();
    EXPECT_EQ(answer.error_code, code) << message;
    EXPECT_EQ(answer.error_message.value_or(""), message);
  };
  using protocol::CreatePartitionsRequest;
  const auto with = [](std::int32_t count, std::vector<std::vector<BrokerId>> replicas) {
    Grown wanted{.name = "t", .count = count};
    wanted.assignments.emplace();
    for (auto& one_assignment : replicas) {
      wanted.assignments->push_back({.broker_ids = std::move(one_assignment)});
    }
    return wanted;
  };
  refused({.name = "t", .count = 3, .assignments = std::nullopt}, ErrorCode::invalid_partitions,
          "Topic already has 3 partition(s).");
  refused({.name = "t", .count = 2, .assignments = std::nullopt}, ErrorCode::invalid_partitions,
          "The topic t currently has 3 partition(s); 2 would not be an increase.");
  refused({.name = "no", .count = 2, .assignments = std::nullopt},
          ErrorCode::unknown_topic_or_partition, "");
  refused(with(5, {{one}}), ErrorCode::invalid_replica_assignment,
          "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.");
  refused(with(4, {{BrokerId{9}}}), ErrorCode::invalid_replica_assignment,
          "The manual partition assignment includes broker 9, but no such broker is registered.");
  refused({.name = "t", .count = 20'000, .assignments = std::nullopt}, ErrorCode::policy_violation,
          "Excessively large number of partitions per request.");
  EXPECT_EQ(world.image->topic("t")->partitions.size(), 3U);
}

TEST(CreatePartitions, GrowsTheTopic) {
  DecisionWorld world;
  world.add_topic("t", {{1}});
  world.perform(create_partitions,
                {.topics = {{.name = "t", .count = 3, .assignments = std::nullopt}}});
  EXPECT_EQ(world.image->topic("t")->partitions.size(), 3U);
  EXPECT_EQ(world.image->topic("t")->partitions[2]->leader, one);
}

TEST(DeleteTopics, ByNameAndById) {
  DecisionWorld world;
  world.add_topic("a", {{1}});
  world.add_topic("b", {{1}});
  const Uuid id = world.image->topic("b")->id;
  const Uuid unknown = Uuid::of_halves(8, 8);
  const auto answer = world.perform(delete_topics, {.topics = {{.name = "a", .topic_id = {}},
                                                               {.name = {}, .topic_id = id},
                                                               {.name = "no", .topic_id = {}},
                                                               {.name = {}, .topic_id = unknown},
                                                               {.name = {}, .topic_id = {}},
                                                               {.name = "a", .topic_id = id}}});
  ASSERT_EQ(answer.responses.size(), 6U);
  EXPECT_EQ(answer.responses[0].error_code, ErrorCode::none);
  EXPECT_EQ(answer.responses[1].name, "b");
  EXPECT_EQ(answer.responses[2].error_code, ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(answer.responses[3].error_code, ErrorCode::unknown_topic_id);
  EXPECT_EQ(answer.responses[4].error_message, "Neither topic name nor id were specified.");
  EXPECT_EQ(answer.responses[5].error_message, "You may not specify both topic name and topic id.");
  EXPECT_TRUE(world.image->topics.empty());
}

TEST(DeleteTopics, DuplicatesAreAnsweredOnceAndNotDeleted) {
  DecisionWorld world;
  world.add_topic("a", {{1}});
  const auto answer = world.perform(delete_topics, {.topic_names = {"a", "a"}});
  ASSERT_EQ(answer.responses.size(), 1U);
  EXPECT_EQ(answer.responses[0].error_message, "Duplicate topic name.");
  EXPECT_NE(world.image->topic("a"), nullptr);
}

TEST(DeleteTopics, IsRefusedAsAWholeWhereItIsDisabled) {
  DecisionWorld world;
  world.settings.delete_topics = false;
  EXPECT_EQ(delete_topics(world.context(), {.topic_names = {"a"}}).error().code,
            ErrorCode::topic_deletion_disabled);
}

}  // namespace
}  // namespace arus::controller
