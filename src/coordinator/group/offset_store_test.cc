#include "coordinator/group/offset_store.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace arus::coordinator {
namespace {

OffsetValue value_of(std::int64_t offset) {
  return {.offset = offset, .leader_epoch = 1, .metadata = {}, .commit_timestamp_ms = 2};
}

std::map<std::int32_t, std::int64_t> offsets_of(const OffsetStore& store, std::string_view group,
                                                std::string_view topic) {
  std::map<std::int32_t, std::int64_t> all;
  std::int32_t last = -1;
  store.for_each(group, topic, [&](const OffsetStore::View& offset) {
    EXPECT_LT(last, offset.partition());
    last = offset.partition();
    all[offset.partition()] = offset.offset();
    return true;
  });
  return all;
}

TEST(OffsetStore, KeepsEverythingThatWasPut) {
  OffsetStore store;
  const OffsetValue full{.offset = 5,
                         .leader_epoch = 3,
                         .metadata = "notes",
                         .commit_timestamp_ms = 100,
                         .expire_timestamp_ms = 200,
                         .topic_id = Uuid::of_halves(1, 2)};
  store.put("g", "t", 0, full);
  store.put("g", "t", 1, value_of(6));
  EXPECT_EQ(store.find("g", "t", 0).value(), full);
  EXPECT_EQ(store.find("g", "t", 1).value(), value_of(6));
  store.put("g", "t", 0, value_of(7));
  EXPECT_EQ(store.find("g", "t", 0).value(), value_of(7));
  EXPECT_EQ(store.size(), 2U);
}

TEST(OffsetStore, ForgetsNamesWithTheirLastOffset) {
  OffsetStore store;
  store.put("g", "t", 0, value_of(1));
  store.put("h", "t", 0, value_of(1));
  EXPECT_FALSE(store.remove("g", "t", 1));
  EXPECT_FALSE(store.remove("g", "u", 0));
  EXPECT_TRUE(store.remove("g", "t", 0));
  EXPECT_FALSE(store.has_group("g"));
  EXPECT_TRUE(store.has_topic("t"));
  EXPECT_EQ(store.groups_with("t"), std::vector<std::string>{"h"});
  EXPECT_TRUE(store.remove("h", "t", 0));
  EXPECT_FALSE(store.has_topic("t"));
  EXPECT_EQ(store.size(), 0U);
}

class OffsetStoreOrder : public testing::TestWithParam<unsigned> {};

TEST_P(OffsetStoreOrder, ManyPartitionsInAnyOrderAreFoundAndAscend) {
  std::mt19937 random(GetParam());
  OffsetStore store;
  std::map<std::int32_t, std::int64_t> model;
  for (int i = 0; i < 5'000; ++i) {
    // Ascending, descending and at random, with removals in between.
    const std::int32_t partition = GetParam() == 1   ? i
                                   : GetParam() == 2 ? 5'000 - i
                                                     : static_cast<std::int32_t>(random() % 2'000);
    if (random() % 4 == 0) {
      EXPECT_EQ(store.remove("g", "t", partition), model.erase(partition) == 1);
    } else {
      store.put("g", "t", partition, value_of(i));
      model[partition] = i;
    }
  }
  EXPECT_EQ(offsets_of(store, "g", "t"), model);
  EXPECT_EQ(store.size(), model.size());
  for (const auto& [partition, offset] : model) {
    ASSERT_EQ(store.find("g", "t", partition).offset(), offset);
    ASSERT_TRUE(store.remove("g", "t", partition));
  }
  EXPECT_FALSE(store.has_group("g"));
}

INSTANTIATE_TEST_SUITE_P(Orders, OffsetStoreOrder, testing::Range(1U, 6U));

}  // namespace
}  // namespace arus::coordinator
