// A log directory whose disk fills up, at every write, and is emptied again.
#include <gtest/gtest.h>

#include <cerrno>

#include "record/batch.h"
#include "storage/ballast.h"
#include "storage/disk_space.h"
#include "storage/simulated_directory_testing.h"

namespace arus::storage {
namespace {

using env::Task;

constexpr std::int64_t mebibyte = 1 << 20;

TEST(SpaceWatchTest, OfASmallDiskATwentiethIsTheReserve) {
  SpaceWatch watch(256 * mebibyte);
  watch.update({.total_bytes = 100 * mebibyte, .usable_bytes = 50 * mebibyte}, 0);
  EXPECT_EQ(watch.reserve_bytes(), 5 * mebibyte);
  EXPECT_EQ(watch.room_bytes(), 45 * mebibyte);
  EXPECT_FALSE(watch.full());
  watch.update({.total_bytes = 100'000 * mebibyte, .usable_bytes = 50 * mebibyte}, 0);
  EXPECT_EQ(watch.reserve_bytes(), 256 * mebibyte);
  EXPECT_TRUE(watch.full());
}

TEST(SpaceWatchTest, FullEndsALittleAboveTheReserve) {
  SpaceWatch watch(8 * mebibyte);
  const auto look = [&](std::int64_t usable, std::int64_t ballast = 0) {
    watch.update({.total_bytes = 1000 * mebibyte, .usable_bytes = usable}, ballast);
    return watch.full();
  };
  EXPECT_FALSE(look(8 * mebibyte + 1));
  EXPECT_TRUE(look(8 * mebibyte));
  EXPECT_TRUE(look(9 * mebibyte));
  EXPECT_FALSE(look(9 * mebibyte + 1));
  EXPECT_FALSE(look(8 * mebibyte + 1));
  // The ballast is a part of the reserve.
  EXPECT_FALSE(look(6 * mebibyte + 1, 2 * mebibyte));
}

TEST(SpaceWatchTest, TheBallastComesWhenTheDiskFillsUpAndGoesWhenItIsNeeded) {
  SpaceWatch watch(8 * mebibyte);
  const auto look = [&](std::int64_t usable, std::int64_t ballast) {
    watch.update({.total_bytes = 1000 * mebibyte, .usable_bytes = usable}, ballast);
  };
  look(100 * mebibyte, 0);
  EXPECT_FALSE(watch.wants_ballast());
  look(30 * mebibyte, 0);
  EXPECT_TRUE(watch.wants_ballast());
  EXPECT_EQ(watch.ballast_target_bytes(), 2 * mebibyte);
  look(28 * mebibyte, 2 * mebibyte);
  EXPECT_FALSE(watch.wants_ballast() || watch.drops_ballast());
  look(0, 2 * mebibyte);
  EXPECT_TRUE(watch.drops_ballast());
  look(2 * mebibyte, 0);  // what it gave back is not taken again
  EXPECT_FALSE(watch.wants_ballast());
  look(100 * mebibyte, 2 * mebibyte);
  EXPECT_TRUE(watch.drops_ballast());
}

TEST(SpaceWatchTest, WithoutAReserveNobodyIsRefused) {
  SpaceWatch watch(0);
  watch.update({.total_bytes = 1000, .usable_bytes = 0}, 0);
  EXPECT_FALSE(watch.full() || watch.wants_ballast() || watch.drops_ballast());
  EXPECT_GT(watch.room_bytes(), 1LL << 60);
}

class FullDiskTest : public testing::Test, protected SimulatedDirectory {
 protected:
  FullDiskTest() : SimulatedDirectory(7) {}
  explicit FullDiskTest(const DirectoryOptions& options) : SimulatedDirectory(7, options) {}

  // Waits for up to a minute of virtual time.
  template <class Condition>
  static Task<bool> becomes(Condition condition) {
    for (int i = 0; i < 6'000 && !condition(); ++i) {
      co_await env::sleep_for(env::milliseconds{10});
    }
    co_return condition();
  }
  Task<void> expect_records(Log& log, Offset end) {
    EXPECT_EQ(log.log_end(), end);
    for (Offset at = log.log_start(); at < end;) {
      const auto fetched = co_await log.read(at, {.end = end, .max_bytes = 1 << 20});
      EXPECT_TRUE(fetched) << fetched.error().message;
      if (!fetched) co_return;
      EXPECT_GT(fetched->size_bytes, 0U) << at.value();
      if (fetched->size_bytes == 0) co_return;
      for (const Slice& piece : fetched->records) {
        record::BatchReader reader(piece.view());
        while (const auto batch = reader.next()) {
          EXPECT_EQ(batch->base_offset(), at);
          EXPECT_TRUE(batch->crc_matches());
          at = batch->next_offset();
        }
      }
    }
  }
  Task<void> expect_clean_close(std::unique_ptr<Log> log) {
    log = nullptr;
    const auto closed = co_await directory_->close(1);
    EXPECT_TRUE(closed) << closed.error().message;
    EXPECT_TRUE(disk_->exists(std::string(root) + "/.kafka_cleanshutdown"));
  }
};

TEST_F(FullDiskTest, WhatWasAcceptedIsWrittenAsSoonAsThereIsSpace) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    EXPECT_TRUE(append(*log, make_batch({.value_bytes = 500})));
    EXPECT_TRUE(co_await log->flush());
    disk_->set_capacity(1);
    EXPECT_TRUE(append(*log, make_batch({.value_bytes = 500})));
    EXPECT_TRUE(append(*log, make_batch({.value_bytes = 500})));
    EXPECT_TRUE(co_await becomes([&] { return !log->check_writable(); }));
    EXPECT_EQ(log->check_writable().error().code, ErrorCode::kafka_storage_error);
    EXPECT_EQ(append(*log, make_batch()).error().code, ErrorCode::kafka_storage_error);
    co_await env::sleep_for(env::seconds{5});
    EXPECT_EQ(log->durable_end(), Offset{1});
    EXPECT_TRUE((co_await directory_->status()).waiting);
    const auto fetched = co_await log->read(Offset{0}, {.end = Offset{1}, .max_bytes = 1 << 20});
    EXPECT_TRUE(fetched && fetched->size_bytes > 500);
    EXPECT_FALSE(directory_->offline());
    disk_->set_capacity(1LL << 30);
    EXPECT_TRUE(co_await becomes([&] { return log->durable_end() == Offset{3}; }));
    EXPECT_TRUE(co_await becomes([&] { return log->check_writable().has_value(); }));
    EXPECT_TRUE(append(*log, make_batch()));
    EXPECT_TRUE(co_await log->flush());
    co_await expect_records(*log, Offset{4});
    EXPECT_FALSE((co_await directory_->status()).waiting);
    co_await expect_clean_close(std::move(log));
  });
}

TEST_F(FullDiskTest, AFlushThatFindsNoSpaceIsAFailureForGood) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    disk_->set_fault_hook([](const env::FileOperation& operation) {
      return env::FileFault{.os_error = operation.act == env::FileAct::sync ? ENOSPC : 0};
    });
    EXPECT_TRUE(append(*log, make_batch()));
    EXPECT_FALSE(co_await log->flush());
    EXPECT_TRUE(directory_->offline());
    disk_->set_fault_hook(nullptr);
    EXPECT_EQ(append(*log, make_batch()).error().code, ErrorCode::kafka_storage_error);
    co_await env::sleep_for(env::milliseconds{1});
    const DirectoryStatus status = co_await directory_->status();
    EXPECT_TRUE(status.failure);
    EXPECT_GT(status.failed_at_ms, 0);
    log = nullptr;
    EXPECT_FALSE(co_await directory_->close(1));
  });
}

