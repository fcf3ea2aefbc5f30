// The exchange of segments, with the power cut before each single operation of a round.
#include <cerrno>

#include "storage/compaction_testing.h"
#include "storage/file_names.h"

namespace arus::storage {
namespace {

using env::Task;

enum class Loss : std::uint8_t { nothing, in_order, at_random };

class CompactionCrashTest : public CompactedLogTest {
 protected:
  CompactionCrashTest() : CompactedLogTest(17) { stop(); }

  // A fresh disk with a log whose keys are spread over several segments, aborted records included.
  Task<void> fill() {
    log_ = co_await open();
    for (int i = 0; i < 36; ++i) {
      EXPECT_TRUE(append(
          *log_, batch_of({{"k" + std::to_string(i % 9), std::to_string(i)}}, start_ms + i)));
    }
    const record::BatchOptions options{.producer_id = ProducerId{4},
                                       .producer_epoch = 0,
                                       .base_sequence = 0,
                                       .transactional = true};
    EXPECT_TRUE(append(*log_, batch_of({{"k1", "lost"}, {"k2", "lost"}}, start_ms, options)));
    EXPECT_TRUE(append(*log_, marker_of(ProducerId{4}, 0, false)));
    co_await roll(*log_);
  }
  Task<void> check() {
    Served served = co_await read_all(*log_, true);
    EXPECT_EQ(log_->log_start(), Offset{0});
    EXPECT_EQ(log_->log_end(), Offset{40});
    for (int i = 27; i < 36; ++i) {
      EXPECT_EQ(served.records[Offset{i}],
                (KeyValue{"k" + std::to_string(i % 9), std::to_string(i)}));
      const auto found = co_await log_->find_timestamp(start_ms + i, Offset{36});
      EXPECT_TRUE(found && *found && (*found)->offset == Offset{i}) << i;
    }
    EXPECT_FALSE(served.records.contains(Offset{36}));
    EXPECT_EQ(log_->producers().size(), 1U);
    for (const auto& ending : {suffix::cleaned, suffix::swap, suffix::temporary}) {
      EXPECT_TRUE(files(ending).empty()) << ending;
    }
  }
  // The operations of one round that is cut before number `cut`; how many there were.
  int run_round(int cut) {
    int count = 0;
    run([this, cut, &count]() -> Task<void> {
      disk_->set_fault_hook([this, cut, &count](const env::FileOperation& operation) {
        const bool reads = operation.act == env::FileAct::read ||
                           operation.act == env::FileAct::list ||
                           operation.act == env::FileAct::open;
        if (!reads && count++ == cut) disk_->cut_power();
        return env::FileFault{.os_error = count > cut && cut >= 0 ? EIO : 0};
      });
      static_cast<void>(co_await log_->compact({.now_ms = start_ms}));
      disk_->set_fault_hook({});
    });
    return count;
  }
  void close(bool orderly) {
    log_ = nullptr;
    run([this, orderly]() -> Task<void> {
      EXPECT_EQ((co_await directory_->close(1)).has_value(), orderly);
    });
    stop();
  }

  std::unique_ptr<Log> log_;
};

TEST_F(CompactionCrashTest, OneGenerationIsThereWhereverARoundIsCut) {
  int operations = 1;
  int finished_by_start = 0;
  for (int cut = 0; cut < operations; ++cut) {
    for (const Loss loss : {Loss::nothing, Loss::in_order, Loss::at_random}) {
      SCOPED_TRACE("cut before operation " + std::to_string(cut) + ", loss " +
                   std::to_string(static_cast<int>(loss)));
      disk_ = simulation_.make_disk();
      start();
      run([this] [[clang::coro_wrapper]] { return fill(); });
      const int count = run_round(cut);
      operations = std::max(operations, count > cut ? cut + 2 : 0);
      disk_->cut_power();
      close(false);
      const env::CrashPolicy nothing{.keep_page = 1, .tear_page = 0, .keep_entry = 1};
      disk_->crash(loss == Loss::nothing
                       ? nothing
                       : env::CrashPolicy{.entries_in_order = loss == Loss::in_order});
      finished_by_start += !files(".log.swap").empty();
      start();
      run([this]() -> Task<void> {
        log_ = co_await open();
        co_await check();
        // What was cut short goes on.
        co_await compact(*log_);
        EXPECT_EQ((co_await read_all(*log_)).records.size(), 10U);
        co_await check();
      });
      close(true);
      start();
      run([this]() -> Task<void> {
        log_ = co_await open();
        co_await check();
      });
      close(true);
    }
  }
  EXPECT_GT(operations, 20);
  EXPECT_GT(finished_by_start, 10);
}

}  // namespace
}  // namespace arus::storage
