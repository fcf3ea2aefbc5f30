#include "record/compression.h"

#include <gtest/gtest.h>
#include <lz4frame.h>
#include <snappy.h>
#include <zstd.h>

#include "base/endian.h"
#include "record/joined_testing.h"

namespace arus::record {
namespace {

constexpr Compression codecs[] = {Compression::none, Compression::gzip, Compression::snappy,
                                  Compression::lz4, Compression::zstd};

// Bytes that compress a little: noise with repetitions from near and far.
Bytes mixed(std::size_t size, std::uint32_t seed = 1) {
  Bytes bytes;
  bytes.reserve(size + 400);
  std::uint32_t state = seed;
  const auto random = [&state] { return state = state * 1664525U + 1013904223U, state >> 8; };
  while (bytes.size() < size) {
    const std::size_t length = 1 + random() % 300;
    if (bytes.size() > 1000 && random() % 3 != 0) {
      const std::size_t back = 1 + random() % (random() % 2 != 0 ? 50 : bytes.size());
      for (std::size_t i = 0; i < length; ++i) bytes.push_back(bytes[bytes.size() - back]);
    } else {
      for (std::size_t i = 0; i < length; ++i) {
        bytes.push_back(static_cast<std::uint8_t>(random()));
      }
    }
  }
  bytes.resize(size);
  return bytes;
}

Bytes compressed(Compression compression, ByteView plain,
                 std::optional<std::int32_t> level = std::nullopt) {
  CodecScratch scratch;
  Bytes out;
  Compressor compressor{scratch, compression, out, level};
  compressor.write(plain);
  compressor.finish();
  return out;
}

// In steps of this many bytes.
Result<Bytes> read_in_steps(Compression compression, ByteView bytes, std::size_t step,
                            DecompressionLimits limits = {}) {
  CodecScratch scratch;
  Decompressor decompressor{scratch, compression, bytes, limits};
  Bytes plain;
  Bytes piece(step);
  for (;;) {
    auto count = decompressor.read(piece);
    if (!count) return fail(count.error());
    if (*count == 0) return plain;
    plain.insert(plain.end(), piece.begin(), piece.begin() + static_cast<long>(*count));
  }
}

ErrorCode error_of(const Result<Bytes>& result) {
  return result ? ErrorCode::none : result.error().code;
}

Bytes raw_snappy(ByteView plain) {
  std::string out;
  snappy::Compress(as_text(plain).data(), plain.size(), &out);
  const ByteView view = as_bytes(out);
  return {view.begin(), view.end()};
}

TEST(Compression, EveryCodecReturnsWhatItWasGiven) {
  for (const Compression codec : codecs) {
    for (const std::size_t size : {0U, 1U, 100U, 32767U, 32768U, 32769U, 65537U, 1000000U}) {
      SCOPED_TRACE(std::string(compression_name(codec)) + " " + std::to_string(size));
      const Bytes plain = mixed(size);
      const Bytes bytes = compressed(codec, plain);
      for (const std::size_t step : {1U, 7U, 4096U, 65536U, 2000000U}) {
        if (size > 100000 && step < 100) continue;
        auto read = read_in_steps(codec, bytes, step);
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(*read, plain);
      }
    }
  }
}

TEST(Compression, WritingInPiecesGivesTheSamePlainBytes) {
  const Bytes plain = mixed(300000);
  for (const Compression codec : codecs) {
    CodecScratch scratch;
    Bytes out = {9, 9};  // what stands there already is kept
    {
      Compressor compressor{scratch, codec, out};
      for (std::size_t at = 0; at < plain.size(); at += 7777) {
        compressor.write(
            ByteView{plain}.subspan(at, std::min<std::size_t>(7777, plain.size() - at)));
      }
      compressor.finish();
    }
    auto read = decompress(scratch, codec, ByteView{out}.subspan(2));
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, plain) << compression_name(codec);
  }
}

TEST(Compression, LevelsAreTakenAndBroughtIntoRange) {
  const Bytes plain = mixed(200000);
  CodecScratch scratch;
  for (const Compression codec : {Compression::gzip, Compression::lz4, Compression::zstd}) {
    for (const std::int32_t level : {-200000, -131072, -5, -1, 1, 2, 3, 9, 12, 17, 19, 999}) {
      if (codec == Compression::zstd && level > 19) continue;  // costs hundreds of megabytes
      Bytes out;
      Compressor compressor{scratch, codec, out, level, plain.size()};
      compressor.write(plain);
      compressor.finish();
      auto read = decompress(scratch, codec, out);
      ASSERT_TRUE(read) << compression_name(codec) << level;
      EXPECT_EQ(*read, plain) << compression_name(codec) << level;
    }
  }
  EXPECT_LT(compressed(Compression::gzip, plain, 9).size(),
            compressed(Compression::gzip, plain, 1).size());
  EXPECT_LT(compressed(Compression::lz4, plain, 12).size(),
            compressed(Compression::lz4, plain, 9).size());  // 9 is the fast mode
}

TEST(Compression, NamesAreThoseOfConfigs) {
  for (const Compression codec : codecs) {
    EXPECT_EQ(parse_compression(compression_name(codec)), codec);
  }
  EXPECT_EQ(parse_compression("uncompressed"), Compression::none);
  EXPECT_FALSE(parse_compression("producer"));
  EXPECT_FALSE(is_known(static_cast<Compression>(5)));
  EXPECT_FALSE(is_known(static_cast<Compression>(-1)));
}

TEST(Compression, AScratchServesSeveralStreamsAtOnceAndAfterErrors) {
  CodecScratch scratch;
  const Bytes plain = mixed(50000);
  for (const Compression codec : codecs) {
    const Bytes bytes = compressed(codec, plain);
    for (int round = 0; round < 3; ++round) {
      Decompressor first{scratch, codec, bytes};
      Decompressor second{scratch, codec, bytes};
      Bytes one(100);
      Bytes two(100);
      ASSERT_TRUE(first.read(one) && second.read(two));
      EXPECT_EQ(one, two);
      EXPECT_FALSE(codec != Compression::none &&
                   decompress(scratch, codec, as_bytes("\x01nonsense and more of it")));
    }
    EXPECT_EQ(decompress(scratch, codec, bytes).value_or(Bytes{}), plain);
  }
}

TEST(Compression, EveryTruncationIsAnErrorOrShort) {
  const Bytes plain = mixed(3000);
  for (const Compression codec : codecs) {
    const Bytes bytes = compressed(codec, plain);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const Bytes part{bytes.begin(), bytes.begin() + static_cast<long>(size)};
      const auto read = read_in_steps(codec, part, 512);
      if (codec == Compression::none || codec == Compression::snappy) {
        // Neither says how much there is; a snappy frame may end after any block.
        EXPECT_TRUE(!read || read->size() < plain.size());
      } else {
        EXPECT_EQ(error_of(read), ErrorCode::corrupt_message)
            << compression_name(codec) << " " << size;
      }
    }
  }
}

