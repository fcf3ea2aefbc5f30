#include "config/describe.h"

#include "config/golden_rows.h"

namespace arus::config {
namespace {

using Described = std::vector<DescribedConfig>;

// The rows of one resource out of Kafka's answer.
std::vector<Row> rows_of(const std::string& resource) {
  std::vector<Row> rows;
  bool inside = false;
  for (Row& row : golden_rows("describe.tsv")) {
    if (row[0].starts_with("== ")) {
      inside = row[0] == "== " + resource;
    } else if (inside) {
      rows.push_back(std::move(row));
    }
  }
  EXPECT_FALSE(rows.empty()) << resource;
  return rows;
}

std::string in_words(const DescribedConfig& config) {
  std::string text = config.name + " " + std::string(type_name(config.type)) +
                     (config.read_only ? " yes" : " no") + (config.sensitive ? " yes " : " no ") +
                     std::string(source_name(config.source)) + " [";
  for (const DescribedSynonym& synonym : config.synonyms) {
    if (&synonym != &config.synonyms.front()) text += " ";
    text += synonym.name + ":" + std::string(source_name(synonym.source));
  }
  return text + "]";
}

std::string in_words(const Row& row) {
  return row[0] + " " + row[1] + " " + row[2] + " " + row[3] + " " + row[4] + " [" + row[5] + "]";
}

void expect_rows(const Described& configs, const std::vector<Row>& rows) {
  std::vector<std::string> expected;
  for (const Row& row : rows) expected.push_back(in_words(row));
  std::vector<std::string> got;
  for (const DescribedConfig& config : configs) {
    if (!config.name.starts_with("arus.")) got.push_back(in_words(config));
  }
  EXPECT_EQ(got, expected);
}

// A value that each key of the node's files may have had; only where it came from is compared.
std::string some_value(const std::string& name) {
  const ConfigKey* key = find(name, Scope::broker);
  if (key == nullptr || key->type == Type::unknown) return "x";
  if (const auto fallback = key->default_text(); fallback && !fallback->empty()) {
    return std::string(*fallback);
  }
  return name == "controller.quorum.voters" ? "1@localhost:9093"
         : name == "process.roles"          ? "broker,controller"
         : key->type == Type::int32         ? "1"
                                            : "x";
}

ConfigMap set_at(const std::string& source) {
  ConfigMap map;
  for (const Row& row : rows_of("BROKER 1")) {
    if ((" " + row[5]).contains(" " + row[0] + ":" + source)) map[row[0]] = some_value(row[0]);
  }
  return map;
}

// The layers of the node whose answer was kept.
struct KeptNode {
  ConfigMap dynamic_broker = set_at("DYNAMIC_BROKER_CONFIG");
  ConfigMap dynamic_default = set_at("DYNAMIC_DEFAULT_BROKER_CONFIG");
  ConfigMap static_broker = set_at("STATIC_BROKER_CONFIG");
  [[nodiscard]] Layers layers(const ConfigMap* overrides = nullptr) const {
    return {overrides, &dynamic_broker, &dynamic_default, &static_broker};
  }
};

const DescribedConfig& named(const Described& configs, std::string_view name) {
  const auto found = std::ranges::find(configs, name, &DescribedConfig::name);
  EXPECT_NE(found, configs.end()) << name;
  return *found;
}

TEST(Describe, ATopicIsShownAsKafkaShowsIt) {
  const KeptNode node;
  expect_rows(describe_topic(node.layers()), rows_of("TOPIC events"));
}

TEST(Describe, ABrokerIsShownAsKafkaShowsIt) {
  const KeptNode node;
  ASSERT_EQ(node.dynamic_broker.size(), 1U);
  ASSERT_EQ(node.dynamic_default.size(), 2U);
  ASSERT_GT(node.static_broker.size(), 20U);
  expect_rows(describe_broker(node.layers()), rows_of("BROKER 1"));
}

TEST(Describe, TheClusterDefaultShowsOnlyWhatIsSetThere) {
  const KeptNode node;
  expect_rows(describe_broker_defaults(node.dynamic_default), rows_of("BROKER"));
}

TEST(Describe, AGroupIsShownAsKafkaShowsIt) {
  const KeptNode node;
  const ConfigMap overrides{{"share.auto.offset.reset", "earliest"}};
  expect_rows(describe_group(node.layers(&overrides)), rows_of("GROUP g-share"));
}

TEST(Describe, AMetricsSubscriptionIsShownAsKafkaShowsIt) {
  expect_rows(describe_client_metrics({{"interval.ms", "1000"}}), rows_of("CLIENT_METRICS sample"));
}

TEST(Describe, AnOverrideStandsBeforeItsSynonymsInCanonicalText) {
  const ConfigMap overrides{{"retention.ms", " 60000 "}};
  const ConfigMap dynamic_default{{"log.retention.ms", "5"}};
  const ConfigMap static_broker{{"log.retention.hours", "2"}};
  const auto configs = describe_topic({&overrides, nullptr, &dynamic_default, &static_broker});
  const DescribedConfig& config = named(configs, "retention.ms");
  EXPECT_EQ(config.value, "60000");
  EXPECT_EQ(config.source, Source::topic);
  EXPECT_FALSE(config.is_default);
  ASSERT_EQ(config.synonyms.size(), 4U);
  EXPECT_EQ(config.synonyms[0].name, "retention.ms");
  EXPECT_EQ(config.synonyms[1].name, "log.retention.ms");
  EXPECT_EQ(config.synonyms[1].value, "5");
  EXPECT_EQ(config.synonyms[2].name, "log.retention.hours");
  EXPECT_EQ(config.synonyms[2].source, Source::static_broker);
  EXPECT_EQ(config.synonyms[3].value, "168");
}

TEST(Describe, HoursOfTheBrokerGiveATopicItsValueButNoSource) {
  const ConfigMap static_broker{{"log.retention.hours", "2"}};
  const auto configs = describe_topic({.static_broker = &static_broker});
  EXPECT_EQ(named(configs, "retention.ms").value, "7200000");
  EXPECT_EQ(named(configs, "retention.ms").source, Source::fallback);
  EXPECT_TRUE(named(configs, "retention.ms").is_default);
}

TEST(Describe, SecretsAndUnknownKeysHaveNoValue) {
  const ConfigMap static_broker{{"ssl.key.password", "swordfish"}, {"my.own.key", "swordfish"}};
  const ConfigMap dynamic{{"listener.name.a.ssl.key.password", "swordfish"}};
  const auto configs =
      describe_broker({.dynamic_broker = &dynamic, .static_broker = &static_broker});
  for (const char* name : {"ssl.key.password", "my.own.key", "listener.name.a.ssl.key.password"}) {
    const DescribedConfig& config = named(configs, name);
    EXPECT_TRUE(config.sensitive) << name;
    EXPECT_EQ(config.value, std::nullopt) << name;
    for (const auto& synonym : config.synonyms) EXPECT_EQ(synonym.value, std::nullopt) << name;
  }
}

TEST(Describe, TopicSettingsOfArusAreShownAtTheTopicOnly) {
  const Uuid id = Uuid::of_halves(1, 2);
  const ConfigMap dynamic_default{{stored_arus_key(id, "arus.durability"), "page-cache"}};
  const ConfigMap overrides = topic_overrides({}, dynamic_default, id);
  const auto topic = describe_topic({.overrides = &overrides, .dynamic_default = &dynamic_default});
  EXPECT_EQ(named(topic, "arus.durability").value, "page-cache");
  EXPECT_EQ(named(topic, "arus.durability").source, Source::topic);
  EXPECT_TRUE(describe_broker_defaults(dynamic_default).empty());
}

TEST(Describe, LoggersAreShownWithKafkasLevelNames) {
  const auto loggers = describe_loggers();
  EXPECT_EQ(named(loggers, "root").value, "INFO");
  EXPECT_EQ(named(loggers, "root").source, Source::dynamic_broker_logger);
}

}  // namespace
}  // namespace arus::config
