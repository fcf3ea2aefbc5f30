#include "config/validate.h"

namespace arus::config {
namespace {

std::string message_of(const Result<>& result) { return result ? "fine" : result.error().message; }

TEST(ValidateTopic, SaysWhatKafkaSays) {
  const std::vector<std::pair<ConfigMap, std::string>> cases{
      {{}, "fine"},
      {{{"segment.bytes", "1048576"}, {"cleanup.policy", "compact,delete"}}, "fine"},
      {{{"arus.durability", "page-cache"}}, "fine"},
      {{{"no.such", "1"}}, "Unknown topic config name: no.such"},
      {{{"retention.ms", "abc"}},
       "Invalid value abc for configuration retention.ms: Not a number of type LONG"},
      {{{"segment.bytes", "1"}},
       "Invalid value 1 for configuration segment.bytes: Value must be at least 1048576"},
      {{{"min.compaction.lag.ms", "5"}, {"max.compaction.lag.ms", "4"}},
       "conflict topic config setting min.compaction.lag.ms (5) > max.compaction.lag.ms (4)"},
      {{{"remote.storage.enable", "true"}},
       "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with "
       "remote log storage."},
  };
  for (const auto& [overrides, message] : cases) {
    EXPECT_EQ(message_of(validate_topic(overrides, {})), message);
  }
}

TEST(ValidateTopic, TheLocalPartOfTieredStorageIsNotLargerThanTheWhole) {
  const ConfigMap fixed{{"remote.log.storage.system.enable", "true"}};
  const auto check = [&](ConfigMap overrides) {
    overrides["remote.storage.enable"] = "true";
    return message_of(validate_topic(overrides, {.static_broker = &fixed}));
  };
  EXPECT_EQ(check({}), "fine");
  EXPECT_EQ(check({{"retention.ms", "5"}, {"local.retention.ms", "5"}}), "fine");
  EXPECT_THAT(check({{"retention.ms", "5"}, {"local.retention.ms", "6"}}),
              testing::HasSubstr("Value must not be more than retention.ms property value: 5"));
  EXPECT_THAT(check({{"local.retention.ms", "-1"}}),
              testing::HasSubstr("Value must not be -1 as retention.ms value is set as 604800000"));
  EXPECT_THAT(check({{"cleanup.policy", "compact"}}),
              testing::HasSubstr("only supports topics with cleanup.policy=delete"));
}

TEST(ValidateBroker, OnlyDynamicKeysMayChange) {
  EXPECT_EQ(message_of(validate_broker("1", {{"background.threads", "4"}})), "fine");
  EXPECT_EQ(message_of(validate_broker("", {{"log.cleaner.threads", "2"}})), "fine");
  EXPECT_EQ(message_of(validate_broker("1", {{"my.own.key", "x"}})), "fine");
  EXPECT_EQ(message_of(validate_broker("1", {{"num.partitions", "2"}})),
            "Cannot update these configs dynamically: [num.partitions]");
  EXPECT_EQ(message_of(validate_broker("1", {{"listeners", "PLAINTEXT://:1"}})), "fine");
  EXPECT_EQ(message_of(validate_broker("", {{"listeners", "PLAINTEXT://:1"}})),
            "Cannot update these configs at default cluster level, broker id must be specified: "
            "[listeners]");
  EXPECT_THAT(message_of(validate_broker("1", {{"ssl.keystore.location", "x"}})),
              testing::HasSubstr("only per-listener"));
  EXPECT_EQ(message_of(validate_broker("1", {{"listener.name.a.ssl.keystore.location", "x"}})),
            "fine");
  const auto bad = validate_broker("1", {{"background.threads", "0"}});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::invalid_request);
}

TEST(ValidateGroup, ValuesStayWithinTheBrokersBounds) {
  const auto check = [](const ConfigMap& overrides) {
    return message_of(validate_group(overrides, {}));
  };
  EXPECT_EQ(check({{"consumer.session.timeout.ms", "50000"}}), "fine");
  EXPECT_EQ(check({{"consumer.session.timeout.ms", "44999"}}),
            "consumer.session.timeout.ms must be greater than or equal to "
            "group.consumer.min.session.timeout.ms");
  EXPECT_EQ(check({{"share.record.lock.duration.ms", "60001"}}),
            "share.record.lock.duration.ms must be less than or equal to "
            "group.share.max.record.lock.duration.ms");
  EXPECT_EQ(check({{"streams.num.standby.replicas", "3"}}),
            "streams.num.standby.replicas must be less than or equal to "
            "group.streams.max.standby.replicas");
  EXPECT_EQ(check({{"retention.ms", "3"}}), "Unknown group config name: retention.ms");
  const ConfigMap fixed{{"group.consumer.max.heartbeat.interval.ms", "90000"}};
  EXPECT_EQ(message_of(validate_group({{"consumer.heartbeat.interval.ms", "45000"}},
                                      {.static_broker = &fixed})),
            "consumer.session.timeout.ms must be greater than consumer.heartbeat.interval.ms");
}

TEST(ValidateClientMetrics, ChecksIntervalAndPatterns) {
  const auto check = [](const ConfigMap& overrides) {
    return message_of(validate_client_metrics("s", overrides));
  };
  EXPECT_EQ(check({{"interval.ms", "100"}, {"match", "client_id=a.*,client_source_port=1"}}),
            "fine");
  EXPECT_EQ(check({{"interval.ms", "99"}}),
            "Invalid value 99 for interval.ms, interval must be between 100 and 3600000 (1 hour)");
  EXPECT_EQ(check({{"match", "colour=red"}}), "Illegal client matching pattern: colour=red");
  EXPECT_EQ(check({{"match", "client_id"}}), "Illegal client matching pattern: client_id");
  EXPECT_EQ(check({{"x", "1"}}), "Unknown client metrics configuration: x");
  EXPECT_FALSE(validate_client_metrics("", {}));
}

TEST(ValidateLogger, KnowsLog4jsLevels) {
  EXPECT_TRUE(validate_logger_level("storage.log", "WARN"));
  EXPECT_FALSE(validate_logger_level("storage.log", "WARNING"));
}

TEST(Altered, ListsGrowAndShrink) {
  const ConfigKey* policy = find("cleanup.policy", Scope::topic);
  const auto alter = [&](Alteration alteration, std::optional<std::string> value,
                         std::optional<std::string> current) {
    const auto result =
        altered(policy, "cleanup.policy", alteration, value, current, std::string("delete"));
    return result ? result->value_or("(removed)") : result.error().message;
  };
  EXPECT_EQ(alter(Alteration::append, "compact", std::nullopt), "delete,compact");
  EXPECT_EQ(alter(Alteration::append, "delete", "delete"), "delete");
  EXPECT_EQ(alter(Alteration::subtract, "delete", "compact,delete"), "compact");
  EXPECT_EQ(alter(Alteration::subtract, "delete", std::nullopt), "");
  EXPECT_EQ(alter(Alteration::set, "x", "delete"), "x");
  EXPECT_EQ(alter(Alteration::remove, std::nullopt, "delete"), "(removed)");
}

TEST(Altered, OnlyListsTakeAppendAndSubtract) {
  const ConfigKey* key = find("retention.ms", Scope::topic);
  const auto result = altered(key, "retention.ms", Alteration::append, "1", {}, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message,
            "Can't APPEND to key retention.ms because its type is not LIST.");
  EXPECT_FALSE(altered(key, "retention.ms", Alteration::set, std::nullopt, {}, {}));
}

}  // namespace
}  // namespace arus::config