TEST_F(FullDiskTest, AFailedWriteAfterWaitingIsAFailure) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    int os_error = ENOSPC;
    disk_->set_fault_hook([&os_error](const env::FileOperation& operation) {
      return env::FileFault{.os_error = operation.act == env::FileAct::write ? os_error : 0};
    });
    EXPECT_TRUE(append(*log, make_batch()));
    EXPECT_TRUE(co_await becomes([&] { return !log->check_writable(); }));
    auto later = directory_->open_log({"topic", 1}, test_topic_id, config_);
    os_error = EIO;
    EXPECT_TRUE(co_await becomes([this] { return directory_->offline(); }));
    EXPECT_FALSE(co_await std::move(later));
    disk_->set_fault_hook(nullptr);
    EXPECT_EQ(log->durable_end(), Offset{0});
    log = nullptr;
    EXPECT_FALSE(co_await directory_->close(1));
  });
}

// Records of many sizes, segments, indexes, snapshots, a truncation, a deletion at the start, new
// partitions, checkpoints, a clean stop; each change in turn finds no space for a while.
class EveryWriteTest : public FullDiskTest {
 protected:
  EveryWriteTest()
      : FullDiskTest({.checkpoint_interval_ms = 5,
                      .commit_log = {.first_file_bytes = 16 << 10,
                                     .later_file_bytes = 32 << 10,
                                     .most_files = 3,
                                     .direct_from_bytes = 4'000}}) {
    config_->segment_bytes = 6'000;
    config_->file_delete_delay_ms = 0;
  }

  int seen_ = 0;  // changes of the disk
  int hits_ = 0;  // of them, those without space

  static bool changes(env::FileAct act) {
    using enum env::FileAct;
    return act == write || act == rename || act == create_directory;
  }
  // From the `nth` change on, for `count` of them, there is no space.
  void deny(int nth, int count) {
    seen_ = 0;
    hits_ = 0;
    disk_->set_fault_hook([this, nth, count](const env::FileOperation& operation) {
      if (!changes(operation.act) || operation.path == root) return env::FileFault{};
      ++seen_;
      if (seen_ <= nth || seen_ > nth + count) return env::FileFault{};
      ++hits_;
      return env::FileFault{.os_error = ENOSPC, .at_most_bytes = operation.size_bytes / 2};
    });
  }

  Task<void> add(Log& log, Offset& end, std::size_t value_bytes) {
    EXPECT_TRUE(co_await becomes([&] { return log.check_writable().has_value(); }));
    const auto appended = append(log, make_batch({.value_bytes = value_bytes}));
    EXPECT_TRUE(appended) << appended.error().message;
    end = end + 1;
    if (below(3) == 0) {
      EXPECT_TRUE(co_await becomes([&] { return log.durable_end() == end; }));
    }
  }
  template <class Call>
  static Task<void> in_the_end(Call call) {
    for (int i = 0; i < 200; ++i) {
      if (co_await call()) co_return;
      co_await env::sleep_for(env::milliseconds{50});
    }
    ADD_FAILURE() << "never done";
  }

  Task<void> work() {
    Offset end;
    std::unique_ptr<Log> log;
    co_await in_the_end([&]() -> Task<bool> {
      auto opened = co_await directory_->open_log({"topic", 0}, test_topic_id, config_);
      if (opened) log = std::move(*opened);
      co_return opened.has_value();
    });
    if (log == nullptr) co_return;
    for (int i = 0; i < 25; ++i) co_await add(*log, end, 100 + below(900));
    EXPECT_TRUE(co_await becomes([&] { return log->durable_end() == end; }));
    co_await in_the_end([&]() -> Task<bool> {
      co_return (co_await log->advance_log_start(Offset{9})).has_value();
    });
    co_await in_the_end(
        [&]() -> Task<bool> { co_return (co_await log->truncate_to(Offset{22})).has_value(); });
    end = Offset{22};
    for (int i = 0; i < 8; ++i) co_await add(*log, end, 100 + below(900));
    EXPECT_TRUE(co_await becomes([&] { return log->durable_end() == end; }));
    EXPECT_FALSE(directory_->offline());
    EXPECT_EQ(log->log_start(), Offset{9});
    co_await expect_records(*log, end);
    disk_->set_fault_hook(nullptr);
    co_await expect_clean_close(std::move(log));
  }
};

TEST_F(EveryWriteTest, NoneTakesTheDirectoryOfflineAndNothingIsLost) {
  int nth = 0;
  int hits = 0;
  do {
    SCOPED_TRACE(nth);
    run([this, nth]() -> Task<void> {
      deny(nth, 1 + static_cast<int>(below(6)));
      co_await work();
    });
    hits = hits_;
    stop();
    start();
    run([this]() -> Task<void> {
      auto log = co_await open();
      co_await expect_records(*log, Offset{30});
      log = nullptr;
      EXPECT_TRUE(co_await directory_->remove_log({"topic", 0}, test_topic_id));
      EXPECT_TRUE(co_await directory_->close(1));
    });
    stop();
    start();
    ++nth;
  } while (hits > 0 && !HasFailure());
  EXPECT_GT(nth, 60);
}

TEST_F(EveryWriteTest, AStartThatFindsNoSpaceChangesNothingForTheNextOne) {
  std::unique_ptr<Log> log;
  run([&]() -> Task<void> {
    log = co_await open();
    Offset end;
    for (int i = 0; i < 30; ++i) co_await add(*log, end, 100 + below(900));
    EXPECT_TRUE(co_await log->flush());
  });
  disk_->cut_power();
  log = nullptr;
  stop();
  disk_->crash({.keep_page = 0, .tear_page = 0, .keep_entry = 0});
  for (int nth = 0; nth < 40; ++nth) {
    SCOPED_TRACE(nth);
    environment_ = simulation_.make_environment({.disk = disk_});
    deny(nth, 1'000'000);
    auto opened = LogDirectory::open(*environment_, root, options_);
    EXPECT_TRUE(opened) << opened.error().message;
    directory_ = std::move(*opened);
    run([this]() -> Task<void> {
      auto tried = co_await directory_->open_log({"topic", 0}, test_topic_id, config_);
      if (tried) static_cast<void>(co_await directory_->sync_recovered());
    });
    disk_->cut_power();
    stop();
    disk_->crash({.keep_page = 0.5, .tear_page = 0.2, .keep_entry = 0.5});
  }
  disk_->set_fault_hook(nullptr);
  start();
  run([this]() -> Task<void> {
    auto recovered = co_await open();
    co_await expect_records(*recovered, Offset{30});
    recovered = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

// A disk of 40 MiB, whose reserve is 2 MiB.
class ReserveTest : public FullDiskTest {
 protected:
  static constexpr std::int64_t capacity = 40 * mebibyte;
  ReserveTest()
      : FullDiskTest({.file_delete_delay_ms = 0,
                      .commit_log = {.first_file_bytes = 64 << 10, .later_file_bytes = 64 << 10},
                      .reserve_bytes = 256 * mebibyte}) {
    config_->segment_bytes = 1 * mebibyte;
    config_->file_delete_delay_ms = 0;
    disk_->set_capacity(capacity);
  }
  // Appends until it is refused.
  Task<Error> fill(Log& log) {
    for (;;) {
      const auto appended = append(log, make_batch({.value_bytes = 50'000}));
      if (!appended) co_return appended.error();
      EXPECT_TRUE(co_await log.flush());
    }
  }
  [[nodiscard]] std::int64_t usable() const { return disk_->space(root)->usable_bytes; }
  [[nodiscard]] std::int64_t ballast() const {
    return disk_->file_size(join_path(root, ballast_name)).value_or(0);
  }
  void take_all() {
    auto file = *disk_->open("/other", env::OpenMode::create);
    static_cast<void>(file->write_at(Bytes(static_cast<std::size_t>(capacity)), 0));
    EXPECT_EQ(usable(), 0);
  }
};

TEST_F(ReserveTest, ClientsAreRefusedBeforeItAndTheBrokerItselfLater) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    const Error refused = co_await fill(*log);
    EXPECT_EQ(refused.code, ErrorCode::kafka_storage_error);
    EXPECT_GE(usable() + ballast(), 2 * mebibyte - 100'000);
    EXPECT_LE(usable() + ballast(), 2 * mebibyte + 400'000);
    EXPECT_TRUE(co_await becomes([this] { return ballast() == mebibyte / 2; }));
    EXPECT_FALSE(directory_->offline());
    EXPECT_TRUE(log->check_writable());
    EXPECT_TRUE(append(*log, make_batch(), {.from_coordinator = true}));
    EXPECT_TRUE(co_await log->flush());
    for (int i = 0; i < 5; ++i) {
      co_await fill(*log);
      co_await env::sleep_for(env::milliseconds{500});
    }
    EXPECT_FALSE(append(*log, make_batch()));
    EXPECT_TRUE((co_await directory_->status()).full);
    // The oldest half goes: there is space by itself.
    const Offset half{log->log_end().value() / 2};
    EXPECT_TRUE(co_await log->advance_log_start(half));
    EXPECT_TRUE(co_await becomes([&] { return append(*log, make_batch()).has_value(); }));
    EXPECT_FALSE((co_await directory_->status()).full);
    EXPECT_TRUE(co_await log->flush());
    co_await expect_clean_close(std::move(log));
  });
}

TEST_F(ReserveTest, WhenSomethingElseTakesAllTheBallastLetsDeletingAndRestartingWork) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    co_await fill(*log);
    EXPECT_TRUE(co_await becomes([this] { return ballast() == mebibyte / 2; }));
    take_all();
    EXPECT_TRUE(co_await becomes([this] { return ballast() == 0; }));
    EXPECT_GT(usable(), 0);
    EXPECT_FALSE(append(*log, make_batch()));
    EXPECT_TRUE(co_await log->advance_log_start(Offset{log->log_end().value() / 2}));
    EXPECT_TRUE(co_await becomes([&] { return append(*log, make_batch()).has_value(); }));
    EXPECT_TRUE(co_await log->flush());
    co_await expect_clean_close(std::move(log));
  });
}

TEST_F(ReserveTest, AnUncleanStartFindsTheBallast) {
  std::unique_ptr<Log> log;
  run([&]() -> Task<void> {
    log = co_await open();
    co_await fill(*log);
    EXPECT_TRUE(co_await becomes([this] { return ballast() == mebibyte / 2; }));
  });
  const Offset end = log->durable_end();
  disk_->cut_power();
  log = nullptr;
  stop();
  disk_->crash({.keep_page = 1, .tear_page = 0, .keep_entry = 1});
  take_all();
  start();
  run([this, end]() -> Task<void> {
    EXPECT_EQ(ballast(), 0);
    auto reopened = co_await open();
    EXPECT_GE(reopened->log_end(), end);
    EXPECT_TRUE(co_await reopened->advance_log_start(Offset{end.value() / 2}));
    EXPECT_TRUE(co_await becomes([&] { return append(*reopened, make_batch()).has_value(); }));
    EXPECT_TRUE(co_await reopened->flush());
    co_await expect_clean_close(std::move(reopened));
  });
}

}  // namespace
}  // namespace arus::storage