TEST(Compression, FlippedBitsNeverReadBeyondTheLimit) {
  const Bytes plain = mixed(2000);
  for (const Compression codec : codecs) {
    const Bytes bytes = compressed(codec, plain);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      for (int bit = 0; bit < 8; ++bit) {
        Bytes damaged = bytes;
        damaged[i] = static_cast<std::uint8_t>(damaged[i] ^ (1 << bit));
        const auto read = read_in_steps(codec, damaged, 4096, {.output_bytes = 100000});
        if (read) {
          EXPECT_LE(read->size(), 100000U);
        } else {
          EXPECT_TRUE(error_of(read) == ErrorCode::corrupt_message ||
                      error_of(read) == ErrorCode::message_too_large);
        }
      }
    }
  }
}

TEST(Compression, BombsEndAtTheOutputLimit) {
  const Bytes zeros(std::size_t{16} << 20, 0);
  for (const Compression codec : codecs) {
    const Bytes bytes = compressed(codec, zeros);
    EXPECT_EQ(error_of(read_in_steps(codec, bytes, 32768, {.output_bytes = 1 << 20})),
              ErrorCode::message_too_large);
    CodecScratch scratch;
    EXPECT_EQ(error_of(decompress(scratch, codec, bytes, {.output_bytes = 1 << 20})),
              ErrorCode::message_too_large);
    EXPECT_TRUE(decompress(scratch, codec, bytes, {.output_bytes = zeros.size()}));
  }
}

TEST(Compression, AFailedStreamRepeatsItsError) {
  CodecScratch scratch;
  Decompressor decompressor{scratch, static_cast<Compression>(6), {}};
  Bytes into(10);
  EXPECT_EQ(decompressor.read(into).error().code, ErrorCode::invalid_record);
  EXPECT_EQ(decompressor.read(into).error().code, ErrorCode::invalid_record);
}

