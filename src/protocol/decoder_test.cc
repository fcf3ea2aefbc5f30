#include "protocol/decoder.h"

#include "base/writer.h"
#include "protocol/encoder.h"

namespace arus::protocol {
namespace {

Bytes bytes_of(std::initializer_list<int> values) {
  Bytes bytes;
  for (const int value : values) bytes.push_back(static_cast<std::uint8_t>(value));
  return bytes;
}

// What a decoder says of bytes that `read` reads.
template <class Read>
std::string problem_of(const Bytes& bytes, bool flexible, const Read& read) {
  Decoder in{ByteView(bytes)};
  in.set_flexible(flexible);
  read(in);
  return in.ok() ? "" : in.problem();
}

template <class T>
auto reading() {
  return [](Decoder& in) {
    T value;
    in.read(value);
  };
}

TEST(Decoder, TextIsReadInBothEncodings) {
  std::string text;
  const Bytes old = bytes_of({0, 2, 'h', 'i'});
  Decoder in{ByteView(old)};
  in.read(text);
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(text, "hi");

  const Bytes compact = bytes_of({3, 'h', 'o'});
  Decoder flexible{ByteView(compact)};
  flexible.set_flexible(true);
  flexible.read(text);
  EXPECT_TRUE(flexible.at_end());
  EXPECT_EQ(text, "ho");
}

TEST(Decoder, NullIsRefusedWhereItIsNotAllowed) {
  const std::string refused = "null where it is not allowed";
  EXPECT_EQ(problem_of(bytes_of({0xff, 0xff}), false, reading<std::string>()), refused);
  EXPECT_EQ(problem_of(bytes_of({0}), true, reading<std::string>()), refused);
  EXPECT_EQ(problem_of(bytes_of({0}), true, reading<Slice>()), refused);
  EXPECT_EQ(problem_of(bytes_of({0}), true, reading<std::vector<std::int32_t>>()), refused);
  EXPECT_EQ(problem_of(bytes_of({0xff}), true, [](Decoder& in) { in.present(false); }), refused);
  std::optional<std::string> text = "before";
  EXPECT_EQ(problem_of(bytes_of({0}), true, [&](Decoder& in) { in.read(text, true); }), "");
  EXPECT_FALSE(text);
}

TEST(Decoder, NegativeAndTooLongLengthsFail) {
  const std::string refused = "a length or count exceeds what is left";
  EXPECT_EQ(problem_of(bytes_of({0xff, 0xfe}), false, reading<std::string>()), refused);
  EXPECT_EQ(problem_of(bytes_of({0, 3, 'a', 'b'}), false, reading<std::string>()), refused);
  EXPECT_EQ(problem_of(bytes_of({0x7f, 0xff, 0xff, 0xff, 1}), false, reading<Slice>()), refused);
  EXPECT_EQ(problem_of(bytes_of({0xff, 0xff, 0xff, 0xfe}), false, reading<Slice>()), refused);
  EXPECT_EQ(problem_of(bytes_of({0xff, 0xff, 0xff, 0xff, 0x0f}), true, reading<Slice>()), refused);
}

TEST(Decoder, OverlongNumbersFail) {
  EXPECT_NE(problem_of(bytes_of({0x80, 0x80, 0x80, 0x80, 0x80, 0x01}), true, reading<Slice>()), "");
  EXPECT_NE(problem_of(bytes_of({0xff, 0xff, 0xff, 0xff, 0x1f}), true, reading<Slice>()), "");
}

TEST(Decoder, TextThatIsNotUtf8Fails) {
  EXPECT_EQ(problem_of(bytes_of({0, 1, 0xff}), false, reading<std::string>()),
            "a text is not UTF-8");
}

TEST(Decoder, TextBeyondTheOldLimitFailsInTheCompactEncodingToo) {
  Writer out;
  out.uvarint(max_text_bytes + 2);
  out.text(std::string(max_text_bytes + 1, 'x'));
  EXPECT_EQ(problem_of(out.take_bytes(), true, reading<std::string>()),
            "a text is longer than 32767 bytes");
}

TEST(Decoder, ACountIsHeldAgainstTheBytesThatItsElementsNeed) {
  Bytes bytes = bytes_of({0, 0, 0, 3});
  bytes.resize(4 + 11);  // three numbers of four bytes need twelve
  EXPECT_NE(problem_of(bytes, false, reading<std::vector<std::int32_t>>()), "");
  bytes.resize(4 + 12);
  EXPECT_EQ(problem_of(bytes, false, reading<std::vector<std::int32_t>>()), "");
}

TEST(Decoder, ArraysThatUnfoldToTooMuchMemoryFailBeforeTheyTakeIt) {
  // A megabyte of elements that take a byte each here and a kilobyte in memory.
  const Bytes bytes(1 << 20, 0);
  Decoder in{ByteView(bytes)};
  EXPECT_EQ(in.count(1, 1024, false), 0);  // the count is the first four bytes: none
  Writer out;
  out.i32(1 << 20);
  out.bytes(bytes);
  const Bytes large = out.take_bytes();
  Decoder hostile{ByteView(large)};
  EXPECT_EQ(hostile.count(1, 1024, false), 0);
  EXPECT_STREQ(hostile.problem(), "it unfolds to too much memory");
  Decoder honest{ByteView(large)};
  EXPECT_EQ(honest.count(1, 32, false), 1 << 20);
}

TEST(Decoder, TheMemoryOfAMessageIsCountedOverAllItsArrays) {
  Writer out;
  for (int i = 0; i < 3; ++i) out.i32(1000);
  out.bytes(Bytes(4000, 0));
  const Bytes bytes = out.take_bytes();
  Decoder in{ByteView(bytes)};
  // Each alone would do: 64 bytes for each of about 4000.
  EXPECT_EQ(in.count(1, 120, false), 1000);
  EXPECT_EQ(in.count(1, 120, false), 1000);
  EXPECT_EQ(in.count(1, 120, false), 0);
  EXPECT_FALSE(in.ok());
}

TEST(Decoder, SharedBytesPointIntoTheBodyAndOthersDoNot) {
  const Slice body(bytes_of({2, 'x', 2, 'y'}));
  Decoder in{body};
  in.set_flexible(true);
  Slice shared;
  Slice copied;
  in.share(shared);
  in.read(copied);
  ASSERT_TRUE(in.at_end());
  EXPECT_EQ(shared.data(), body.data() + 1);
  EXPECT_NE(copied.data(), body.data() + 3);
  EXPECT_EQ(as_text(copied.view()), "y");
}

// Tags.

std::string problem_of_tags(std::initializer_list<int> bytes) {
  return problem_of(bytes_of(bytes), true, [](Decoder& in) {
    UnknownTags tags;
    in.read_tags(tags);
  });
}

TEST(Tags, UnknownOnesAreKeptAndWrittenAgain) {
  const Bytes bytes = bytes_of({2, 5, 1, 'a', 200, 1, 2, 'b', 'c'});
  Decoder in{ByteView(bytes)};
  UnknownTags tags;
  in.read_tags(tags);
  ASSERT_TRUE(in.at_end());
  ASSERT_EQ(tags.size(), 2U);
  EXPECT_EQ(tags[0].tag, 5U);
  EXPECT_EQ(tags[1].tag, 200U);
  Writer out;
  Encoder(out, true).put_tags(tags);
  EXPECT_EQ(out.take_bytes(), bytes);
  const UnknownTags copy = tags;
  EXPECT_EQ(copy, tags);
  tags.clear();
  EXPECT_EQ(copy.size(), 2U);
}

TEST(Tags, DamagedOnesFail) {
  EXPECT_EQ(problem_of_tags({2, 5, 0, 5, 0}), "tags are out of order");
  EXPECT_EQ(problem_of_tags({2, 5, 0, 4, 0}), "tags are out of order");
  EXPECT_EQ(problem_of_tags({1, 5, 2, 'a'}), "a length or count exceeds what is left");
  EXPECT_EQ(problem_of_tags({0xff, 0xff, 0xff, 0xff, 0x0f, 1, 0}),
            "a length or count exceeds what is left");
  EXPECT_NE(problem_of_tags({2, 5, 0}), "");
}

TEST(Tags, AKnownTagOfAnotherSizeThanItSaysFails) {
  for (const int size : {3, 5}) {
    const Bytes bytes = bytes_of({1, 0, size, 0, 0, 0, 1, 0});
    Decoder in{ByteView(bytes)};
    UnknownTags unknown;
    TagReader tags(in, unknown);
    while (tags.next()) {
      std::int32_t value;
      in.read(value);
      tags.taken();
    }
    EXPECT_FALSE(in.ok()) << size;
    EXPECT_STREQ(in.problem(), "a tag has another size than it says");
  }
}

}  // namespace
}  // namespace arus::protocol
