#include "metadata/persistent_map.h"

#include <random>

namespace arus::metadata {
namespace {

using Map = PersistentMap<std::string, int>;

std::vector<std::pair<std::string, int>> entries(const Map& map) {
  std::vector<std::pair<std::string, int>> all;
  for (const auto& entry : map) all.emplace_back(entry.key, entry.value);
  return all;
}

TEST(PersistentMap, AgreesWithAnOrderedMapThroughManyChanges) {
  std::mt19937 random(7);
  std::map<std::string, int> model;
  Map map;
  for (int i = 0; i < 4000; ++i) {
    const std::string key = std::to_string(random() % 500);
    if (random() % 3 == 0) {
      model.erase(key);
      map.erase(key);
    } else {
      model.insert_or_assign(key, i);
      map.set(key, i);
    }
    ASSERT_EQ(map.size(), model.size());
  }
  EXPECT_EQ(entries(map), (std::vector<std::pair<std::string, int>>(model.begin(), model.end())));
  for (const auto& [key, value] : model) {
    ASSERT_NE(map.find(std::string_view(key)), nullptr);
    EXPECT_EQ(*map.find(key), value);
  }
}

TEST(PersistentMap, EarlierVersionsKeepTheirEntries) {
  const Map empty;
  const Map one = empty.with("a", 1);
  const Map two = one.with("a", 2).with("b", 3);
  const Map without = two.without("a");
  EXPECT_TRUE(empty.empty());
  EXPECT_EQ(*one.find("a"), 1);
  EXPECT_EQ(*two.find("a"), 2);
  EXPECT_EQ(without.find("a"), nullptr);
  EXPECT_EQ(without.size(), 1U);
}

TEST(PersistentMap, LowerBoundBeginsAtTheFirstKeyNotBelow) {
  std::vector<Map::Entry> sorted;
  for (int i = 0; i < 100; ++i) sorted.push_back({std::to_string(1000 + 2 * i), i});
  const Map map = Map::of_sorted(sorted);
  auto at = map.lower_bound("1051");
  ASSERT_NE(at, map.end());
  EXPECT_EQ(at->key, "1052");
  EXPECT_EQ((++at)->key, "1054");
  EXPECT_EQ(map.lower_bound("9"), map.end());
}

}  // namespace
}  // namespace arus::metadata
