// What may be decompressed on a loop, and what the pool does within its budget.
#include "replication/batch_work.h"

#include <gtest/gtest.h>

#include "record/builder.h"

namespace arus::replication {
namespace {

// A batch of zeros, which every codec makes small.
Slice batch_of(std::size_t value_bytes, record::Compression codec = record::Compression::zstd) {
  record::BatchBuilder builder({.compression = codec});
  const Bytes value(value_bytes, 0);
  builder.append(1'000, {}, ByteView(value));
  return Slice(builder.build());
}

TEST(BatchWork, ASmallBatchThatUnfoldsToMuchIsNotTheLoops) {
  const Slice bomb = batch_of(4U << 20);
  ASSERT_LT(bomb.size(), loop_compressed_bytes);
  EXPECT_TRUE(BatchWork::fits_loop(bomb.view()));
  record::CodecScratch scratch;
  record::BatchValidator validator(scratch);
  const auto options = BatchWork::on_loop({.now_ms = 1'000});
  EXPECT_TRUE(BatchWork::too_much_for_loop(validator.validate(bomb.view(), options), bomb.view()));
  const Slice small = batch_of(1'000);
  EXPECT_TRUE(validator.validate(small.view(), options));
}

TEST(BatchWork, ABatchWithoutCompressionThatIsTooLargeIsRefusedAtOnce) {
  const Slice plain = batch_of(10'000, record::Compression::none);
  record::CodecScratch scratch;
  record::BatchValidator validator(scratch);
  auto options = BatchWork::on_loop({.now_ms = 1'000, .max_message_bytes = 100});
  const auto outcome = validator.validate(plain.view(), options);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, ErrorCode::message_too_large);
  EXPECT_FALSE(BatchWork::too_much_for_loop(outcome, plain.view()));
}

env::Task<void> check(BatchWork* work, Slice batch, int* valid) {
  const auto outcome = co_await work->validate(std::move(batch), {.now_ms = 1'000}, "topic-0");
  *valid += outcome ? 1 : 0;
}

// A budget of one byte lets one batch at a time through, and all of them in the end.
TEST(BatchWork, BatchesBeyondTheBudgetWaitForEachOther) {
  const auto environment = env::make_real_environment({.loops = 1, .pool_threads = 2});
  int valid = 0;
  const auto all = [&]() -> env::Task<void> {
    BatchWork work(environment->pool(), 1);
    env::Gate gate;
    for (int i = 0; i < 8; ++i) env::spawn(gate, check(&work, batch_of(1U << 20), &valid));
    co_await gate.close();
  };
  env::run_until_done(*environment, all());
  EXPECT_EQ(valid, 8);
}

TEST(BatchWork, DamageIsFoundOnThePool) {
  const auto environment = env::make_real_environment({.loops = 1, .pool_threads = 1});
  Slice damaged = batch_of(1U << 20);
  damaged.mutable_view()[damaged.size() - 1] ^= 1;
  const auto outcome = env::run_until_done(*environment, [&]() -> env::Task<record::Validation> {
    BatchWork work(environment->pool(), 1U << 20);
    co_return co_await work.validate(damaged, {.now_ms = 1'000}, "topic-0");
  }());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, ErrorCode::corrupt_message);
}

}  // namespace
}  // namespace arus::replication
