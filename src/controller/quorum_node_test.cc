#include "controller/quorum_node.h"

#include <filesystem>

#include "protocol/record_codec.h"
#include "raft/driver/metadata_log.h"
#include "raft/format.h"
#include "raft/golden_directory.h"
#include "record/control.h"
#include "record/record.h"

namespace arus::controller {
namespace {

const raft::Voter static_voter{.id = 1, .endpoints = {{"CONTROLLER", "127.0.0.1", 39093}}};

metadata::Endpoint endpoint(const std::string& listener, std::uint16_t port) {
  return {.listener = listener, .host = "127.0.0.1", .port = port};
}

// One line for each record of the metadata log, as "epoch/offset name key facts".
std::vector<std::string> lines_of(const std::filesystem::path& directory, std::int64_t from = 0) {
  std::vector<std::string> lines;
  const Bytes file = [&] {
    const std::string text =
        raft::read_text(directory / raft::metadata_log_name / "00000000000000000000.log");
    return Bytes(text.begin(), text.end());
  }();
  record::BatchReader batches{file};
  while (const auto batch = batches.next()) {
    EXPECT_TRUE(batch->crc_matches());
    record::RecordReader reader{*batch};
    while (const auto one = reader.next()) {
      if (one->offset < Offset{from}) continue;
      if (batch->is_control()) {
        lines.emplace_back(record::control_type_name(*record::parse_control_key(*one->key)));
        continue;
      }
      const auto record = protocol::decode_metadata_record(*one->value);
      EXPECT_TRUE(record);
      std::string line(protocol::record_name(record->record));
      if (const auto* change =
              std::get_if<protocol::BrokerRegistrationChangeRecord>(&record->record)) {
        line += " fenced=" + std::to_string(change->fenced);
        line += " shutdown=" + std::to_string(change->in_controlled_shutdown);
      }
      if (const auto* change = std::get_if<protocol::PartitionChangeRecord>(&record->record)) {
        line += " leader=" + std::to_string(change->leader.value());
        if (change->isr) line += " isr=" + std::to_string(change->isr->size());
        if (change->eligible_leader_replicas) {
          line += " elr=" + std::to_string(change->eligible_leader_replicas->size());
        }
        if (change->last_known_elr) {
          line += " last=" + std::to_string(change->last_known_elr->size());
        }
        if (change->leader_recovery_state != -1) line += " recovering";
      }
      if (const auto* feature = std::get_if<protocol::FeatureLevelRecord>(&record->record)) {
        line += " " + feature->name + "=" + std::to_string(feature->feature_level);
      }
      if (const auto* config = std::get_if<protocol::ConfigRecord>(&record->record)) {
        line += " " + config->name + "=" + config->value.value_or("null");
      }
      if (const auto* broker = std::get_if<protocol::RegisterBrokerRecord>(&record->record)) {
        EXPECT_EQ(broker->broker_epoch, batch->base_offset().value());
      }
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

class QuorumNodeTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    directory_ = std::filesystem::path(testing::TempDir()) / (std::string("node_") + info->name());
    std::filesystem::remove_all(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  template <class... Parameters, class... Arguments>
  void run(env::Task<void> (*coroutine)(env::Environment&, Parameters...),
           Arguments&&... arguments) {
    auto environment = env::make_real_environment({.loops = 2});
    env::run_until_done(*environment,
                        coroutine(*environment, std::forward<Arguments>(arguments)...));
  }

  void format_standalone() {
    auto environment = env::make_real_environment({});
    const auto formatted =
        raft::format(*environment, {.cluster_id = "QXJ1c1BlZXJLYWZrYTAwMQ",
                                    .node_id = 1,
                                    .directories = {directory_.string()},
                                    .metadata_directory = directory_.string(),
                                    .endpoints = {{"CONTROLLER", "127.0.0.1", 39097}}});
    ASSERT_TRUE(formatted) << formatted.error().message;
    directory_id_ = formatted->metadata_directory_id;
  }

  [[nodiscard]] QuorumOptions options() const {
    return {.node_id = BrokerId{1},
            .cluster_id = "QXJ1c1BlZXJLYWZrYTAwMQ",
            .metadata_directory = directory_.string(),
            .directory_id = directory_id_,
            .controller_endpoints = {endpoint("CONTROLLER", 39097)}};
  }

  std::filesystem::path directory_;
  Uuid directory_id_ = *Uuid::parse("2kpfEfllSoy0UMUfJ4LpBw");
};

// What one life of a node is told to do.
struct Life {
  std::optional<std::int64_t> previous_epoch;
  std::string topic;
  std::int32_t partitions = 2;
  bool clean_stop = true;
};

BrokerSelf self_of(const QuorumOptions& options, std::optional<std::int64_t> previous_epoch) {
  return {.endpoints = {endpoint("PLAINTEXT", 39096)},
          .directories = {options.directory_id},
          .previous_broker_epoch = previous_epoch};
}

env::Task<void> live(env::Environment& environment, QuorumOptions options, Life life,
                     std::int64_t* broker_epoch, metadata::ImagePointer* image) {
  auto node = co_await QuorumNode::start(environment, options);
  EXPECT_TRUE(node) << node.error().message;
  if (!node) co_return;
  EXPECT_TRUE(co_await (*node)->register_broker(self_of(options, life.previous_epoch)));
  const auto unfenced = co_await (*node)->unfence();
  EXPECT_TRUE(unfenced) << unfenced.error().message;
  if (!life.topic.empty()) {
    protocol::CreateTopicsRequest request;
    request.topics.push_back(
        {.name = life.topic, .num_partitions = life.partitions, .replication_factor = 1});
    const auto created = co_await (*node)->api().create_topics({}, request);
    EXPECT_TRUE(created);
    EXPECT_EQ(created->topics.front().error_code, ErrorCode::none);
    EXPECT_EQ(created->topics.front().num_partitions, life.partitions);
  }
  *image = (*node)->images().current();
  *broker_epoch = (*node)->broker_epoch();
  if (life.clean_stop) {
    EXPECT_TRUE(co_await (*node)->leave());
    EXPECT_TRUE(co_await (*node)->stop());
  } else {
    // As a kill leaves it: nothing more is written.
    (*node)->stop_at_once();
    EXPECT_TRUE(co_await (*node)->stop());
  }
}

TEST_F(QuorumNodeTest, AFreshNodeWritesWhatKafkaWrites) {
  format_standalone();
  std::int64_t epoch = -1;
  metadata::ImagePointer image;
  run(live, options(), Life{.topic = "t"}, &epoch, &image);
  const std::vector<std::string> expected{
      "LEADER_CHANGE",
      "KRAFT_VERSION",
      "KRAFT_VOTERS",
      "BeginTransactionRecord",
      "FeatureLevelRecord metadata.version=30",
      "FeatureLevelRecord eligible.leader.replicas.version=1",
      "FeatureLevelRecord group.version=1",
      "FeatureLevelRecord share.version=1",
      "FeatureLevelRecord streams.version=1",
      "FeatureLevelRecord transaction.version=2",
      "ConfigRecord min.insync.replicas=1",
      "EndTransactionRecord",
      "RegisterControllerRecord",
      "RegisterBrokerRecord",
      "BrokerRegistrationChangeRecord fenced=-1 shutdown=0",
      "BrokerRegistrationChangeRecord fenced=0 shutdown=0",
      "TopicRecord",
      "PartitionRecord",
      "PartitionRecord",
      "BrokerRegistrationChangeRecord fenced=0 shutdown=1",
      "PartitionChangeRecord leader=-1 isr=0 elr=1 last=1",
      "PartitionChangeRecord leader=-1 isr=0 elr=1 last=1",
      "BrokerRegistrationChangeRecord fenced=1 shutdown=0",
  };
  EXPECT_EQ(lines_of(directory_), expected);
  EXPECT_EQ(epoch, 13);
  EXPECT_EQ(raft::read_text(directory_ / raft::metadata_log_name / "quorum-state"),
            R"({"leaderId":1,"leaderEpoch":1,"votedId":-1,)"
            R"("votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1})");
}

TEST_F(QuorumNodeTest, TheSecondStartElectsFromTheElrAndRaisesEveryEpoch) {
  format_standalone();
  std::int64_t epoch = -1;
  metadata::ImagePointer image;
  run(live, options(), Life{.topic = "t"}, &epoch, &image);
  const std::int64_t before = 23;
  run(live, options(), Life{.previous_epoch = epoch}, &epoch, &image);
  EXPECT_EQ(epoch, before + 2);
  auto lines = lines_of(directory_, before);
  lines.resize(7);
  EXPECT_EQ(lines, (std::vector<std::string>{
                       "LEADER_CHANGE",
                       "RegisterControllerRecord",
                       "RegisterBrokerRecord",
                       "BrokerRegistrationChangeRecord fenced=-1 shutdown=0",
                       "BrokerRegistrationChangeRecord fenced=0 shutdown=0",
                       "PartitionChangeRecord leader=1 isr=1 elr=0 last=0",
                       "PartitionChangeRecord leader=1 isr=1 elr=0 last=0",
                   }));
  const auto topic = image->topic("t");
  EXPECT_EQ(topic->partitions[0]->leader_epoch, LeaderEpoch{2});
  EXPECT_EQ(topic->partitions[0]->leader_recovery_state, 0);
}

TEST_F(QuorumNodeTest, AfterAKillOneRecordRaisesEachEpoch) {
  format_standalone();
  std::int64_t epoch = -1;
  metadata::ImagePointer image;
  run(live, options(), Life{.topic = "t", .clean_stop = false}, &epoch, &image);
  const std::int64_t before = 19;
  run(live, options(), Life{}, &epoch, &image);
  auto lines = lines_of(directory_, before);
  lines.resize(7);
  EXPECT_EQ(lines, (std::vector<std::string>{
                       "LEADER_CHANGE",
                       "RegisterControllerRecord",
                       "RegisterBrokerRecord",
                       "BrokerRegistrationChangeRecord fenced=-1 shutdown=0",
                       "BrokerRegistrationChangeRecord fenced=0 shutdown=0",
                       "PartitionChangeRecord leader=1",
                       "PartitionChangeRecord leader=1",
                   }));
  EXPECT_EQ(image->topic("t")->partitions[1]->leader_epoch, LeaderEpoch{1});
  EXPECT_EQ(image->topic("t")->partitions[1]->leader, BrokerId{1});
}

TEST_F(QuorumNodeTest, ADirectoryOfKafkaWithStaticVotersOpens) {
  raft::restore_golden("broker", directory_);
  QuorumOptions opened = options();
  opened.directory_id = *Uuid::parse("Ym_sIPBA5PHAI9_pxKKg9g");
  opened.static_voters = {static_voter};
  std::int64_t epoch = -1;
  metadata::ImagePointer image;
  run(live, opened, Life{.previous_epoch = 11, .topic = "more"}, &epoch, &image);
  EXPECT_EQ(epoch, 106);
  EXPECT_EQ(image->topics.size(), 8U);
  for (const auto& [name, topic] : image->topics) {
    for (const auto& partition : topic->partitions) {
      EXPECT_EQ(partition->leader, BrokerId{1}) << name;
      EXPECT_EQ(partition->isr, std::vector<BrokerId>{BrokerId{1}});
      EXPECT_TRUE(partition->elr.empty() && partition->last_known_elr.empty());
      EXPECT_EQ(partition->leader_epoch, LeaderEpoch{name == "more" ? 0 : 2});
    }
  }
  EXPECT_EQ(raft::read_text(directory_ / raft::metadata_log_name / "quorum-state"),
            R"({"clusterId":"","leaderId":1,"leaderEpoch":2,"votedId":-1,"appliedOffset":0,)"
            R"("currentVoters":[{"voterId":1}],"data_version":0})");
}

TEST_F(QuorumNodeTest, AStandaloneDirectoryOfKafkaOpensOnAnotherControllerPort) {
  raft::restore_golden("standalone", directory_);
  QuorumOptions opened = options();
  opened.controller_endpoints = {endpoint("CONTROLLER", 40000)};
  std::int64_t epoch = -1;
  metadata::ImagePointer image;
  run(live, opened, Life{.previous_epoch = 13}, &epoch, &image);
  auto lines = lines_of(directory_, 17);
  lines.resize(4);
  EXPECT_EQ(lines, (std::vector<std::string>{"LEADER_CHANGE", "KRAFT_VERSION", "KRAFT_VOTERS",
                                             "RegisterControllerRecord"}));
}

TEST_F(QuorumNodeTest, AFormattedDirectoryOfKafkaStartsAsOurOwn) {
  raft::restore_golden("standalone-formatted", directory_);
  std::int64_t epoch = -1;
  metadata::ImagePointer image;
  run(live, options(), Life{}, &epoch, &image);
  EXPECT_EQ(epoch, 13);
  EXPECT_EQ(image->metadata_version(), 30);
}

TEST_F(QuorumNodeTest, FormattingWritesKafkasBytes) {
  format_standalone();
  const auto without_times = [](Bytes bytes) {
    record::BatchReader batches{bytes};
    std::vector<std::pair<std::int16_t, std::vector<std::string>>> all;
    while (const auto batch = batches.next()) {
      auto& [attributes, records] =
          all.emplace_back(batch->attributes(), std::vector<std::string>{});
      record::RecordReader reader{*batch};
      while (const auto one = reader.next()) {
        records.push_back(std::string(one->key ? as_text(*one->key) : "-") +
                          std::string(as_text(*one->value)));
      }
    }
    return all;
  };
  const auto file = [&](const std::string& name) {
    const std::string text = raft::read_text(directory_ / name);
    return Bytes(text.begin(), text.end());
  };
  EXPECT_EQ(without_times(file("bootstrap.checkpoint")),
            without_times(raft::golden_bytes("standalone-formatted/bootstrap.checkpoint.jsonl")));
  const std::string first = "__cluster_metadata-0/00000000000000000000-0000000000.checkpoint";
  auto ours = without_times(file(first));
  auto kafkas = without_times(raft::golden_bytes("standalone-formatted/" + first + ".jsonl"));
  ASSERT_EQ(ours.size(), kafkas.size());
  // The header carries the time, the voter its directory.
  ASSERT_EQ(ours[0].second.size(), 3U);
  EXPECT_EQ(ours[0].second[0].size(), kafkas[0].second[0].size());
  EXPECT_EQ(ours[0].second[1], kafkas[0].second[1]);
  EXPECT_EQ(ours[0].second[2].substr(27), kafkas[0].second[2].substr(27));
  EXPECT_EQ(ours[1], kafkas[1]);
}

env::Task<void> create_many(env::Environment& environment, QuorumOptions options,
                            std::int64_t* elapsed_ms) {
  auto node = co_await QuorumNode::start(environment, options);
  EXPECT_TRUE(co_await (*node)->register_broker(self_of(options, std::nullopt)));
  EXPECT_TRUE(co_await (*node)->unfence());
  protocol::CreateTopicsRequest request;
  for (int i = 0; i < 10; ++i) {
    request.topics.push_back(
        {.name = "many-" + std::to_string(i), .num_partitions = 1000, .replication_factor = 1});
  }
  const auto begin = environment.clock().now();
  const auto created = co_await (*node)->api().create_topics({}, request);
  *elapsed_ms =
      std::chrono::duration_cast<env::milliseconds>(environment.clock().now() - begin).count();
  EXPECT_TRUE(created);
  for (const auto& topic : created->topics) EXPECT_EQ(topic.error_code, ErrorCode::none);
  EXPECT_EQ((*node)->images().current()->topic("many-9")->partitions.size(), 1000U);
  protocol::DeleteTopicsRequest removal;
  for (int i = 0; i < 10; ++i) {
    removal.topics.push_back({.name = "many-" + std::to_string(i), .topic_id = {}});
  }
  EXPECT_TRUE(co_await (*node)->api().delete_topics({}, removal));
  EXPECT_TRUE((*node)->images().current()->topics.empty());
  EXPECT_TRUE(co_await (*node)->leave());
  EXPECT_TRUE(co_await (*node)->stop());
}

TEST_F(QuorumNodeTest, TenThousandPartitionsInTenTopicsAreOneRequest) {
  format_standalone();
  std::int64_t elapsed_ms = 0;
  run(create_many, options(), &elapsed_ms);
  RecordProperty("elapsed_ms", std::to_string(elapsed_ms));
}

env::Task<void> snapshot_often(env::Environment& environment, QuorumOptions options) {
  options.settings.snapshot_bytes = 1000;
  options.settings.log_retention_bytes = 1;
  options.settings.segment_bytes = 2000;
  auto node = co_await QuorumNode::start(environment, options);
  EXPECT_TRUE(co_await (*node)->register_broker(self_of(options, std::nullopt)));
  EXPECT_TRUE(co_await (*node)->unfence());
  for (int i = 0; i < 40; ++i) {
    protocol::CreateTopicsRequest request;
    request.topics.push_back(
        {.name = "t" + std::to_string(i), .num_partitions = 3, .replication_factor = 1});
    EXPECT_TRUE(co_await (*node)->api().create_topics({}, request));
  }
  EXPECT_TRUE(co_await (*node)->leave());
  EXPECT_TRUE(co_await (*node)->stop());
}

TEST_F(QuorumNodeTest, SnapshotsReplaceTheLogsBeginning) {
  format_standalone();
  run(snapshot_often, options());
  int snapshots = 0;
  bool first_segment = false;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory_ / raft::metadata_log_name)) {
    const std::string name = entry.path().filename();
    if (raft::SnapshotId::parse_file_name(name)) ++snapshots;
    first_segment = first_segment || name == "00000000000000000000.log";
  }
  EXPECT_GE(snapshots, 1);
  EXPECT_FALSE(first_segment);
  std::int64_t epoch = -1;
  metadata::ImagePointer image;
  run(live, options(), Life{}, &epoch, &image);
  EXPECT_EQ(image->topics.size(), 40U);
  EXPECT_EQ(image->metadata_version(), 30);
}

env::Task<void> refuse(env::Environment& environment, QuorumOptions options, std::string* message) {
  const auto node = co_await QuorumNode::start(environment, std::move(options));
  EXPECT_FALSE(node);
  if (!node) *message = node.error().message;
}

TEST_F(QuorumNodeTest, AnotherNodesDirectoryIsRefused) {
  raft::restore_golden("standalone", directory_);
  QuorumOptions opened = options();
  opened.directory_id = Uuid::of_halves(77, 77);
  std::string message;
  run(refuse, opened, &message);
  EXPECT_NE(message.find("has the directory"), std::string::npos) << message;
}

}  // namespace
}  // namespace arus::controller
