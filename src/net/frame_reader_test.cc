#include "net/frame_reader.h"

#include <gtest/gtest.h>

#include "base/endian.h"
#include "net/limits.h"

namespace arus::net {
namespace {

constexpr std::int32_t limit = 1 << 20;

Bytes frame_of(std::size_t size, std::uint8_t fill) {
  Bytes bytes(4 + size, fill);
  store_big(bytes.data(), static_cast<std::int32_t>(size));
  return bytes;
}

// Gives the stream to the reader as the connection does, at most `step` bytes at a time.
Result<std::vector<Slice>> read_all(FrameReader& reader, const Bytes& stream, std::size_t step) {
  std::vector<Slice> frames;
  std::size_t at = 0;
  while (at < stream.size()) {
    const MutableByteView direct = reader.direct_target();
    if (!direct.empty()) {
      const std::size_t count = std::min({direct.size(), step, stream.size() - at});
      std::memcpy(direct.data(), stream.data() + at, count);
      reader.filled(count, frames);
      at += count;
      continue;
    }
    const std::size_t count = std::min({step, stream.size() - at, reader.read_ahead_bytes()});
    ARUS_TRY(reader.feed({stream.data() + at, count}, frames));
    at += count;
  }
  return frames;
}

TEST(FrameReader, OneReadGivesSeveralFrames) {
  Bytes stream;
  for (std::uint8_t i = 1; i <= 5; ++i) {
    const Bytes frame = frame_of(10U * i, i);
    stream.insert(stream.end(), frame.begin(), frame.end());
  }
  FrameReader reader(limit);
  const auto frames = read_all(reader, stream, stream.size());
  ASSERT_TRUE(frames);
  ASSERT_EQ(frames->size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ((*frames)[i].size(), 10 * (i + 1));
    EXPECT_EQ((*frames)[i].data()[0], i + 1);
  }
}

TEST(FrameReader, AnyCutOfTheStreamGivesTheSameFrames) {
  Bytes stream;
  for (const std::size_t size : {8UL, 9UL, 70'000UL, 300'000UL, 12UL, 1'000'000UL}) {
    const Bytes frame = frame_of(size, static_cast<std::uint8_t>(size));
    stream.insert(stream.end(), frame.begin(), frame.end());
  }
  for (const std::size_t step : {1UL, 3UL, 1000UL, 65536UL, 5'000'000UL}) {
    FrameReader reader(limit);
    const auto frames = read_all(reader, stream, step);
    ASSERT_TRUE(frames);
    ASSERT_EQ(frames->size(), 6U) << step;
    EXPECT_EQ((*frames)[3].size(), 300'000U);
    EXPECT_EQ((*frames)[5].data()[999'999], static_cast<std::uint8_t>(1'000'000));
    EXPECT_FALSE(reader.in_frame());
  }
}

TEST(FrameReader, LengthsThatAreNoRequestEndTheStream) {
  for (const std::int32_t claimed : {-1, 0, 3, 7, limit + 1, INT32_MAX, INT32_MIN}) {
    Bytes stream(4);
    store_big(stream.data(), claimed);
    FrameReader reader(limit);
    std::vector<Slice> frames;
    EXPECT_FALSE(reader.feed(stream, frames)) << claimed;
    EXPECT_TRUE(frames.empty());
  }
}

TEST(FrameReader, ATlsHelloOrHttpRequestIsNoFrame) {
  FrameReader tls(104857600);
  FrameReader http(104857600);
  std::vector<Slice> frames;
  const std::uint8_t hello[] = {0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01};
  EXPECT_FALSE(tls.feed(hello, frames));
  EXPECT_FALSE(http.feed(as_bytes("GET / HTTP/1.1\r\n\r\n"), frames));
}

TEST(FrameReader, AClaimIsOnlyBelievedAsBytesArrive) {
  FrameReader reader(104857600);
  Bytes stream(5);
  store_big(stream.data(), std::int32_t{100 << 20});
  std::vector<Slice> frames;
  ASSERT_TRUE(reader.feed(stream, frames));
  EXPECT_EQ(reader.partial_bytes(), 1U);
  EXPECT_LE(reader.direct_target().size(), unproven_frame_bytes);
}

TEST(FrameReader, WhoCompletedALargeFrameIsBelievedUpToThat) {
  FrameReader reader(limit);
  ASSERT_TRUE(read_all(reader, frame_of(900'000, 1), 65536));
  Bytes start(5);
  store_big(start.data(), std::int32_t{800'000});
  std::vector<Slice> frames;
  ASSERT_TRUE(reader.feed(start, frames));
  EXPECT_EQ(reader.direct_target().size(), 799'999U);
}

}  // namespace
}  // namespace arus::net
