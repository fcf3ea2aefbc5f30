#include "record/recompress.h"

#include <gtest/gtest.h>

#include "record/golden_batches.h"
#include "record/record.h"

namespace arus::record {
namespace {

BatchView parsed(const Bytes& bytes) {
  auto batch = BatchView::parse(bytes);
  EXPECT_TRUE(batch);
  return *batch;
}

TEST(Recompress, ChangesTheCodecAndNothingElse) {
  CodecScratch scratch;
  const auto golden = golden_batch("transactional, zstd");
  const BatchView before = parsed(golden.bytes);
  for (int codec = 0; codec <= 4; ++codec) {
    const auto compression = static_cast<Compression>(codec);
    const auto bytes =
        recompress(scratch, before, {.compression = compression, .max_batch_bytes = 100000});
    ASSERT_TRUE(bytes) << bytes.error().message;
    const BatchView after = parsed(*bytes);
    EXPECT_TRUE(after.crc_matches());
    EXPECT_EQ(after.compression(), compression);
    EXPECT_EQ(after.base_offset(), before.base_offset());
    EXPECT_EQ(after.leader_epoch(), before.leader_epoch());
    EXPECT_EQ(after.producer_id(), before.producer_id());
    EXPECT_EQ(after.base_sequence(), before.base_sequence());
    EXPECT_TRUE(after.is_transactional());
    RecordReader expected{before, scratch};
    RecordReader actual{after, scratch};
    while (const auto record = expected.next()) {
      const auto same = actual.next();
      ASSERT_TRUE(same);
      EXPECT_EQ(same->offset, record->offset);
      EXPECT_EQ(same->timestamp_ms, record->timestamp_ms);
      EXPECT_TRUE(equal(same->header_bytes, record->header_bytes));
    }
    EXPECT_FALSE(actual.next());
    EXPECT_TRUE(actual.status());
  }
}

TEST(Recompress, StopsAtEitherLimit) {
  CodecScratch scratch;
  const auto golden = golden_batch("sixty records, zstd");
  const BatchView batch = parsed(golden.bytes);
  const auto too_large =
      recompress(scratch, batch, {.compression = Compression::none, .max_batch_bytes = 700});
  ASSERT_FALSE(too_large);
  EXPECT_EQ(too_large.error().code, ErrorCode::message_too_large);
  const auto bomb = recompress(scratch, batch,
                               {.compression = Compression::gzip,
                                .max_batch_bytes = 100000,
                                .limits = {.output_bytes = 700}});
  ASSERT_FALSE(bomb);
  EXPECT_EQ(bomb.error().code, ErrorCode::message_too_large);
}

TEST(Recompress, RefusesOlderFormats) {
  CodecScratch scratch;
  const auto golden = golden_batch("message set of magic 1, gzip");
  EXPECT_FALSE(recompress(scratch, parsed(golden.bytes), {.max_batch_bytes = 100000}));
}

}  // namespace
}  // namespace arus::record