TEST(Gzip, MembersFollowEachOtherAndOtherBytesBehindThemAreIgnored) {
  const Bytes first = mixed(1000, 1);
  const Bytes second = mixed(2000, 2);
  const Bytes both =
      joined({compressed(Compression::gzip, first), compressed(Compression::gzip, second)});
  EXPECT_EQ(read_in_steps(Compression::gzip, both, 333).value_or(Bytes{}), joined({first, second}));
  EXPECT_EQ(
      read_in_steps(Compression::gzip, joined({both, Bytes{1, 2, 3, 4}}), 333).value_or(Bytes{}),
      joined({first, second}));
}

TEST(Zstd, FramesFollowEachOtherAndOtherBytesBehindThemAreDamage) {
  const Bytes first = mixed(1000, 1);
  const Bytes second = mixed(2000, 2);
  const Bytes both =
      joined({compressed(Compression::zstd, first), compressed(Compression::zstd, second)});
  EXPECT_EQ(read_in_steps(Compression::zstd, both, 333).value_or(Bytes{}), joined({first, second}));
  EXPECT_EQ(error_of(read_in_steps(Compression::zstd, joined({both, Bytes{1, 2, 3, 4}}), 333)),
            ErrorCode::corrupt_message);
}

// A frame whose header asks for this window (RFC 8878), with one block that repeats a byte.
Bytes zstd_frame_with_window(int exponent) {
  Bytes frame = {0x28, 0xb5, 0x2f, 0xfd, 0x00, static_cast<std::uint8_t>(exponent << 3)};
  const std::uint32_t block = 1 | 1 << 1 | 1000 << 3;  // last, repeated byte, 1000 times
  for (int i = 0; i < 3; ++i) frame.push_back(static_cast<std::uint8_t>(block >> (8 * i)));
  frame.push_back('z');
  return frame;
}

TEST(Zstd, WindowsUpToTheLimitAreTakenAndAccountedFor) {
  const Bytes expected(1000, 'z');
  const Bytes largest = zstd_frame_with_window(17);  // 128 MiB
  EXPECT_EQ(read_in_steps(Compression::zstd, largest, 100).value_or(Bytes{}), expected);
  EXPECT_GE(decoder_memory_bytes(Compression::zstd, largest), max_zstd_window_bytes);
  EXPECT_EQ(error_of(read_in_steps(Compression::zstd, largest, 100, {.window_bytes = 8 << 20})),
            ErrorCode::corrupt_message);
  const Bytes small = zstd_frame_with_window(10);
  EXPECT_LT(decoder_memory_bytes(Compression::zstd, small), std::size_t{2} << 20);
  EXPECT_GE(decoder_memory_bytes(Compression::zstd, joined({small, largest})),
            max_zstd_window_bytes);
}

TEST(Zstd, AWindowOfTwoGigabytesIsRefused) {
  EXPECT_EQ(error_of(read_in_steps(Compression::zstd, zstd_frame_with_window(21), 100)),
            ErrorCode::corrupt_message);
}

Bytes lz4_frame(ByteView plain, const LZ4F_preferences_t& preferences) {
  Bytes out(LZ4F_compressFrameBound(plain.size(), &preferences));
  out.resize(LZ4F_compressFrame(out.data(), out.size(), plain.data(), plain.size(), &preferences));
  return out;
}

TEST(Lz4, EveryFrameThatClientsWriteIsRead) {
  const Bytes plain = mixed(300000);
  for (const auto block : {LZ4F_max64KB, LZ4F_max256KB, LZ4F_max1MB, LZ4F_max4MB}) {
    for (const bool extras : {false, true}) {
      LZ4F_preferences_t preferences{};
      preferences.frameInfo.blockSizeID = block;
      preferences.frameInfo.blockMode = LZ4F_blockIndependent;
      if (extras) {
        preferences.frameInfo.contentSize = plain.size();
        preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
        preferences.frameInfo.blockChecksumFlag = LZ4F_blockChecksumEnabled;
      }
      const Bytes bytes = lz4_frame(plain, preferences);
      EXPECT_EQ(read_in_steps(Compression::lz4, bytes, 1000).value_or(Bytes{}), plain);
      EXPECT_GE(decoder_memory_bytes(Compression::lz4, bytes), std::size_t{128} << 10);
      // As Java: what follows the frame is not looked at.
      EXPECT_EQ(read_in_steps(Compression::lz4, joined({bytes, bytes}), 1000).value_or(Bytes{}),
                plain);
    }
  }
}

