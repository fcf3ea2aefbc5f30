#include "config/broker_config.h"

namespace arus::config {
namespace {

ConfigMap with(ConfigMap changes) {
  ConfigMap properties = standalone_properties("/data", "127.0.0.1:9092");
  for (auto& [key, value] : changes) properties[key] = value;
  return properties;
}

BrokerConfig made(ConfigMap changes = {}) {
  auto config = BrokerConfig::make(with(std::move(changes)));
  EXPECT_TRUE(config) << (config ? "" : config.error().message);
  return config.value_or(BrokerConfig{});
}

std::string error_of(ConfigMap changes) {
  const auto config = BrokerConfig::make(with(std::move(changes)));
  return config ? "no error" : config.error().message;
}

TEST(BrokerConfig, StandaloneIsOneNodeOfBothRoles) {
  const BrokerConfig config = made();
  EXPECT_EQ(config.node_id, BrokerId{1});
  EXPECT_TRUE(config.is_broker);
  EXPECT_TRUE(config.is_controller);
  ASSERT_EQ(config.listeners.size(), 1U);
  EXPECT_EQ(config.listeners[0].to_string(), "PLAINTEXT://127.0.0.1:9092");
  EXPECT_TRUE(config.advertised_listeners.empty());
  EXPECT_EQ(config.log_dirs, std::vector<std::string>{"/data"});
  EXPECT_EQ(config.metadata_log_dir, "/data");
  EXPECT_EQ(config.inter_broker_listener_name, "PLAINTEXT");
  EXPECT_FALSE(config.authorizer_enabled);
}

TEST(BrokerConfig, FieldsHaveTheTablesDefaults) {
  const BrokerConfig config = made();
  EXPECT_EQ(config.socket_request_max_bytes, 104857600);
  EXPECT_EQ(config.connections_max_idle_ms, 600000);
  EXPECT_EQ(config.fetch_max_bytes, 57671680);
  EXPECT_EQ(config.max_incremental_fetch_session_cache_slots, 1000);
  EXPECT_EQ(config.offsets_topic_num_partitions, 50);
  EXPECT_TRUE(config.auto_create_topics_enable);
  EXPECT_GT(config.memory.request_bytes, 0);
  EXPECT_GT(config.memory.fetch_cache_bytes, 0);
}

TEST(BrokerConfig, AServerPropertiesOfKafkaIsTaken) {
  const BrokerConfig config = made({
      {"listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"},
      {"advertised.listeners", "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093"},
      {"listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL"},
      {"controller.quorum.voters", "1@localhost:9093"},
      {"inter.broker.listener.name", "PLAINTEXT"},
      {"log.dirs", "/a,/b"},
      {"metadata.log.dir", "/c"},
      {"broker.rack", "r1"},
      {"num.network.threads", "3"},
      {"super.users", "User:root; User:CN=a,O=b ;"},
      {"authorizer.class.name", std::string(standard_authorizer_class)},
      {"allow.everyone.if.no.acl.found", "TRUE"},
      {"some.plugin.key", "kept"},
      {"max.connections.per.ip.overrides", "10.0.0.1:5,::1:6"},
  });
  EXPECT_EQ(config.listeners.size(), 2U);
  EXPECT_EQ(config.advertised_listeners[1].port, 9093);
  EXPECT_EQ(config.quorum_voters, (std::vector<QuorumVoter>{{BrokerId{1}, "localhost", 9093}}));
  EXPECT_EQ(config.log_dirs, (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(config.metadata_log_dir, "/c");
  EXPECT_EQ(config.rack, "r1");
  EXPECT_EQ(config.super_users, (std::vector<std::string>{"User:root", "User:CN=a,O=b"}));
  EXPECT_TRUE(config.authorizer_enabled);
  EXPECT_TRUE(config.allow_everyone_if_no_acl_found);
  EXPECT_EQ(config.text("some.plugin.key"), "kept");
  EXPECT_EQ(config.max_connections_per_ip_overrides,
            (std::map<std::string, std::int32_t>{{"10.0.0.1", 5}, {"::1", 6}}));
}

TEST(BrokerConfig, AControllersListenerSpeaksPlaintextUnlessTheMapSaysOtherwise) {
  const BrokerConfig config = made({{"listeners", "PLAINTEXT://:1,CONTROLLER://:2"}});
  EXPECT_EQ(config.listeners[1].protocol, SecurityProtocol::plaintext);
  EXPECT_THAT(error_of({{"listeners", "PLAINTEXT://:1,OTHER://:2"}}),
              testing::HasSubstr("No security protocol defined for listener OTHER"));
  EXPECT_THAT(error_of({{"listeners", "PLAINTEXT://:1,CONTROLLER://:2"},
                        {"listener.security.protocol.map", "PLAINTEXT:PLAINTEXT"}}),
              testing::HasSubstr("No security protocol defined for listener CONTROLLER"));
}

TEST(BrokerConfig, EitherNameOfTheNodesNumberWillDo) {
  ConfigMap properties = with({{"broker.id", "7"}});
  properties.erase("node.id");
  const auto config = BrokerConfig::make(properties);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->node_id, BrokerId{7});
  EXPECT_EQ(made().text("broker.id"), "1");
  EXPECT_THAT(error_of({{"broker.id", "2"}}), testing::HasSubstr("same value as `broker.id`"));
}

TEST(BrokerConfig, ErrorsNameTheKey) {
  const std::vector<std::pair<ConfigMap, std::string>> cases{
      {{{"num.partitions", "0"}}, "Invalid value 0 for configuration num.partitions"},
      {{{"listeners", "PLAINTEXT//x"}}, "Unable to parse PLAINTEXT//x"},
      {{{"listeners", "PLAINTEXT://:1,PLAINTEXT://:2"}}, "must have a different name"},
      {{{"listeners", "PLAINTEXT://:1,SSL://:1"}}, "must have a different port"},
      {{{"listeners", "CONTROLLER://:1"}}, "at least one broker advertised listener"},
      {{{"process.roles", "controller"}}, "must only contain KRaft controller listeners"},
      {{{"advertised.listeners", "PLAINTEXT://0.0.0.0:1"}}, "nonroutable"},
      {{{"advertised.listeners", "SSL://h:1"}}, "advertised.listeners listener names"},
      {{{"inter.broker.listener.name", "X"}}, "inter.broker.listener.name must be"},
      {{{"controller.quorum.voters", "2@h:1"}}, "the node id 1 must be included"},
      {{{"controller.quorum.voters", "1@h/:1"}}, "controller.quorum.voters"},
      {{{"max.connections.per.ip", "0"}}, "max.connections.per.ip"},
      {{{"max.connections.per.ip.overrides", "a"}}, "is not address:count"},
      {{{"queued.max.request.bytes", "5"}}, "queued.max.request.bytes must be larger"},
      {{{"super.users", "root"}}, "super.users: 'root' is not Type:name"},
      {{{"log.retention.ms", "0"}}, "log.retention.ms must be unlimited"},
      {{{"log.roll.ms", "0"}}, "log.roll.ms must be"},
      {{{"arus.metrics.listen", "9100"}}, "arus.metrics.listen: '9100' is not host:port"},
      {{{"arus.durability", "fast"}}, "String must be one of: synced, page-cache"},
  };
  for (const auto& [changes, part] : cases) {
    EXPECT_THAT(error_of(changes), testing::HasSubstr(part)) << changes.begin()->first;
  }
  ConfigMap properties = with({});
  properties.erase("process.roles");
  EXPECT_EQ(BrokerConfig::make(properties).error().message,
            "Missing required configuration \"process.roles\" which has no default value.");
}

TEST(BrokerConfig, DynamicValuesStandOverStaticOnes) {
  const BrokerConfig config = made({{"max.connections", "10"}, {"message.max.bytes", "1000"}});
  std::vector<std::string> ignored;
  const BrokerConfig changed =
      config.with_dynamic({{"max.connections", "20"}, {"message.max.bytes", "2000"}},
                          {{"max.connections", "30"}}, &ignored);
  EXPECT_EQ(changed.max_connections, 30);
  EXPECT_EQ(changed.text("message.max.bytes"), "2000");
  EXPECT_EQ(make_topic_config(changed.layers()).max_message_bytes, 2000);
  EXPECT_TRUE(ignored.empty());
  EXPECT_EQ(changed.with_dynamic({}, {}).max_connections, 10);
}

TEST(BrokerConfig, DynamicValuesThatDoNotHoldAreIgnoredAndNamed) {
  std::vector<std::string> ignored;
  const BrokerConfig config = made().with_dynamic(
      {{"max.connections", "many"},
       {"num.partitions", "5"},                                         // only in the file
       {"listeners", "PLAINTEXT://:1"},                                 // only for one broker
       {"max.connections.per.ip", "0"},                                 // needs overrides beside it
       {"arus.topic.AAAAAAAAAAAAAAAAAAAAAQ.durability", "page-cache"},  // a topic's
       {"max.connections.per.ip.overrides", "bad"}},
      {}, &ignored);
  EXPECT_THAT(ignored, testing::UnorderedElementsAre("max.connections", "num.partitions",
                                                     "listeners", "max.connections.per.ip",
                                                     "max.connections.per.ip.overrides"));
  EXPECT_EQ(config.num_partitions, 1);
}

TEST(InsecureKey, WhatAsksForProtectionIsNamed) {
  const auto key_of = [](ConfigMap changes) {
    const auto found = find_insecure_key(with(std::move(changes)));
    return found ? found->key : "";
  };
  EXPECT_EQ(key_of({}), "");
  EXPECT_EQ(key_of({{"authorizer.class.name", std::string(standard_authorizer_class)}}), "");
  EXPECT_EQ(key_of({{"authorizer.class.name", ""}}), "");
  EXPECT_EQ(key_of({{"authorizer.class.name", "kafka.security.authorizer.AclAuthorizer"}}),
            "authorizer.class.name");
  EXPECT_EQ(key_of({{"listeners", "SSL://:9093"}}), "listeners");
  EXPECT_EQ(key_of({{"listeners", "PLAINTEXT://:9092,sasl_plaintext://:9093"}}), "listeners");
  EXPECT_EQ(key_of({{"listeners", "CLIENT://:9092"},
                    {"listener.security.protocol.map", "CLIENT:PLAINTEXT,INTERNAL:SSL"}}),
            "");
  EXPECT_EQ(key_of({{"listeners", "CLIENT://:9092"},
                    {"listener.security.protocol.map", "client:sasl_ssl"}}),
            "listener.security.protocol.map");
  EXPECT_EQ(key_of({{"listeners", "PLAINTEXT://:9092"},
                    {"listener.security.protocol.map", "PLAINTEXT:SSL"}}),
            "listener.security.protocol.map");
  EXPECT_EQ(key_of({{"controller.listener.names", "SSL"}}), "controller.listener.names");
  EXPECT_EQ(key_of({{"security.inter.broker.protocol", "SASL_SSL"}}),
            "security.inter.broker.protocol");
}

TEST(InsecureKey, TheReasonNamesKeyAndProtocol) {
  const auto found = find_insecure_key(with({{"listeners", "SSL://:9093"}}));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->reason, "listeners asks for SSL on listener SSL, which Arus does not have yet");
}

}  // namespace
}  // namespace arus::config
