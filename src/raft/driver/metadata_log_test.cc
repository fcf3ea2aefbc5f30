#include "raft/driver/metadata_log.h"

#include <filesystem>
#include <fstream>

#include "env/simulated.h"
#include "env/simulated/disk.h"
#include "raft/driver/quorum.h"

namespace arus::raft {
namespace {

Bytes batch(std::int64_t base, std::int32_t epoch, std::string_view value) {
  record::BatchBuilder builder{{.base_offset = Offset{base}, .leader_epoch = LeaderEpoch{epoch}}};
  builder.append(1000, std::nullopt, as_bytes(value));
  return builder.build();
}

// A directory of its own for each test.
class MetadataLogTest : public testing::Test, public MetadataLogObserver, public Replay {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    directory_ = std::filesystem::path(testing::TempDir()) / (std::string("raft_") + info->name());
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void on_durable(Offset end) override { durable_ = end; }
  void on_append_failed(Offset, const Error&, bool) override { failed_ = true; }
  void on_snapshot(const SnapshotId&) override { values_.emplace_back("snapshot"); }
  Result<> on_record(Offset, LeaderEpoch, ByteView value) override {
    values_.emplace_back(as_text(value));
    return {};
  }
  Result<> on_snapshot_end(const SnapshotId&) override { return {}; }

  template <class... Parameters, class... Arguments>
  void run(env::Task<void> (*coroutine)(env::Environment&, Parameters...),
           Arguments&&... arguments) {
    auto environment = env::make_real_environment({});
    env::run_until_done(*environment,
                        coroutine(*environment, std::forward<Arguments>(arguments)...));
  }
  [[nodiscard]] std::filesystem::path log_path(const std::string& name) const {
    return directory_ / metadata_log_name / name;
  }
  void write(const std::string& name, ByteView bytes, bool append = false) {
    std::filesystem::create_directories(directory_ / metadata_log_name);
    std::ofstream file(log_path(name), append ? std::ios::app : std::ios::trunc);
    file << as_text(bytes);
  }

  std::filesystem::path directory_;
  Offset durable_{0};
  bool failed_ = false;
  std::vector<std::string> values_;
};

env::Task<void> append_three(env::Environment& environment, std::string directory,
                             MetadataLogObserver* observer, std::int64_t segment_bytes) {
  auto log = co_await MetadataLog::open(environment, std::move(directory),
                                        {.segment_bytes = segment_bytes});
  EXPECT_TRUE(log);
  (*log)->observe(observer);
  for (int i = 0; i < 3; ++i) {
    (*log)->append(batch(i, 1, "value"));
    if (segment_bytes < 1000) {
      while ((*log)->durable_end() < Offset{i + 1}) co_await env::sleep_for(env::milliseconds(1));
    }
  }
  co_await (*log)->close();
  EXPECT_EQ((*log)->durable_end(), Offset{3});
}

env::Task<void> reopen(env::Environment& environment, std::string directory,
                       std::vector<std::int64_t>* bases, Offset end) {
  auto log = co_await MetadataLog::open(environment, std::move(directory), {});
  EXPECT_TRUE(log) << log.error().message;
  if (!log) co_return;
  EXPECT_TRUE((*log)->read_log(Offset{0}, [bases](const record::BatchView& view) -> Result<> {
    bases->push_back(view.base_offset().value());
    return {};
  }));
  EXPECT_EQ((*log)->end(), end);
  co_await (*log)->close();
}

env::Task<void> fail_to_open(env::Environment& environment, std::string directory) {
  const auto log = co_await MetadataLog::open(environment, std::move(directory), {});
  EXPECT_FALSE(log);
}

TEST_F(MetadataLogTest, WhatIsDurableIsThereAfterReopening) {
  run(append_three, directory_.string(), this, 1 << 30);
  EXPECT_EQ(durable_, Offset{3});
  std::vector<std::int64_t> bases;
  run(reopen, directory_.string(), &bases, Offset{3});
  EXPECT_EQ(bases, (std::vector<std::int64_t>{0, 1, 2}));
  std::ifstream epochs(log_path("leader-epoch-checkpoint"));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(epochs), {}), "0\n1\n1 0\n");
}

TEST_F(MetadataLogTest, SegmentsRollAndAreReadInOrder) {
  run(append_three, directory_.string(), this, 100);
  EXPECT_TRUE(std::filesystem::exists(log_path("00000000000000000002.log")));
  std::vector<std::int64_t> bases;
  run(reopen, directory_.string(), &bases, Offset{3});
  EXPECT_EQ(bases, (std::vector<std::int64_t>{0, 1, 2}));
}

