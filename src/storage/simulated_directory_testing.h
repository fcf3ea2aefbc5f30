// For tests: a log directory on a simulated disk, which can be stopped, lose its power and start
// again.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "env/simulated.h"
#include "env/simulated/disk.h"
#include "storage/log_testing.h"

namespace arus::storage {

inline constexpr const char* root = "/data";
// The power goes before the disk has written anything by itself.
inline constexpr env::CrashPolicy nothing_kept{.keep_page = 0, .tear_page = 0, .keep_entry = 0};

// What a test with such a directory inherits beside GoogleTest's own.
class SimulatedDirectory {
 protected:
  explicit SimulatedDirectory(std::uint64_t seed, const DirectoryOptions& options = {})
      : simulation_({.seed = seed}), disk_(simulation_.make_disk()), options_(options) {
    set_log_level("storage", LogLevel::off);
    start();
  }
  ~SimulatedDirectory() { stop(); }

  void start() {
    environment_ = simulation_.make_environment({.disk = disk_});
    auto opened = LogDirectory::open(*environment_, root, options_);
    ASSERT_TRUE(opened) << opened.error().message;
    directory_ = std::move(*opened);
  }
  void stop() {
    directory_ = nullptr;
    environment_ = nullptr;
  }
  template <class Body>
  void run(Body body) {
    env::run_until_done(*environment_, body());
  }
  // A partition of "topic", with what recovery kept made durable.
  env::Task<std::unique_ptr<Log>> open(std::int32_t partition = 0) {
    auto log = co_await directory_->open_log({"topic", partition}, test_topic_id, config_);
    EXPECT_TRUE(log) << log.error().message;
    EXPECT_TRUE(co_await directory_->sync_recovered());
    co_return std::move(*log);
  }
  // An orderly stop, with this log the only open one.
  env::Task<void> close(std::unique_ptr<Log> log) {
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(5));
    directory_ = nullptr;
  }
  // After stop(): the process was killed, or the power went.
  void crash_somehow() {
    const env::CrashPolicy kill{.keep_page = 1, .tear_page = 0, .keep_entry = 1};
    const env::CrashPolicy power_cut{.entries_in_order = below(2) == 0};
    disk_->crash(below(3) == 0 ? kill : power_cut);
  }
  // Those of topic-0 that end so.
  [[nodiscard]] std::vector<std::string> files(std::string_view suffix) const {
    std::vector<std::string> found;
    for (const auto& entry : *disk_->list(std::string(root) + "/topic-0")) {
      if (entry.name.ends_with(suffix)) found.push_back(entry.name);
    }
    return found;
  }
  // One of the bits of a file of topic-0, for good.
  void flip(const std::string& name, std::size_t bit) {
    auto file = disk_->open(std::string(root) + "/topic-0/" + name, env::OpenMode::read_write);
    Bytes byte(1);
    EXPECT_EQ((*file)->read_at(byte, static_cast<std::int64_t>(bit / 8)).value(), 1U);
    byte.front() ^= static_cast<std::uint8_t>(1U << bit % 8);
    EXPECT_TRUE((*file)->write_at(byte, static_cast<std::int64_t>(bit / 8)));
    EXPECT_TRUE((*file)->sync());
  }
  std::uint64_t below(std::uint64_t bound) { return simulation_.random().below(bound); }

  env::Simulation simulation_;
  std::shared_ptr<env::SimulatedDisk> disk_;
  DirectoryOptions options_;
  std::shared_ptr<config::TopicConfig> config_ = test_config();
  std::unique_ptr<env::SimulatedEnvironment> environment_;
  std::unique_ptr<LogDirectory> directory_;
};

}  // namespace arus::storage
