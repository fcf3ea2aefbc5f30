#include "base/writer.h"

#include <gtest/gtest.h>

#include "base/reader.h"

namespace arus {
namespace {

TEST(Writer, WhatIsWrittenIsReadAgainHoweverMuchItIs) {
  for (const std::size_t expected_bytes : {0, 1, 100, 100'000}) {
    Writer out(expected_bytes);
    EXPECT_EQ(out.size(), 0U);
    for (int i = 0; i < 1'000; ++i) {
      out.i8(static_cast<std::int8_t>(i));
      out.i16(static_cast<std::int16_t>(i));
      out.i32(-i);
      out.i64(i * 1'000'000'007LL);
      out.uvarint(static_cast<std::uint64_t>(i) * 31);
      out.bytes({});
      out.text(std::string(static_cast<std::size_t>(i % 90), 'x'));
    }
    const std::size_t size = out.size();
    const Bytes bytes = out.take_bytes();
    EXPECT_EQ(bytes.size(), size);
    EXPECT_EQ(out.size(), 0U);
    Reader in(bytes);
    for (int i = 0; i < 1'000; ++i) {
      EXPECT_EQ(in.i8(), static_cast<std::int8_t>(i));
      EXPECT_EQ(in.i16(), i);
      EXPECT_EQ(in.i32(), -i);
      EXPECT_EQ(in.i64(), i * 1'000'000'007LL);
      EXPECT_EQ(in.uvarint(), static_cast<std::uint32_t>(i) * 31);
      EXPECT_EQ(in.text(static_cast<std::size_t>(i % 90)),
                std::string(static_cast<std::size_t>(i % 90), 'x'));
    }
    EXPECT_TRUE(in.at_end());
  }
}

// A number, a large slice twice, and a number again.
Writer mixed(const Slice& large) {
  Writer out;
  out.i32(1);
  out.share(large);
  out.share(large);
  out.i32(2);
  return out;
}

TEST(Writer, LargeSlicesAreSharedAndStandWhereTheyWerePut) {
  const Slice large(Bytes(Writer::share_from_bytes, 7));
  Writer out = mixed(large);
  EXPECT_EQ(out.size(), 8 + 2 * large.size());
  const Chain chain = out.take_chain();
  ASSERT_EQ(chain.size(), 4U);
  EXPECT_EQ(chain[1].data(), large.data());
  EXPECT_EQ(chain[2].data(), large.data());
  EXPECT_EQ(load_big<std::int32_t>(chain[0].data()), 1);
  EXPECT_EQ(load_big<std::int32_t>(chain[3].data()), 2);
  EXPECT_EQ(out.size(), 0U);
  EXPECT_TRUE(out.take_chain().empty());
}

TEST(Writer, AFrameIsTheSameBehindItsLength) {
  const Slice large(Bytes(Writer::share_from_bytes, 7));
  const Bytes plain = mixed(large).take_bytes();
  const Chain frame = mixed(large).take_frame();
  EXPECT_EQ(frame[1].data(), large.data());
  const Bytes bytes = flatten(frame);
  ASSERT_EQ(bytes.size(), 4 + plain.size());
  EXPECT_EQ(load_big<std::int32_t>(bytes.data()), static_cast<std::int32_t>(plain.size()));
  EXPECT_TRUE(equal(ByteView(bytes).subspan(4), plain));

  Writer first;
  first.share(large);
  const Bytes begins = flatten(first.take_frame());
  EXPECT_EQ(load_big<std::int32_t>(begins.data()), static_cast<std::int32_t>(large.size()));
  EXPECT_EQ(begins.size(), 4 + large.size());
  EXPECT_EQ(flatten(Writer().take_frame()), Bytes(4, 0));
}

// NOLINTBEGIN(bugprone-use-after-move): that is what it is about.
TEST(Writer, OneThatWasMovedFromIsEmpty) {
  Writer out;
  out.i32(5);
  Writer other(std::move(out));
  out.i16(9);
  EXPECT_EQ(out.size(), 2U);
  Writer third;
  third.i64(1);
  third = std::move(other);
  other.u8(3);
  EXPECT_EQ(third.take_bytes(), (Bytes{0, 0, 0, 5}));
  EXPECT_EQ(other.take_bytes(), Bytes{3});
  EXPECT_EQ(out.take_bytes(), (Bytes{0, 9}));
}
// NOLINTEND(bugprone-use-after-move)

}  // namespace
}  // namespace arus
