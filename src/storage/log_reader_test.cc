// How a segment is read: where, in what pieces, and what of it stays in memory.
#include "storage/log_reader.h"

#include <gtest/gtest.h>

#include "env/file_range.h"
#include "storage/batch_scanner.h"
#include "storage/log_testing.h"

namespace arus::storage {
namespace {

using env::ReadMode;
using env::Residency;

constexpr int many_batches = 1'024;
constexpr std::size_t value_bytes = 4'000;

class LogReaderTest : public testing::Test {
 protected:
  void SetUp() override {
    Bytes bytes;
    record::BatchBuilder builder;
    for (int i = 0; i < many_batches; ++i) {
      builder = record::BatchBuilder({.base_offset = Offset{i}});
      builder.append(1'000, std::nullopt, ByteView(Bytes(value_bytes, 'x')));
      const Bytes batch = builder.build();
      bytes.insert(bytes.end(), batch.begin(), batch.end());
    }
    batch_bytes_ = bytes.size() / many_batches;
    auto file =
        files_.open(folder_ / segment_file_name(Offset{0}, suffix::log), env::OpenMode::create);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write_at(bytes, 0));
    ASSERT_TRUE((*file)->sync());
    segment_.folder = std::make_shared<WriterFolder>(folder_.path(), TopicPartition{"topic", 0},
                                                     test_topic_id, [](Offset, Offset) {});
    segment_.readable_bytes = static_cast<std::int64_t>(bytes.size());
    segment_.limit = Offset{many_batches};
    ASSERT_TRUE(segment_.open_log(files_, ReadMode::may_block));
  }
  Result<SegmentBatches> read(std::int32_t max_bytes, ReadMode mode) {
    return read_batches(files_, segment_,
                        {.from = Offset{0}, .end = Offset{many_batches}, .max_bytes = max_bytes},
                        mode);
  }
  Residency resident() { return env::residency(*segment_.log, 0, segment_.readable_bytes); }
  // False where the file system keeps what it has.
  bool drop() {
    segment_.log->drop_cache(0, segment_.readable_bytes);
    return resident() == Residency::none;
  }

  TemporaryFolder folder_;
  std::unique_ptr<env::RealEnvironment> environment_ = env::make_real_environment({});
  env::FileSystem& files_ = environment_->files();
  SegmentView segment_;
  std::size_t batch_bytes_ = 0;
};

TEST_F(LogReaderTest, MuchIsCopiedInPartsAlsoFromMemory) {
  for (const ReadMode mode : {ReadMode::cached_only, ReadMode::may_block}) {
    const auto little = read(300'000, mode);
    ASSERT_TRUE(little) << little.error().message;
    EXPECT_GT(little->records.size() + batch_bytes_, 300'000U);
    const auto much = read(3 << 20, mode);
    ASSERT_TRUE(much) << much.error().message;
    EXPECT_LE(much->records.size(), most_copied_bytes);
    EXPECT_GT(much->records.size() + batch_bytes_, most_copied_bytes);
    if (resident() == Residency::all) EXPECT_FALSE(much->from_disk);
  }
}

TEST_F(LogReaderTest, ABatchWithinWhatIsAskedForIsReadAlsoWhereItIsMoreThanAPart) {
  record::BatchBuilder builder;
  builder.append(1'000, std::nullopt, ByteView(Bytes(most_copied_bytes + 5'000, 'x')));
  const Bytes batch = builder.build();
  ASSERT_TRUE(
      files_.open(folder_ / segment_file_name(Offset{0}, suffix::log), env::OpenMode::read_write)
          .value()
          ->write_at(batch, 0));
  const auto size = static_cast<std::int32_t>(batch.size());
  for (const ReadMode mode : {ReadMode::cached_only, ReadMode::may_block}) {
    for (const std::int32_t max_bytes : {size, size - 1}) {
      const auto one = read_batches(files_, segment_,
                                    {.from = Offset{0},
                                     .end = Offset{many_batches},
                                     .max_bytes = max_bytes,
                                     .at_least_one_batch = false,
                                     .start = LogPosition{Offset{0}, 0},
                                     .exact = true},
                                    mode);
      ASSERT_TRUE(one) << one.error().message;
      EXPECT_EQ(one->records.size(), max_bytes == size ? batch.size() : 0);
    }
  }
}

TEST_F(LogReaderTest, OldDataIsReadByAPoolOnly) {
  if (!drop()) GTEST_SKIP() << "nothing is dropped here";
  for (const std::int32_t max_bytes : {1'000, 100'000, 3 << 20}) {
    const auto none = read(max_bytes, ReadMode::cached_only);
    ASSERT_FALSE(none);
    EXPECT_TRUE(would_block(none.error()));
    EXPECT_EQ(resident(), Residency::none) << "a loop gave the disk work";
  }
  const auto cold = read(3 << 20, ReadMode::may_block);
  ASSERT_TRUE(cold);
  EXPECT_TRUE(cold->from_disk);
  EXPECT_LE(cold->records.size(), most_copied_bytes);
  EXPECT_GT(cold->records.size() + batch_bytes_, most_copied_bytes);
  EXPECT_EQ(env::residency(*segment_.log, most_copied_bytes + 65'536,
                           segment_.readable_bytes - std::int64_t{most_copied_bytes} - 65'536),
            Residency::none);
}

TEST_F(LogReaderTest, ABatchLargerThanWhatIsAskedForIsReadWhole) {
  for (const ReadMode mode : {ReadMode::cached_only, ReadMode::may_block}) {
    for (const std::int32_t max_bytes : {0, 1, 100}) {
      const auto one = read(max_bytes, mode);
      ASSERT_TRUE(one);
      EXPECT_EQ(one->records.size(), batch_bytes_);
      const auto exact = read_batches(files_, segment_,
                                      {.from = Offset{0},
                                       .end = Offset{many_batches},
                                       .max_bytes = max_bytes,
                                       .start = LogPosition{Offset{0}, 0},
                                       .exact = true},
                                      mode);
      ASSERT_TRUE(exact);
      EXPECT_EQ(exact->records.size(), batch_bytes_);
    }
  }
}

}  // namespace
}  // namespace arus::storage
