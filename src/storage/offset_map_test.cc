#include "storage/offset_map.h"

#include <gtest/gtest.h>

#include <string>

namespace arus::storage {
namespace {

constexpr SipKey secret{1, 2, 3};

TEST(OffsetMap, RemembersTheNewestOffsetOfEachKey) {
  OffsetMap map(1'000, 0.9, secret);
  for (int i = 0; i < 2'000; ++i) {
    EXPECT_TRUE(map.put(as_bytes("k" + std::to_string(i % 500)), Offset{i}));
  }
  EXPECT_EQ(map.size(), 500U);
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(map.find(as_bytes("k" + std::to_string(i))), Offset{1'500 + i});
  }
  EXPECT_FALSE(map.find(as_bytes("other")));
  EXPECT_TRUE(map.put(as_bytes(""), Offset{0}));
  EXPECT_EQ(map.find(as_bytes("")), Offset{0});
}

TEST(OffsetMap, AFullMapTakesOnlyKeysThatItHas) {
  OffsetMap map(10, 0.5, secret);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(map.put(as_bytes(std::to_string(i)), Offset{i}));
  EXPECT_FALSE(map.put(as_bytes("5"), Offset{5}));
  EXPECT_FALSE(map.find(as_bytes("5")));
  EXPECT_TRUE(map.put(as_bytes("3"), Offset{6}));
  EXPECT_EQ(map.find(as_bytes("3")), Offset{6});
}

TEST(OffsetMap, EverySearchEndsWhateverTheSizes) {
  for (const std::size_t slots : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
    for (const double load : {-1.0, 0.0, 1.0, 7.0}) {
      OffsetMap map(slots, load, secret);
      static_cast<void>(map.put(as_bytes("a"), Offset{1}));
      EXPECT_FALSE(map.find(as_bytes("b")));
    }
  }
}

}  // namespace
}  // namespace arus::storage
