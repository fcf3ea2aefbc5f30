#include "base/sip_hash.h"

#include <gtest/gtest.h>

#include <cstring>

namespace arus {
namespace {

// The vectors that the authors publish: key 00 … 0f, message 00, 01, 02, …
std::array<std::uint8_t, 16> hash_of_first(std::size_t count) {
  SipKey key;
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
  Bytes message;
  for (std::size_t i = 0; i < count; ++i) message.push_back(static_cast<std::uint8_t>(i));
  const Hash128 hash = sip_hash_128(key, message);
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &hash, sizeof hash);
  return bytes;
}

TEST(SipHash, IsThePublishedOne) {
  EXPECT_EQ(hash_of_first(0),
            (std::array<std::uint8_t, 16>{0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d,
                                          0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93}));
  EXPECT_EQ(hash_of_first(1),
            (std::array<std::uint8_t, 16>{0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34,
                                          0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45}));
}

TEST(SipHash, EveryByteAndTheLengthCount) {
  EXPECT_NE(hash_of_first(8), hash_of_first(9));
  EXPECT_NE(hash_of_first(15), hash_of_first(16));
  EXPECT_EQ(hash_of_first(40), hash_of_first(40));
}

}  // namespace
}  // namespace arus
