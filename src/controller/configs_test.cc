#include "controller/configs.h"

#include "controller/decision_testing.h"

namespace arus::controller {
namespace {

using metadata::ConfigResourceType;
using Resource = protocol::IncrementalAlterConfigsRequest::AlterConfigsResource;

constexpr std::int8_t set = 0;
constexpr std::int8_t remove_key = 1;
constexpr std::int8_t append = 2;
constexpr std::int8_t subtract = 3;

Resource resource(
    std::int8_t type, const std::string& name,
    std::vector<std::tuple<std::string, std::int8_t, std::optional<std::string>>> changes) {
  Resource made{.resource_type = type, .resource_name = name};
  for (auto& [key, operation, value] : changes) {
    made.configs.push_back({.name = key, .config_operation = operation, .value = value});
  }
  return made;
}

class ConfigsTest : public testing::Test {
 protected:
  ConfigsTest() { world_.add_topic("t", {{1}}); }

  // "code message" of the one resource's answer.
  std::string alter(const Resource& one, bool validate_only = false) {
    const auto answer = world_
                            .perform(incremental_alter_configs,
                                     {.resources = {one}, .validate_only = validate_only})
                            .responses.front();
    EXPECT_EQ(answer.resource_name, one.resource_name);
    return std::to_string(static_cast<int>(answer.error_code)) + " " +
           answer.error_message.value_or("-");
  }
  const metadata::ConfigMap& of(ConfigResourceType type, const std::string& name) {
    return world_.image->configs({type, name});
  }
  DecisionWorld world_;
};

// What Kafka 4.3.1 answered to the same requests.
TEST_F(ConfigsTest, RefusesWhatKafkaRefusesInTheSameWords) {
  const std::vector<std::pair<Resource, std::string>> cases{
      {resource(2, "no", {{"retention.ms", set, "1"}}), "3 The topic 'no' does not exist."},
      {resource(2, "t", {{"foo", set, "1"}}), "40 Unknown topic config name: foo"},
      {resource(2, "t", {{"retention.ms", set, "x"}}),
       "40 Invalid value x for configuration retention.ms: Not a number of type LONG"},
      {resource(2, "t", {{"retention.ms", append, "1"}}),
       "40 Can't APPEND to key retention.ms because its type is not LIST."},
      {resource(2, "t", {{"retention.ms", set, std::nullopt}}),
       "42 Null value not supported for : retention.ms"},
      {resource(2, "t", {{"retention.ms", 9, "1"}}), "-1 -"},
      {resource(2, "t", {{"retention.ms", set, "1"}, {"retention.ms", set, "2"}}),
       "42 Error due to duplicate config keys"},
      {resource(99, "t", {{"retention.ms", set, "1"}}), "42 Unknown resource type 99"},
      {resource(2, "", {{"retention.ms", set, "1"}}),
       "42 Default topic resources are not allowed."},
      {resource(32, "", {{"consumer.session.timeout.ms", set, "45000"}}),
       "42 Default group resources are not allowed."},
      {resource(16, "", {{"interval.ms", set, "60000"}}), "42 Subscription name can't be empty"},
      {resource(4, "7", {{"log.retention.ms", set, "1"}}),
       "42 Unexpected broker id, expected 1, but received 7"},
      {resource(4, "abc", {{"log.retention.ms", set, "1"}}),
       "42 Node id must be an integer, but it is: abc"},
      {resource(4, "1", {{"broker.id", set, "2"}}),
       "42 Cannot update these configs dynamically: [broker.id]"},
      {resource(4, "", {{"min.insync.replicas", remove_key, std::nullopt}}),
       "40 Cluster-level min.insync.replicas cannot be removed while ELR is enabled."},
      {resource(4, "1", {{"min.insync.replicas", set, "1"}}),
       "40 Broker-level min.insync.replicas cannot be altered while ELR is enabled."},
      {resource(16, "s", {{"foo", set, "1"}}), "42 Unknown client metrics configuration: foo"},
      {resource(32, "g", {{"foo", set, "1"}}), "40 Unknown group config name: foo"},
  };
  for (const auto& [one, expected] : cases) {
    EXPECT_EQ(alter(one), expected);
    EXPECT_EQ(world_.written, 0U) << expected;
  }
}

TEST_F(ConfigsTest, SetsRemovesAppendsAndSubtracts) {
  EXPECT_EQ(alter(resource(2, "t", {{"retention.ms", set, "5000"}})), "0 -");
  EXPECT_EQ(of(ConfigResourceType::topic, "t").at("retention.ms"), "5000");
  EXPECT_EQ(alter(resource(2, "t", {{"cleanup.policy", append, "compact"}})), "0 -");
  EXPECT_EQ(of(ConfigResourceType::topic, "t").at("cleanup.policy"), "delete,compact");
  EXPECT_EQ(alter(resource(2, "t", {{"cleanup.policy", subtract, "delete"}})), "0 -");
  EXPECT_EQ(of(ConfigResourceType::topic, "t").at("cleanup.policy"), "compact");
  EXPECT_EQ(alter(resource(2, "t", {{"retention.ms", remove_key, std::nullopt}})), "0 -");
  EXPECT_FALSE(of(ConfigResourceType::topic, "t").contains("retention.ms"));
  // What changes nothing writes nothing.
  EXPECT_EQ(alter(resource(2, "t", {{"segment.ms", remove_key, std::nullopt}})), "0 -");
  EXPECT_EQ(world_.written, 0U);
  EXPECT_EQ(alter(resource(4, "1", {{"my.own.key", set, "v"}})), "0 -");
  EXPECT_EQ(of(ConfigResourceType::broker, "1").at("my.own.key"), "v");
  EXPECT_EQ(alter(resource(16, "s", {{"interval.ms", set, "60000"}})), "0 -");
  EXPECT_EQ(alter(resource(32, "g", {{"consumer.session.timeout.ms", set, "45000"}})), "0 -");
  EXPECT_EQ(of(ConfigResourceType::group, "g").size(), 1U);
}

TEST_F(ConfigsTest, OnlyValidatingWritesNothing) {
  EXPECT_EQ(alter(resource(2, "t", {{"retention.ms", set, "77"}}), true), "0 -");
  EXPECT_EQ(world_.written, 0U);
}

TEST_F(ConfigsTest, MinInsyncReplicasClearsTheElrAsKafkaDoes) {
  EXPECT_EQ(alter(resource(4, "", {{"min.insync.replicas", set, "1"}})), "0 -");
  EXPECT_EQ(world_.written, 2U);
  EXPECT_EQ(alter(resource(2, "t", {{"min.insync.replicas", set, "2"}})), "0 -");
  EXPECT_EQ(world_.written, 2U);
}

TEST_F(ConfigsTest, AResourceNamedTwiceIsRefusedTwice) {
  const auto one = resource(2, "t", {{"retention.ms", set, "1"}});
  const auto answer = world_.perform(incremental_alter_configs, {.resources = {one, one}});
  ASSERT_EQ(answer.responses.size(), 2U);
  for (const auto& response : answer.responses) {
    EXPECT_EQ(response.error_code, ErrorCode::invalid_request);
    EXPECT_EQ(response.error_message, "Each resource must appear at most once.");
  }
}

TEST_F(ConfigsTest, ArusSettingsOfATopicAreKeptAmongTheBrokersAndSurviveTheOldApi) {
  const Uuid id = world_.image->topic("t")->id;
  EXPECT_EQ(alter(resource(2, "t", {{"arus.durability", set, "page-cache"}})), "0 -");
  EXPECT_TRUE(of(ConfigResourceType::topic, "t").empty());
  EXPECT_EQ(world_.image->arus_topic_configs(id).at("arus.durability"), "page-cache");
  // Replacing all settings of all brokers leaves the topics' alone.
  protocol::AlterConfigsRequest request;
  request.resources.push_back({.resource_type = 4, .resource_name = ""});
  request.resources.back().configs.push_back({.name = "min.insync.replicas", .value = "1"});
  EXPECT_EQ(world_.perform(alter_configs, request).responses.front().error_code, ErrorCode::none);
  EXPECT_EQ(world_.image->arus_topic_configs(id).at("arus.durability"), "page-cache");
  // Replacing all settings of the topic does not.
  request.resources = {{.resource_type = 2, .resource_name = "t"}};
  EXPECT_EQ(world_.perform(alter_configs, request).responses.front().error_code, ErrorCode::none);
  EXPECT_TRUE(world_.image->arus_topic_configs(id).empty());
}

TEST_F(ConfigsTest, TheOldApiReplacesEverything) {
  alter(resource(2, "t", {{"retention.ms", set, "5000"}, {"cleanup.policy", set, "compact"}}));
  protocol::AlterConfigsRequest request;
  request.resources.push_back({.resource_type = 2, .resource_name = "t"});
  request.resources.back().configs.push_back({.name = "retention.ms", .value = "9000"});
  EXPECT_EQ(world_.perform(alter_configs, request).responses.front().error_code, ErrorCode::none);
  EXPECT_EQ(of(ConfigResourceType::topic, "t"), (metadata::ConfigMap{{"retention.ms", "9000"}}));
}

}  // namespace
}  // namespace arus::controller