TEST_F(MetadataLogTest, ATornTailIsCutOff) {
  run(append_three, directory_.string(), this, 1 << 30);
  Bytes torn = batch(3, 1, "torn");
  torn.pop_back();
  write("00000000000000000000.log", torn, true);
  std::vector<std::int64_t> bases;
  run(reopen, directory_.string(), &bases, Offset{3});
  EXPECT_EQ(bases.size(), 3U);
}

// The log of four batches, the last of this epoch, with a bit flipped in the second one.
class DamagedMetadataLogTest : public MetadataLogTest {
 protected:
  Bytes damage(std::int32_t last_epoch) {
    run(append_three, directory_.string(), this, 1 << 30);
    write("00000000000000000000.log", batch(3, last_epoch, "later"), true);
    Bytes bytes = read();
    bytes[batch(0, 1, "value").size() + 70] ^= 1;
    write("00000000000000000000.log", bytes);
    return bytes;
  }
  Bytes read() {
    std::ifstream file(log_path("00000000000000000000.log"));
    const std::string text(std::istreambuf_iterator<char>(file), {});
    return {text.begin(), text.end()};
  }
};

TEST_F(DamagedMetadataLogTest, DamageBeforeALaterEpochIsNotCut) {
  const Bytes before = damage(2);
  run(fail_to_open, directory_.string());
  EXPECT_TRUE(read() == before);
}

TEST_F(DamagedMetadataLogTest, DamageThatASnapshotCoversIsNotCut) {
  const Bytes before = damage(1);
  write("00000000000000000003-0000000001.checkpoint", {});
  run(fail_to_open, directory_.string());
  EXPECT_TRUE(read() == before);
}

TEST_F(DamagedMetadataLogTest, WholeBatchesThatMayBeOfATornWriteAreKeptBesideTheLog) {
  const Bytes before = damage(1);
  const std::size_t kept = batch(0, 1, "value").size();
  std::vector<std::int64_t> bases;
  run(reopen, directory_.string(), &bases, Offset{1});
  EXPECT_EQ(read().size(), kept);
  std::ifstream file(log_path("00000000000000000000.log.from-" + std::to_string(kept) + ".cut"));
  const std::string tail(std::istreambuf_iterator<char>(file), {});
  EXPECT_TRUE(equal(as_bytes(tail), ByteView(before).subspan(kept)));
}

TEST_F(MetadataLogTest, ASnapshotBeyondTheLogReplacesIt) {
  write("00000000000000000000.log", batch(0, 1, "a"));
  SnapshotBuilder builder({.epoch = LeaderEpoch{2}});
  builder.append(as_bytes("b"));
  write(SnapshotId{Offset{9}, LeaderEpoch{2}}.file_name(), flatten(builder.finish()));
  write("00000000000000000012-0000000002.checkpoint.part", as_bytes("half"));
  std::vector<std::int64_t> bases;
  run(reopen, directory_.string(), &bases, Offset{9});
  EXPECT_TRUE(bases.empty());
  EXPECT_FALSE(std::filesystem::exists(log_path("00000000000000000000.log")));
  EXPECT_FALSE(
      std::filesystem::exists(log_path("00000000000000000012-0000000002.checkpoint.part")));
}

TEST_F(MetadataLogTest, ALogWithoutItsBeginningNeedsASnapshot) {
  write("00000000000000000005.log", batch(5, 1, "a"));
  run(fail_to_open, directory_.string());
}

env::Task<void> lead(env::Environment& environment, QuorumConfig config, Replay* replay,
                     std::string* error) {
  auto quorum = co_await Quorum::open(environment, std::move(config), *replay);
  if (!quorum) {
    *error = quorum.error().message;
    co_return;
  }
  const auto elected = co_await (*quorum)->elect();
  if (!elected) {
    *error = elected.error().message;
    co_return;
  }
  (*quorum)->append({Bytes{'x'}, Bytes{'y'}});
  co_await (*quorum)->close();
  EXPECT_EQ((*quorum)->high_watermark(), (*quorum)->end());
}

