#include "base/crc32c.h"

#include <gtest/gtest.h>

#include "base/crc32.h"

namespace arus {
namespace {

Bytes ascending(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i);
  return bytes;
}

Bytes noise(std::size_t size) {
  Bytes bytes(size);
  std::uint32_t state = 12345;
  for (auto& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::uint8_t>(state >> 24);
  }
  return bytes;
}

TEST(Crc32c, EveryMethodGivesTheVectorsOfRfc3720) {
  Bytes descending = ascending(32);
  std::reverse(descending.begin(), descending.end());
  const Bytes read_command = {0x01, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                              0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00,
                              0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00,
                              0x00, 0x18, 0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                              0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
  for (const auto& method : crc32c_methods()) {
    if (!method.available) continue;
    SCOPED_TRACE(method.name);
    EXPECT_EQ(method.compute(Bytes(32, 0), 0), 0x8a9136aaU);
    EXPECT_EQ(method.compute(Bytes(32, 0xff), 0), 0x62a8ab43U);
    EXPECT_EQ(method.compute(ascending(32), 0), 0x46dd794eU);
    EXPECT_EQ(method.compute(descending, 0), 0x113fdb5cU);
    EXPECT_EQ(method.compute(read_command, 0), 0xd9963a56U);
    EXPECT_EQ(method.compute(as_bytes("123456789"), 0), 0xe3069283U);
    EXPECT_EQ(method.compute({}, 0), 0U);
  }
}

// One bit after the other, straight from the definition.
std::uint32_t by_definition(ByteView bytes) {
  std::uint32_t crc = ~0U;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0x82f63b78U : 0U);
  }
  return ~crc;
}

TEST(Crc32c, MethodsAgreeAtEveryLengthAndAlignment) {
  const Bytes bytes = noise(40000);
  for (std::size_t size = 0; size < 1300; ++size) {
    const ByteView view{bytes.data() + size % 9, size};
    const std::uint32_t expected = by_definition(view);
    for (const auto& method : crc32c_methods()) {
      if (method.available) ASSERT_EQ(method.compute(view, 0), expected) << method.name << size;
    }
  }
  for (const std::size_t size :
       {6143U, 6144U, 6145U, 6527U, 6528U, 6529U, 12288U, 20000U, 39991U}) {
    for (std::size_t shift = 0; shift < 9; ++shift) {
      const ByteView view{bytes.data() + shift, size};
      const std::uint32_t expected = by_definition(view);
      for (const auto& method : crc32c_methods()) {
        if (method.available) ASSERT_EQ(method.compute(view, 0), expected) << method.name << size;
      }
    }
  }
}

TEST(Crc32c, SeedContinuesWhereTheFirstPartEnded) {
  const Bytes bytes = noise(20000);
  const ByteView all{bytes};
  for (const auto& method : crc32c_methods()) {
    if (!method.available) continue;
    for (const std::size_t cut : {0U, 1U, 7U, 8U, 400U, 6144U, 7000U, 19999U, 20000U}) {
      EXPECT_EQ(method.compute(all.subspan(cut), method.compute(all.first(cut), 0)), crc32c(all));
    }
  }
}

TEST(Crc32c, ChoosesAnAvailableMethod) {
  bool found = false;
  for (const auto& method : crc32c_methods()) {
    found |= method.name == crc32c_method_name() && method.available;
  }
  EXPECT_TRUE(found);
}

TEST(Crc32, GivesTheCheckValueOfGzip) {
  EXPECT_EQ(crc32(as_bytes("123456789")), 0xcbf43926U);
  EXPECT_EQ(crc32(as_bytes("56789"), crc32(as_bytes("1234"))), 0xcbf43926U);
  EXPECT_EQ(crc32({}), 0U);
}

}  // namespace
}  // namespace arus
