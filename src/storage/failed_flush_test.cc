// A flush fails, the process is started again, and only later the power goes: in between the system
// shows bytes that it takes for written and that are nowhere.
#include "storage/failed_flush.h"

#include <cerrno>

#include "storage/compaction_testing.h"
#include "storage/file_names.h"

namespace arus::storage {
namespace {

using env::Task;

class FailedFlushTest : public testing::Test, protected SimulatedDirectory {
 protected:
  FailedFlushTest()
      : SimulatedDirectory(3, {.checkpoint_interval_ms = 10,
                               .commit_log = {.first_file_bytes = 16'384,
                                              .later_file_bytes = 16'384,
                                              .most_files = 3,
                                              .direct_from_bytes = 1'500}}) {
    stop();
    config_->segment_bytes = 6'000;
    config_->index_interval_bytes = 200;
  }
  void start_anew() {
    disk_ = simulation_.make_disk();
    start();
    ASSERT_TRUE(directory_->stamp({"cluster", 1, Uuid::of_halves(3, 5)}));
  }
  // Appends until the flush number `nth` of one of these files fails; gives whether it did.
  Task<void> write_until_failure(std::string ending, int nth, bool* failed) {
    auto log = co_await open();
    disk_->set_fault_hook([=, left = nth](const env::FileOperation& operation) mutable {
      const bool counts = operation.act == env::FileAct::sync && operation.path.ends_with(ending);
      *failed = *failed || (counts && left-- == 0);
      return env::FileFault{.os_error = *failed && counts ? EIO : 0};
    });
    acknowledged_ = Offset{0};
    for (int i = 0; i < 150 && !log->failure(); ++i) {
      const std::size_t size = i % 40 == 39 ? 2'000 : 150;
      if (!append(*log, make_batch({.value_bytes = size}))) break;
      co_await env::sleep_for(env::microseconds(600));
      acknowledged_ = std::max(acknowledged_, log->durable_end());
    }
    disk_->set_fault_hook(nullptr);
    disk_->cut_power();
    log = nullptr;
    static_cast<void>(co_await directory_->close(1));
  }
  Task<void> expect_all() {
    auto log = co_await open();
    EXPECT_EQ(log->log_start(), Offset{0});
    EXPECT_GE(log->log_end(), acknowledged_);
    EXPECT_EQ(static_cast<std::int64_t>((co_await read_all(*log)).records.size()),
              log->log_end().value());
    acknowledged_ = std::max(acknowledged_, log->durable_end());
    EXPECT_FALSE(has_failed_flush(*disk_, root)) << "it was written again";
    disk_->cut_power();
    log = nullptr;
    static_cast<void>(co_await directory_->close(1));
  }
  void expect_survival(const std::string& ending) {
    int failures = 0;
    for (int nth = 0; nth < 40; ++nth) {
      SCOPED_TRACE("flush " + std::to_string(nth) + " of " + ending);
      start_anew();
      bool failed = false;
      run([&] [[clang::coro_wrapper]] { return write_until_failure(ending, nth, &failed); });
      stop();
      if (!failed) break;
      ++failures;
      disk_->kill_process();
      EXPECT_TRUE(has_failed_flush(*disk_, root));
      start();
      run([this] [[clang::coro_wrapper]] { return expect_all(); });
      stop();
      disk_->crash({.keep_page = 0, .tear_page = 0, .keep_entry = 0});
      start();
      run([this] [[clang::coro_wrapper]] { return expect_all(); });
      stop();
    }
    EXPECT_GT(failures, 2);
  }

  Offset acknowledged_;
};

TEST_F(FailedFlushTest, OfASegmentLosesNothingToALaterPowerCut) { expect_survival(".log"); }

TEST_F(FailedFlushTest, OfTheCommitLogLosesNothingToALaterPowerCut) {
  expect_survival("arus-commit-log-0");
}

TEST_F(FailedFlushTest, OnlyWhatMayBeLostIsWrittenAgain) {
  start_anew();
  bool failed = false;
  run([&] [[clang::coro_wrapper]] { return write_until_failure(".log", 20, &failed); });
  stop();
  disk_->kill_process();
  const auto logs = files(".log");
  ASSERT_GT(logs.size(), 2U);
  std::vector<std::string> written;
  disk_->set_fault_hook([&written](const env::FileOperation& operation) {
    if (operation.act == env::FileAct::write) written.push_back(operation.path);
    return env::FileFault{};
  });
  const std::string folder = std::string(root) + "/topic-0";
  const Offset last = *parse_segment_file_name(logs.back(), suffix::log);
  ASSERT_TRUE(write_again(*disk_, folder, last));
  EXPECT_TRUE(std::ranges::count(written, join_path(folder, logs.back())) == 1);
  EXPECT_TRUE(std::ranges::count(written, join_path(folder, partition_metadata_name)) == 1);
  EXPECT_EQ(std::ranges::count(written, join_path(folder, logs.front())), 0);
  disk_->set_fault_hook(nullptr);
}

}  // namespace
}  // namespace arus::storage