TEST(Lz4, BlocksThatDependOnEachOtherAreRefusedAsByJava) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockMode = LZ4F_blockLinked;
  const Bytes bytes = lz4_frame(mixed(200000), preferences);
  EXPECT_EQ(error_of(read_in_steps(Compression::lz4, bytes, 1000)), ErrorCode::corrupt_message);
}

TEST(Snappy, RawBlocksOfAnySizeAreRead) {
  for (const std::size_t size : {0U, 1U, 1000U, 65536U, 65537U, 200000U, 3000000U}) {
    const Bytes plain = mixed(size);
    const Bytes bytes = raw_snappy(plain);
    for (const std::size_t step : {999U, 100000U}) {
      auto read = read_in_steps(Compression::snappy, bytes, step);
      ASSERT_TRUE(read) << size << read.error().message;
      EXPECT_EQ(*read, plain);
    }
  }
}

TEST(Snappy, ALargeBlockNeedsNoMoreThanItsCopiesReach) {
  const Bytes plain = mixed(3000000);
  const Bytes bytes = raw_snappy(plain);
  EXPECT_LE(decoder_memory_bytes(Compression::snappy, bytes), std::size_t{128} << 10);
}

// Literal bytes and then copies that reach back further than snappy's own encoder lets them.
Bytes far_reaching_block(const Bytes& literal, int copies) {
  Bytes block;
  const auto uvarint = [&](std::size_t value) {
    for (; value >= 0x80; value >>= 7) block.push_back(static_cast<std::uint8_t>(value | 0x80));
    block.push_back(static_cast<std::uint8_t>(value));
  };
  const auto little = [&](std::size_t value, int width) {
    for (int i = 0; i < width; ++i) block.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  };
  uvarint(literal.size() + static_cast<std::size_t>(copies) * 64);
  block.push_back(63 << 2);  // a literal with four bytes of length
  little(literal.size() - 1, 4);
  block.insert(block.end(), literal.begin(), literal.end());
  for (int i = 0; i < copies; ++i) {
    block.push_back(63 << 2 | 3);  // a copy of 64 bytes with four bytes of offset
    little(literal.size(), 4);
  }
  return block;
}

TEST(Snappy, CopiesFromFarBackAreReadWithinTheWindowLimit) {
  const Bytes literal = mixed(200000);
  const Bytes block = far_reaching_block(literal, 5000);
  Bytes expected = literal;
  for (int i = 0; i < 5000 * 64; ++i) expected.push_back(expected[expected.size() - 200000]);
  EXPECT_EQ(read_in_steps(Compression::snappy, block, 10000).value_or(Bytes{}), expected);
  EXPECT_EQ(error_of(read_in_steps(Compression::snappy, block, 10000, {.window_bytes = 100000})),
            ErrorCode::corrupt_message);
}

TEST(Snappy, ClaimsThatTheBlockDoesNotKeepAreDamage) {
  const Bytes huge = {0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 'x'};  // four gigabytes
  EXPECT_EQ(error_of(read_in_steps(Compression::snappy, huge, 100)), ErrorCode::corrupt_message);
  const Bytes backwards = {0x80, 0x80, 0x40, 0x00, 'x', 0x02 | 63 << 2, 0x02, 0x00};
  EXPECT_EQ(error_of(read_in_steps(Compression::snappy, backwards, 100)),
            ErrorCode::corrupt_message);
  const Bytes nowhere = {0x80, 0x80, 0x40, 0x00, 'x', 0x02 | 63 << 2, 0x00, 0x00};
  EXPECT_EQ(error_of(read_in_steps(Compression::snappy, nowhere, 100)), ErrorCode::corrupt_message);
}

TEST(Snappy, FramedStreamsMayFollowEachOther) {
  const Bytes first = mixed(50000, 1);
  const Bytes second = mixed(1000, 2);
  const Bytes both =
      joined({compressed(Compression::snappy, first), compressed(Compression::snappy, second)});
  EXPECT_EQ(read_in_steps(Compression::snappy, both, 777).value_or(Bytes{}),
            joined({first, second}));
  EXPECT_GT(decoder_memory_bytes(Compression::snappy, both), 0U);
}

TEST(Snappy, FramedBlocksWithImpossibleLengthsAreDamage) {
  for (const std::int32_t length : {-5, 0, 1000000, std::numeric_limits<std::int32_t>::max()}) {
    Bytes bytes = compressed(Compression::snappy, mixed(1000));
    store_big(bytes.data() + 16, length);
    EXPECT_EQ(error_of(read_in_steps(Compression::snappy, bytes, 100)), ErrorCode::corrupt_message);
  }
}

}  // namespace
}  // namespace arus::record
