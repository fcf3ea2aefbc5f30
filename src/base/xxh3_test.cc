#include "base/xxh3.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace arus {
namespace {

// Bytes of a linear congruential generator, so that each length has its own.
Bytes sample(std::size_t size) {
  Bytes bytes;
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < size; ++i) {
    state = state * 1103515245 + 12345;
    bytes.push_back(static_cast<std::uint8_t>(state >> 16));
  }
  return bytes;
}

// What the reference implementation gives, at the borders between its ways.
TEST(Xxh3, AgreesWithTheReferenceAtEveryLength) {
  const std::vector<std::pair<std::size_t, std::uint64_t>> expected = {
      {0, 0x2d06800538d394c2ULL},    {1, 0xe5e62017e96f839cULL},    {2, 0xe99f8ba75698ec0fULL},
      {3, 0xd3bcc83c6f14e70fULL},    {4, 0xc7f159f34b126cb4ULL},    {7, 0xddce99c00391ea7cULL},
      {8, 0xf25a2a1cc43dda2ULL},     {9, 0x1e3be9699baa50cfULL},    {16, 0x9ec324145cea1dcbULL},
      {17, 0x48f3651d7436310aULL},   {31, 0xf1e5d171a470e2f5ULL},   {32, 0x3ecd923442085a0dULL},
      {33, 0xafebb54eff3a3b5ULL},    {45, 0x866d7169998d5a96ULL},   {64, 0x7abe508541644d25ULL},
      {100, 0x41971b14889c653cULL},  {128, 0x5d813d42c0005ea8ULL},  {129, 0xc61639b552225575ULL},
      {150, 0x172689f83b9c2bd2ULL},  {200, 0xaea1c4e1114bf7dbULL},  {240, 0x7d85b8d4f8b10c82ULL},
      {241, 0x5c56141c894cd97eULL},  {500, 0x3014837ddf3de481ULL},  {1023, 0x123989704c814592ULL},
      {1024, 0x551dea22e104ea8ULL},  {1025, 0xdbe2ed3c377d9922ULL}, {2048, 0xe137a69a82b62c0ULL},
      {5000, 0x80b0120fc87dbf6eULL},
  };
  for (const auto& [size, hash] : expected) EXPECT_EQ(xxh3_64(sample(size)), hash) << size;
}

}  // namespace
}  // namespace arus
