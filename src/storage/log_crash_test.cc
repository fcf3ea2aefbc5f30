// Logs on a simulated disk that fails and loses power.
#include <gtest/gtest.h>

#include <cerrno>

#include "env/simulated.h"
#include "env/simulated/disk.h"
#include "record/batch.h"
#include "storage/log_testing.h"
#include "storage/partition_log.h"
#include "storage/simulated_directory_testing.h"

namespace arus::storage {
namespace {

using env::Task;

// What one partition was given, as a list of batches, and how much of it was acknowledged.
struct Model {
  TopicPartition name;
  std::shared_ptr<config::TopicConfig> config;
  std::vector<Bytes> batches;
  Offset start;
  Offset end;
  Offset acknowledged;
};

// What makes acknowledged batches durable.
enum class Way : std::uint8_t {
  segments,  // each segment's own flush
  logged,    // the commit log, in files that are never full
  recycled,  // the commit log, in files that are used again and again
  together,  // the same, each lap ended by one flush of everything, in files that grow
};

std::string name_of(const testing::TestParamInfo<std::tuple<Way, int>>& info) {
  static constexpr const char* names[] = {"segments", "logged", "recycled", "together"};
  return names[static_cast<std::size_t>(std::get<0>(info.param))] + std::string("_") +
         std::to_string(std::get<1>(info.param));
}

CommitLogOptions options_of(Way way) {
  if (way == Way::segments) return {.first_file_bytes = 0};
  if (way == Way::logged) return {.first_file_bytes = std::size_t{1} << 20};
  CommitLogOptions options{.first_file_bytes = 16 << 10,
                           .later_file_bytes = 32 << 10,
                           .most_files = 3,
                           .direct_from_bytes = 4'000};
  if (way == Way::together) {
    options.flush_each_up_to = 0;
    options.large_file_bytes = 64 << 10;
    options.large_from_segments = 2;
  }
  return options;
}

// A node's storage on a disk that outlives it.
class CrashTest : public testing::TestWithParam<std::tuple<Way, int>> {
 protected:
  CrashTest() : CrashTest(static_cast<std::uint64_t>(std::get<1>(GetParam()))) {
    options_.commit_log = options_of(std::get<0>(GetParam()));
    options_.checkpoint_interval_ms = 10;
  }
  explicit CrashTest(std::uint64_t seed)
      : simulation_({.seed = seed}), disk_(simulation_.make_disk()) {
    set_log_level("storage", LogLevel::off);
  }

  void start() {
    environment_ = simulation_.make_environment({.disk = disk_});
    auto opened = LogDirectory::open(*environment_, root, options_);
    ASSERT_TRUE(opened) << opened.error().message;
    directory_ = std::move(*opened);
  }
  template <class T>
  T run(Task<T> task) {
    return env::run_until_done(*environment_, std::move(task));
  }
  std::uint64_t below(std::uint64_t bound) { return simulation_.random().below(bound); }

  env::Simulation simulation_;
  std::shared_ptr<env::SimulatedDisk> disk_;
  DirectoryOptions options_;
  std::unique_ptr<env::SimulatedEnvironment> environment_;
  std::unique_ptr<LogDirectory> directory_;
};

class PowerCutTest : public CrashTest {
 protected:
  PowerCutTest() {
    for (int i = 0; i < 3; ++i) {
      Model model{.name = {"topic", i}, .config = test_config()};
      model.config->segment_bytes = 1'500;
      model.config->index_interval_bytes = 200;
      if (i == 2) model.config->durability = config::Durability::page_cache;
      models_.push_back(std::move(model));
    }
  }

  Task<void> open_logs() {
    for (Model& model : models_) {
      if (below(2) == 0) {
        static_cast<void>(
            co_await directory_->prepare_log(model.name, test_topic_id, LeaderEpoch{0}));
      }
      auto log = co_await directory_->open_log(model.name, test_topic_id, model.config);
      EXPECT_TRUE(log) << log.error().message;
      logs_.push_back(std::move(*log));
    }
    EXPECT_TRUE(co_await directory_->sync_recovered());
  }

  // Holds what recovery gave against what was written before.
  Task<void> check() {
    for (std::size_t i = 0; i < logs_.size(); ++i) {
      Model& model = models_[i];
      Log& log = *logs_[i];
      EXPECT_GE(log.log_end(), model.acknowledged) << model.name.to_string();
      EXPECT_LE(log.log_end(), model.end);
      EXPECT_EQ(log.durable_end(), log.log_end());
      // A first segment of which nothing was acknowledged may be lost, and others not.
      if (log.log_start() > model.start) {
        EXPECT_LE(model.acknowledged, model.start);
      }
      model.start = log.log_start();
      Bytes expected;
      Offset end{0};
      std::size_t kept = 0;
      while (kept < model.batches.size() && end < log.log_end()) {
        const Bytes& batch = model.batches[kept++];
        end = record::BatchView::parse(batch)->next_offset();
        if (end > model.start) expected.insert(expected.end(), batch.begin(), batch.end());
      }
      EXPECT_EQ(end, log.log_end()) << "the log ends inside a batch";
      Bytes found;
      for (Offset at = model.start; at < log.log_end();) {
        const auto fetched = co_await log.read(at, {.end = log.log_end(), .max_bytes = 700});
        EXPECT_TRUE(fetched && fetched->size_bytes > 0)
            << model.name.to_string() << " at " << at.value() << " of " << log.log_end().value()
            << ": " << (fetched ? "nothing" : fetched.error().message);
        if (!fetched || fetched->size_bytes == 0) break;
        const Bytes bytes = flatten(fetched->records);
        record::BatchReader reader(bytes);
        while (const auto batch = reader.next()) at = batch->next_offset();
        found.insert(found.end(), bytes.begin(), bytes.end());
      }
      EXPECT_TRUE(found == expected) << model.name.to_string();
      model.batches.resize(kept);
      model.end = model.acknowledged = log.log_end();
    }
  }

  Task<void> append_until_stopped(LeaderEpoch epoch) {
    while (!stop_) {
      const std::size_t i = below(models_.size());
      Model& model = models_[i];
      const Slice batch = make_batch({.records = static_cast<int>(1 + below(3)),
                                      .value_bytes = static_cast<std::size_t>(below(300)),
                                      .timestamp_ms = static_cast<std::int64_t>(below(1'000))});
      const auto appended = append(*logs_[i], batch, {.leader_epoch = epoch});
      if (!appended) break;
      model.batches.emplace_back(batch.view().begin(), batch.view().end());
      model.end = appended->last_offset + 1;
      if (below(3) == 0) co_await env::sleep_for(env::microseconds(below(400)));
      if (below(40) == 0) static_cast<void>(co_await logs_[i]->flush());
      acknowledge();
      if (below(80) == 0 && !co_await truncate(model, *logs_[i])) break;
    }
  }
  // Cuts the log before one of its batches. Until that is done, either state may be found.
  Task<bool> truncate(Model& model, Log& log) {
    const std::size_t kept = below(model.batches.size() + 1);
    Offset end;
    for (std::size_t i = 0; i < kept; ++i) {
      end = record::BatchView::parse(model.batches[i])->next_offset();
    }
    model.acknowledged = std::min(model.acknowledged, end);
    if (!co_await log.truncate_to(end)) co_return false;
    EXPECT_EQ(log.log_end(), end);
    model.batches.resize(kept);
    model.end = end;
    acknowledge();
    co_return true;
  }
  // The power goes in the middle of one of the coming changes, of which a part may be done.
  void cut_power_in(std::uint64_t changes) {
    disk_->set_fault_hook([this, changes](const env::FileOperation& operation) mutable {
      const bool reads = operation.act == env::FileAct::read || operation.act == env::FileAct::list;
      if (reads || changes-- > 0) return env::FileFault{};
      disk_->cut_power();
      return env::FileFault{.os_error = EIO, .at_most_bytes = below(operation.size_bytes + 1)};
    });
  }
  void acknowledge() {
    for (std::size_t i = 0; i < logs_.size(); ++i) {
      models_[i].acknowledged = std::max(models_[i].acknowledged, logs_[i]->durable_end());
    }
  }

  // Works for a while, until the power goes or, with `clean`, until an orderly stop.
  void live(int life, bool clean) {
    start();
    run(open_logs());
    run(check());
    stop_ = false;
    bool ended = false;
    environment_->loop(0).post([this, life, &ended] {
      env::spawn_detached([](PowerCutTest* self, int epoch, bool* done) -> Task<void> {
        co_await self->append_until_stopped(LeaderEpoch{epoch});
        *done = true;
      }(this, life, &ended));
    });
    if (!clean && below(2) == 0) cut_power_in(below(400));
    for (std::uint64_t steps = 200 + below(4'000); steps > 0; --steps) simulation_.step();
    disk_->set_fault_hook(nullptr);
    if (!clean) disk_->cut_power();
    stop_ = true;
    while (!ended) ASSERT_TRUE(simulation_.step());
    if (clean) {
      for (auto& log : logs_) EXPECT_TRUE(run(flush_one(*log)));
      acknowledge();
    }
    run(close_logs(clean));
    EXPECT_EQ(disk_->calls_from_loops(), 0U);
    directory_ = nullptr;
    environment_ = nullptr;
    if (clean) return;
    // A third of the lives end by a kill: what was written is there, flushed or not.
    const env::CrashPolicy kill{.keep_page = 1, .tear_page = 0, .keep_entry = 1};
    const env::CrashPolicy power_cut{.entries_in_order = below(2) == 0};
    disk_->crash(below(3) == 0 ? kill : power_cut);
  }
  Task<bool> flush_one(Log& log) { co_return (co_await log.flush()).has_value(); }
  Task<void> close_logs(bool clean) {
    logs_.clear();
    const auto closed = co_await directory_->close(1);
    EXPECT_EQ(closed.has_value(), clean);
  }

  std::vector<Model> models_;
  std::vector<std::unique_ptr<Log>> logs_;
  bool stop_ = false;
};

TEST_P(PowerCutTest, WhatWasAcknowledgedIsThereAndTheRestIsAPrefix) {
  for (int life = 0; life < 4; ++life) live(life, life == 2);
  start();
  run(open_logs());
  run(check());
  run(close_logs(true));
  directory_ = nullptr;
  environment_ = nullptr;
}

INSTANTIATE_TEST_SUITE_P(Seeds, PowerCutTest,
                         testing::Combine(testing::Values(Way::segments, Way::logged, Way::recycled,
                                                          Way::together),
                                          testing::Range(1, 61)),
                         name_of);

class DiskFaultTest : public CrashTest {
 protected:
  // Which flush is whose is plain where each segment has its own.
  DiskFaultTest() : CrashTest(7) {
    options_.commit_log = options_of(Way::segments);
    start();
  }
  ~DiskFaultTest() override {
    directory_ = nullptr;
    environment_ = nullptr;
  }
  template <class Body>
  void run_body(Body body) {
    run(body());
  }
  Task<std::unique_ptr<Log>> open(std::int32_t partition = 0) {
    auto log = co_await directory_->open_log({"topic", partition}, test_topic_id, test_config());
    EXPECT_TRUE(log) << log.error().message;
    co_return std::move(*log);
  }
};

class Watcher : public LogObserver {
 public:
  void on_progress() override { ++progress; }
  void on_failure(const Error& error) override { failure = error; }
  int progress = 0;
  std::optional<Error> failure;
};

TEST_F(DiskFaultTest, AFailedFlushTakesTheDirectoryOfflineForGood) {
  run_body([this]() -> Task<void> {
    auto log = co_await open();
    auto other = co_await open(1);
    Watcher watcher;
    log->set_observer(&watcher);
    EXPECT_TRUE(append(*log, make_batch()));
    EXPECT_TRUE(co_await log->flush());
    EXPECT_EQ(log->durable_end(), Offset{1});
    int failures = 0;
    disk_->set_fault_hook([&failures](const env::FileOperation& operation) {
      const bool fails = operation.act == env::FileAct::sync && failures == 0;
      if (fails) ++failures;
      return env::FileFault{.os_error = fails ? EIO : 0};
    });
    EXPECT_TRUE(append(*log, make_batch()));
    EXPECT_TRUE(append(*other, make_batch()));
    const auto flushed = co_await log->flush();
    EXPECT_FALSE(flushed);
    EXPECT_EQ(flushed.error().code, ErrorCode::kafka_storage_error);
    EXPECT_EQ(failures, 1);
    // The disk works again; nothing is acknowledged all the same.
    EXPECT_EQ(append(*log, make_batch()).error().code, ErrorCode::kafka_storage_error);
    EXPECT_EQ(append(*other, make_batch()).error().code, ErrorCode::kafka_storage_error);
    EXPECT_FALSE(co_await log->flush());
    EXPECT_EQ(log->durable_end(), Offset{1});
    EXPECT_EQ(other->durable_end(), Offset{0});
    EXPECT_TRUE(watcher.failure);
    EXPECT_TRUE(directory_->offline());
    EXPECT_TRUE(log->failure());
    const auto fetched = co_await log->read(Offset{0}, {.end = Offset{1}, .max_bytes = 100});
    EXPECT_TRUE(fetched && fetched->size_bytes > 0);
    const auto opened = co_await directory_->open_log({"topic", 2}, test_topic_id, test_config());
    EXPECT_FALSE(opened);
    log = nullptr;
    other = nullptr;
    EXPECT_FALSE(co_await directory_->close(1));
  });
  EXPECT_FALSE(disk_->exists(std::string(root) + "/.kafka_cleanshutdown"));
}

TEST_F(DiskFaultTest, AFullDiskRefusesAndKeepsWhatItHad) {
  run_body([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(append(*log, make_batch({.value_bytes = 500})));
    EXPECT_TRUE(co_await log->flush());
    disk_->set_capacity(0);
    EXPECT_TRUE(append(*log, make_batch({.value_bytes = 500})));
    co_await env::sleep_for(env::milliseconds{500});
    EXPECT_EQ(append(*log, make_batch()).error().code, ErrorCode::kafka_storage_error);
    EXPECT_EQ(log->written_end(), Offset{5});
    EXPECT_FALSE(directory_->offline());
    log = nullptr;
    EXPECT_FALSE(co_await directory_->close(1));
  });
  EXPECT_FALSE(disk_->exists(std::string(root) + "/.kafka_cleanshutdown"));
  directory_ = nullptr;
  environment_ = nullptr;
  disk_->set_capacity(1LL << 30);
  start();
  run_body([this]() -> Task<void> {
    auto log = co_await open();
    EXPECT_EQ(log->log_end(), Offset{5});
    EXPECT_TRUE(append(*log, make_batch()));
    EXPECT_TRUE(co_await log->flush());
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(DiskFaultTest, AStalledDiskRefusesNewAppendsAfterASecondAndRecovers) {
  run_body([this]() -> Task<void> {
    auto log = co_await open();
    bool stalled = false;
    disk_->set_fault_hook([&stalled](const env::FileOperation& operation) {
      env::FileFault fault;
      if (operation.act == env::FileAct::sync && !std::exchange(stalled, true)) {
        fault.stall = env::seconds{30};
      }
      return fault;
    });
    int accepted = 0;
    for (int i = 0; i < 100; ++i) {
      const auto appended = append(*log, make_batch());
      if (appended) ++accepted;
      if (i > 20) EXPECT_EQ(appended.error().code, ErrorCode::request_timed_out);
      co_await env::sleep_for(env::milliseconds{100});
    }
    EXPECT_GT(accepted, 5);
    EXPECT_LT(accepted, 15);
    EXPECT_EQ(log->durable_end(), Offset{0});
    EXPECT_TRUE(co_await log->flush());
    EXPECT_EQ(log->durable_end(), Offset{accepted});
    EXPECT_TRUE(append(*log, make_batch()));
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(DiskFaultTest, ACheckpointThatWaitsForTheDiskHoldsNoAppendUp) {
  run_body([this]() -> Task<void> {
    auto log = co_await open();
    int stalled = 0;
    disk_->set_fault_hook([&stalled](const env::FileOperation& operation) {
      const bool counts =
          operation.act == env::FileAct::sync && operation.path.contains("-offset-checkpoint");
      stalled += counts ? 1 : 0;
      return env::FileFault{.stall = counts ? env::seconds{30} : env::Duration{}};
    });
    env::Duration longest{};
    for (int i = 0; i < 200; ++i) {
      const env::TimePoint began = environment_->clock().now();
      EXPECT_TRUE(append(*log, make_batch()));
      EXPECT_TRUE(co_await log->flush());
      longest = std::max(longest, environment_->clock().now() - began);
      co_await env::sleep_for(env::milliseconds{100});
    }
    EXPECT_GT(stalled, 0);
    EXPECT_LT(longest, env::seconds{1});
    disk_->set_fault_hook({});
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(DiskFaultTest, TheRecoveryPointWaitsForTheSlowestSegment) {
  run_body([this]() -> Task<void> {
    auto config = test_config();
    config->durability = config::Durability::page_cache;
    config->segment_bytes = 400;
    auto opened = co_await directory_->open_log({"topic", 0}, test_topic_id, config);
    std::unique_ptr<Log> log = std::move(*opened);
    bool stalled = false;
    disk_->set_fault_hook([&stalled](const env::FileOperation& operation) {
      env::FileFault fault;
      const bool first = operation.act == env::FileAct::sync &&
                         operation.path.ends_with("00000000000000000000.log");
      if (first && !std::exchange(stalled, true)) fault.stall = env::seconds{30};
      return fault;
    });
    for (int i = 0; i < 5; ++i) {
      EXPECT_TRUE(append(*log, make_batch({.value_bytes = 250})));
      co_await env::sleep_for(env::milliseconds{1});
    }
    co_await env::sleep_for(env::seconds{10});
    EXPECT_TRUE(stalled);
    EXPECT_EQ(static_cast<PartitionLog&>(*log).recovery_point(), Offset{0});
    co_await env::sleep_for(env::seconds{30});
    EXPECT_EQ(static_cast<PartitionLog&>(*log).recovery_point(), Offset{4});
    disk_->set_fault_hook({});
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(DiskFaultTest, PageCacheLogsAreReadableWithoutAFlush) {
  run_body([this]() -> Task<void> {
    auto config = test_config();
    config->durability = config::Durability::page_cache;
    auto opened = co_await directory_->open_log({"topic", 0}, test_topic_id, config);
    std::unique_ptr<Log> log = std::move(*opened);
    Watcher watcher;
    log->set_observer(&watcher);
    int flushes = 0;
    disk_->set_fault_hook([&flushes](const env::FileOperation& operation) {
      if (operation.act == env::FileAct::sync) ++flushes;
      return env::FileFault{};
    });
    EXPECT_TRUE(append(*log, make_batch()));
    while (watcher.progress == 0) co_await env::sleep_for(env::milliseconds{1});
    EXPECT_EQ(log->written_end(), Offset{1});
    EXPECT_EQ(log->durable_end(), Offset{0});
    EXPECT_EQ(flushes, 0);
    // A topic that becomes synced is flushed once.
    log->configure(test_config());
    while (watcher.progress == 1) co_await env::sleep_for(env::milliseconds{1});
    EXPECT_EQ(log->durable_end(), Offset{1});
    EXPECT_GT(flushes, 0);
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(DiskFaultTest, AppendsOfOneTurnShareOneFlush) {
  run_body([this]() -> Task<void> {
    auto log = co_await open();
    EXPECT_TRUE(append(*log, make_batch()));
    EXPECT_TRUE(co_await log->flush());
    int flushes = 0;
    int writes = 0;
    disk_->set_fault_hook([&](const env::FileOperation& operation) {
      if (operation.act == env::FileAct::sync) ++flushes;
      if (operation.act == env::FileAct::write) ++writes;
      return env::FileFault{};
    });
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(append(*log, make_batch()));
    EXPECT_TRUE(co_await log->flush());
    EXPECT_EQ(writes, 1);
    EXPECT_EQ(flushes, 1);
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

}  // namespace
}  // namespace arus::storage
