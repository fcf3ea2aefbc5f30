#include <gtest/gtest.h>

#include <fstream>

#include "record/batch.h"
#include "storage/log_testing.h"

namespace arus::storage {
namespace {

using env::Task;

Bytes file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

// A log in a directory on the machine's own disk.
class LogTest : public testing::Test {
 protected:
  template <class Body>
  void run(Body body) {
    env::run_until_done(*environment_, body());
  }
  void open_directory() {
    auto opened = LogDirectory::open(*environment_, folder_.path());
    ASSERT_TRUE(opened) << opened.error().message;
    directory_ = std::move(*opened);
  }
  Task<std::unique_ptr<Log>> open(std::shared_ptr<config::TopicConfig> config = test_config()) {
    auto log = co_await directory_->open_log({"topic", 0}, test_topic_id, std::move(config));
    EXPECT_TRUE(log) << log.error().message;
    co_return std::move(*log);
  }
  Task<Bytes> read_all(Log& log, Offset from, std::int32_t max_bytes = 1 << 20) {
    Bytes all;
    while (from < log.written_end()) {
      auto fetched = co_await log.read(from, {.end = log.written_end(), .max_bytes = max_bytes});
      EXPECT_TRUE(fetched) << fetched.error().message;
      if (!fetched || fetched->size_bytes == 0) break;
      const Bytes bytes = flatten(fetched->records);
      record::BatchReader reader(bytes);
      while (const auto batch = reader.next()) from = batch->next_offset();
      all.insert(all.end(), bytes.begin(), bytes.end());
    }
    co_return all;
  }

  TemporaryFolder folder_;
  std::unique_ptr<env::RealEnvironment> environment_ = env::make_real_environment({});
  std::unique_ptr<LogDirectory> directory_;
};

TEST_F(LogTest, AppendedBatchesAreDurableAfterAFlushAndReadBack) {
  open_directory();
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 10; ++i) {
      const auto appended = append(*log, make_batch({.records = 3}));
      EXPECT_TRUE(appended);
      EXPECT_EQ(appended->base_offset, Offset{3 * i});
      EXPECT_EQ(appended->last_offset, Offset{3 * i + 2});
    }
    EXPECT_EQ(log->log_end(), Offset{30});
    EXPECT_EQ(log->durable_end(), Offset{0});
    EXPECT_TRUE(co_await log->flush());
    EXPECT_EQ(log->durable_end(), Offset{30});
    EXPECT_EQ(log->written_end(), Offset{30});
    const Bytes all = co_await read_all(*log, Offset{0});
    EXPECT_EQ(all, file_bytes(folder_ / "topic-0/00000000000000000000.log"));
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(5));
  });
}

}  // namespace
}  // namespace arus::storage
