#include "config/topic_config.h"

namespace arus::config {
namespace {

TEST(TopicConfig, WithoutAnyLayerItIsTheTablesDefaults) {
  EXPECT_EQ(make_topic_config({}), TopicConfig{});
}

TEST(TopicConfig, TheStrongestLayerThatHoldsCounts) {
  const ConfigMap fixed{{"log.segment.bytes", "1048577"}};
  const ConfigMap cluster{{"log.segment.bytes", "1048578"}};
  const ConfigMap broker{{"log.segment.bytes", "1048579"}};
  const ConfigMap topic{{"segment.bytes", "1048580"}};
  const ConfigMap bad{{"segment.bytes", "7"}};
  Layers layers{.static_broker = &fixed};
  EXPECT_EQ(make_topic_config(layers).segment_bytes, 1048577);
  layers.dynamic_default = &cluster;
  EXPECT_EQ(make_topic_config(layers).segment_bytes, 1048578);
  layers.dynamic_broker = &broker;
  EXPECT_EQ(make_topic_config(layers).segment_bytes, 1048579);
  layers.overrides = &bad;
  EXPECT_EQ(make_topic_config(layers).segment_bytes, 1048579);
  layers.overrides = &topic;
  EXPECT_EQ(make_topic_config(layers).segment_bytes, 1048580);
}

TEST(TopicConfig, HoursAndMinutesBecomeMilliseconds) {
  ConfigMap fixed{
      {"log.retention.hours", "2"}, {"log.roll.hours", "3"}, {"log.roll.jitter.hours", "1"}};
  const Layers layers{.static_broker = &fixed};
  EXPECT_EQ(make_topic_config(layers).retention_ms, 7'200'000);
  EXPECT_EQ(make_topic_config(layers).segment_ms, 10'800'000);
  EXPECT_EQ(make_topic_config(layers).segment_jitter_ms, 3'600'000);
  fixed["log.retention.minutes"] = "5";
  EXPECT_EQ(make_topic_config(layers).retention_ms, 300'000);
  fixed["log.retention.ms"] = "9";
  EXPECT_EQ(make_topic_config(layers).retention_ms, 9);
  fixed.erase("log.retention.ms");
  fixed["log.retention.minutes"] = "-1";
  EXPECT_EQ(make_topic_config(layers).retention_ms, -1);
}

TEST(TopicConfig, WordsBecomeEnumerators) {
  const ConfigMap topic{{"cleanup.policy", "compact"},
                        {"compression.type", "zstd"},
                        {"message.timestamp.type", "LogAppendTime"},
                        {"arus.durability", "page-cache"},
                        {"arus.batch.validation", "header"}};
  const TopicConfig config = make_topic_config({.overrides = &topic});
  EXPECT_TRUE(config.cleanup_compact);
  EXPECT_FALSE(config.cleanup_delete);
  EXPECT_EQ(config.compression_type, CompressionType::zstd);
  EXPECT_EQ(config.message_timestamp_type, TimestampType::log_append_time);
  EXPECT_EQ(config.durability, Durability::page_cache);
  EXPECT_EQ(config.batch_validation, BatchValidation::header);
  const ConfigMap neither{{"cleanup.policy", ""}};
  EXPECT_FALSE(make_topic_config({.overrides = &neither}).cleanup_delete);
}

TEST(TopicConfig, InternalTopicsAreSyncedWhateverTheBrokerSays) {
  const ConfigMap fixed{{"arus.durability", "page-cache"}};
  const Layers layers{.static_broker = &fixed};
  EXPECT_EQ(make_topic_config(layers, "orders").durability, Durability::page_cache);
  EXPECT_EQ(make_topic_config(layers, "__consumer_offsets").durability, Durability::synced);
}

TEST(TopicConfig, ASmallSegmentForTestsOverridesTheUsualMinimum) {
  const ConfigMap topic{{"segment.bytes", "2000000"}, {"internal.segment.bytes", "1000"}};
  EXPECT_EQ(make_topic_config({.overrides = &topic}).segment_bytes, 1000);
}

TEST(StoredArusKey, NamesTopicAndKey) {
  const Uuid id = Uuid::of_halves(0x1122334455667788, 0x99aabbccddeeff00);
  const std::string stored = stored_arus_key(id, "arus.batch.validation");
  EXPECT_EQ(stored, "arus.topic." + id.to_string() + ".batch.validation");
  const auto parsed = parse_stored_arus_key(stored);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->topic_id, id);
  EXPECT_EQ(parsed->key, "arus.batch.validation");
  for (const std::string text : {"arus.topic.", "arus.durability", "arus.topic.short.durability"}) {
    EXPECT_FALSE(parse_stored_arus_key(text)) << text;
  }
  EXPECT_FALSE(parse_stored_arus_key("arus.topic." + id.to_string() + "."));
  EXPECT_TRUE(is_arus_topic_key("arus.durability"));
  EXPECT_FALSE(is_arus_topic_key("arus.loops"));
  EXPECT_FALSE(is_arus_topic_key("segment.bytes"));
}

TEST(StoredArusKey, OverridesOfOneTopicAreFoundAmongThoseOfOthers) {
  const Uuid one = Uuid::of_halves(1, 5);
  const Uuid other = Uuid::of_halves(1, 6);
  const ConfigMap cluster{{stored_arus_key(one, "arus.durability"), "page-cache"},
                          {stored_arus_key(other, "arus.durability"), "synced"},
                          {stored_arus_key(other, "arus.batch.validation"), "header"},
                          {"arus.durability", "synced"}};
  EXPECT_EQ(topic_overrides({{"segment.ms", "5"}}, cluster, one),
            (ConfigMap{{"arus.durability", "page-cache"}, {"segment.ms", "5"}}));
  EXPECT_TRUE(topic_overrides({}, cluster, Uuid::of_halves(9, 9)).empty());
}

}  // namespace
}  // namespace arus::config
