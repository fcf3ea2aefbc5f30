#include "config/config_table.h"

#include <fstream>
#include <sstream>

#include "config/golden_rows.h"

namespace arus::config {
namespace {

Scope scope_of(const std::string& name) {
  static const std::map<std::string, Scope> scopes{
      {"broker", Scope::broker},
      {"topic", Scope::topic},
      {"group", Scope::group},
      {"client-metrics", Scope::client_metrics},
      {"client-quota", Scope::client_quota},
      {"user", Scope::user},
      {"ip-quota", Scope::ip_quota},
  };
  return scopes.at(name);
}

std::string default_in_words(const ConfigKey& key) {
  if (key.required) return "(required)";
  const auto text = key.default_text();
  if (!text) return "null";
  const bool quoted = key.type == Type::string || key.type == Type::list;
  return quoted ? "\"" + std::string(*text) + "\"" : std::string(*text);
}

std::string update_in_words(const ConfigKey& key) {
  if (key.scope != Scope::broker) return "-";
  return key.update == Update::read_only      ? "read-only"
         : key.update == Update::cluster_wide ? "cluster-wide"
                                              : "per-broker";
}

std::string synonyms_in_words(const ConfigKey& key) {
  std::string text;
  for (const Synonym& synonym : key.synonyms) {
    if (synonym.broker_key.empty()) break;
    if (!text.empty()) text += ",";
    text += synonym.broker_key;
    if (synonym.factor != 1) text += "*" + std::to_string(synonym.factor);
  }
  return text.empty() ? "-" : text;
}

TEST(ConfigTable, HoldsEveryKeyOfKafkaWithItsFacts) {
  const auto rows = golden_rows("keys.tsv");
  ASSERT_EQ(rows.size(), 428U);
  for (const Row& row : rows) {
    SCOPED_TRACE(row[0] + " " + row[1]);
    const ConfigKey* key = find(row[1], scope_of(row[0]));
    ASSERT_NE(key, nullptr);
    EXPECT_EQ(type_name(key->type), row[2]);
    EXPECT_EQ(key->importance == Importance::high     ? "HIGH"
              : key->importance == Importance::medium ? "MEDIUM"
                                                      : "LOW",
              row[3]);
    EXPECT_EQ(default_in_words(*key), row[4]);
    EXPECT_EQ(update_in_words(*key), row[5]);
    EXPECT_EQ(synonyms_in_words(*key), row[6]);
    if (row[7].starts_with('[')) {
      const bool pairs = key->rule.kind == Rule::Kind::throttled_replicas;
      EXPECT_EQ(pairs ? row[7] : describe_rule(key->rule), row[7]);
    }
    EXPECT_EQ(key->internal, row[8] == "yes");
  }
}

TEST(ConfigTable, AddsOnlyKeysOfArusAndOfTheAuthorizer) {
  std::set<std::pair<Scope, std::string>> kafkas;
  for (const Row& row : golden_rows("keys.tsv")) kafkas.emplace(scope_of(row[0]), row[1]);
  for_each([&](const ConfigKey& key) {
    if (kafkas.contains({key.scope, std::string(key.name)})) return;
    EXPECT_TRUE(key.name.starts_with("arus.") || key.name == "super.users" ||
                key.name == "allow.everyone.if.no.acl.found")
        << key.name;
  });
}

TEST(ConfigTable, EveryKeyIsDocumentedAndItsDefaultHolds) {
  for_each([](const ConfigKey& key) {
    SCOPED_TRACE(key.name);
    EXPECT_GT(key.doc.size(), 20U);
    EXPECT_TRUE(key.doc.ends_with('.'));
    const auto fallback = key.default_text();
    if (!fallback) return;
    const auto value = key.parse(*fallback);
    ASSERT_TRUE(value) << value.error().message;
    EXPECT_EQ(to_text(*value), *fallback);  // defaults are canonical
  });
}

TEST(ConfigTable, SynonymsNameBrokerKeysOfTheSameKind) {
  for_each([](const ConfigKey& key) {
    for (const Synonym& synonym : key.synonyms) {
      if (synonym.broker_key.empty()) continue;
      const ConfigKey* other = find(synonym.broker_key, Scope::broker);
      ASSERT_NE(other, nullptr) << key.name;
      if (synonym.factor == 1) {
        EXPECT_EQ(other->type, key.type) << key.name;
      } else {
        EXPECT_EQ(other->type, Type::int32) << key.name;  // cannot overflow when multiplied
      }
    }
  });
}

TEST(ConfigTable, ValuesAreReadAsKafkaReadsThem) {
  const auto rows = golden_rows("values.tsv");
  ASSERT_GT(rows.size(), 190U);
  for (const Row& row : rows) {
    SCOPED_TRACE(row[1] + "=" + row[2]);
    const ConfigKey* key = find(row[1], scope_of(row[0]));
    ASSERT_NE(key, nullptr);
    const auto value = key->parse(row[2]);
    if (row[3] == "ok") {
      ASSERT_TRUE(value) << value.error().message;
      if (key->type != Type::password) EXPECT_EQ(to_text(*value).value_or("null"), row[4]);
    } else {
      ASSERT_FALSE(value);
      EXPECT_EQ(value.error().code, ErrorCode::invalid_config);
      EXPECT_EQ(value.error().message, row[4]);
    }
  }
}

TEST(ConfigTable, SecretsAreNotRepeatedInErrors) {
  const ConfigKey secret{
      .name = "s", .type = Type::password, .rule = {.kind = Rule::Kind::one_of, .words = "a"}};
  const auto value = secret.parse("swordfish");
  ASSERT_FALSE(value);
  EXPECT_THAT(value.error().message, testing::Not(testing::HasSubstr("swordfish")));
}

TEST(ConfigTable, ListenerPrefixesLeadToTheKeyBehindThem) {
  EXPECT_EQ(find_broker_key("listener.name.internal.ssl.keystore.location"),
            find("ssl.keystore.location", Scope::broker));
  EXPECT_EQ(find_broker_key("listener.name.internal.scram-sha-256.sasl.jaas.config"),
            find("sasl.jaas.config", Scope::broker));
  EXPECT_EQ(find_broker_key("listener.name.internal.no.such.key"), nullptr);
  EXPECT_EQ(find_broker_key("retention.ms"), nullptr);
}

TEST(Explain, SaysWhatAKeyIsForAndThatItHasNoEffectYet) {
  const std::string text = explain("retention.ms");
  EXPECT_THAT(text, testing::HasSubstr("retention.ms: setting of a topic"));
  EXPECT_THAT(text, testing::HasSubstr("default     604800000"));
  EXPECT_THAT(text, testing::HasSubstr("log.retention.hours × 3600000"));
  EXPECT_THAT(explain("producer_byte_rate"), testing::HasSubstr("none yet"));
  EXPECT_THAT(explain("min.insync.replicas"),
              testing::AllOf(testing::HasSubstr("a broker"), testing::HasSubstr("a topic")));
  EXPECT_EQ(explain("no.such.key"), "");
}

TEST(ReferencePage, IsWhatTheTableSays) {
  std::ifstream file(std::string(ARUS_SOURCE_DIR) + "/docs/configuration.md");
  std::ostringstream page;
  page << file.rdbuf();
  EXPECT_TRUE(page.str() == reference_page())
      << "docs/configuration.md is stale: ./dev docs writes it anew";
}

}  // namespace
}  // namespace arus::config