TEST_F(MetadataLogTest, EachStartOfTheQuorumIsANewEpoch) {
  const QuorumConfig config{
      .id = 1, .log_directory = directory_.string(), .static_voters = {Voter{.id = 1}}};
  std::string error;
  run(lead, config, this, &error);
  EXPECT_EQ(error, "");
  EXPECT_TRUE(values_.empty());
  run(lead, config, this, &error);
  EXPECT_EQ(error, "");
  EXPECT_EQ(values_, (std::vector<std::string>{"x", "y"}));
  std::ifstream state(log_path("quorum-state"));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(state), {}),
            R"({"clusterId":"","leaderId":1,"leaderEpoch":2,"votedId":-1,"appliedOffset":0,)"
            R"("currentVoters":[{"voterId":1}],"data_version":0})");
  // LeaderChange, x, y, LeaderChange, x, y.
  std::ifstream epochs(log_path("leader-epoch-checkpoint"));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(epochs), {}), "0\n2\n1 0\n2 3\n");
}

TEST_F(MetadataLogTest, WithoutVotersNothingIsLed) {
  std::string error;
  run(lead, QuorumConfig{.id = 1, .log_directory = directory_.string()}, this, &error);
  EXPECT_NE(error.find("No voters are known"), std::string::npos) << error;
}

// The process is started again after a failed flush, and the system shows what it could not write.
env::Task<void> fail_a_flush(env::Environment& environment, env::SimulatedDisk* disk) {
  auto log = co_await MetadataLog::open(environment, "/data", {});
  for (int i = 0; i < 5; ++i) {
    (*log)->append(batch(i, 1, std::string(5'000, 'v')));
    co_await env::sleep_for(env::milliseconds(10));
  }
  EXPECT_EQ((*log)->durable_end(), Offset{5});
  disk->set_fault_hook([](const env::FileOperation& operation) {
    return env::FileFault{.os_error = operation.act == env::FileAct::sync ? EIO : 0};
  });
  (*log)->append(batch(5, 1, std::string(5'000, 'v')));
  co_await env::sleep_for(env::milliseconds(10));
  EXPECT_TRUE((*log)->offline());
  disk->set_fault_hook(nullptr);
  co_await (*log)->close();
}

env::Task<void> open_and_append(env::Environment& environment, Offset least) {
  auto log = co_await MetadataLog::open(environment, "/data", {});
  EXPECT_TRUE(log) << log.error().message;
  if (!log) co_return;
  EXPECT_GE((*log)->end(), least);
  (*log)->append(batch((*log)->end().value(), 1, "later"));
  co_await env::sleep_for(env::milliseconds(10));
  EXPECT_EQ((*log)->durable_end(), (*log)->end());
  co_await (*log)->close();
}

TEST(FailedMetadataFlush, LosesNothingToALaterPowerCut) {
  env::Simulation simulation{{.seed = 4}};
  const auto disk = simulation.make_disk();
  ASSERT_TRUE(disk->create_directories("/data"));
  ASSERT_TRUE(disk->sync_directory("/"));
  {
    const auto environment = simulation.make_environment({.disk = disk});
    env::run_until_done(*environment, fail_a_flush(*environment, disk.get()));
  }
  disk->kill_process();
  // What could not be written is taken in, and told to administrators.
  for (const Offset least : {Offset{6}, Offset{7}}) {
    const auto environment = simulation.make_environment({.disk = disk});
    env::run_until_done(*environment, open_and_append(*environment, least));
    disk->crash({.keep_page = 0, .tear_page = 0, .keep_entry = 0});
  }
}

TEST(FailedMetadataFlush, OfASnapshotOrTheVoteTakesTheLogOffline) {
  for (const char* const ending : {".part", "quorum-state.tmp"}) {
    env::Simulation simulation{{.seed = 4}};
    const auto environment = simulation.make_environment({});
    ASSERT_TRUE(environment->disk().create_directories("/data"));
    env::run_until_done(
        *environment,
        [](env::SimulatedEnvironment* machine, std::string failing) -> env::Task<void> {
          auto log = co_await MetadataLog::open(*machine, "/data", {});
          (*log)->append(batch(0, 1, "value"));
          co_await env::sleep_for(env::milliseconds(10));
          machine->disk().set_fault_hook([failing](const env::FileOperation& operation) {
            const bool hit =
                operation.act == env::FileAct::sync && operation.path.ends_with(failing);
            return env::FileFault{.os_error = hit ? EIO : 0};
          });
          Chain chain;
          chain.push_back(Slice(batch(0, 1, "value")));
          const auto written = co_await (*log)->write_snapshot({Offset{1}, LeaderEpoch{1}}, chain);
          const auto voted = co_await (*log)->persist({}, 1, {1});
          EXPECT_NE(written.has_value(), voted.has_value());
          EXPECT_TRUE((*log)->offline());
          machine->disk().set_fault_hook(nullptr);
          co_await (*log)->close();
        }(environment.get(), ending));
  }
}

}  // namespace
}  // namespace arus::raft
