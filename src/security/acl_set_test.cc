#include "security/acl_set.h"

namespace arus::security {
namespace {

AclBinding numbered(int n, PatternType pattern = PatternType::literal) {
  return {ResourceType::topic, "topic-" + std::to_string(n), pattern, "User:alice", "*",
          AclOperation::read,  AclPermission::allow};
}
Uuid id_of(int n) { return Uuid::of_halves(1, static_cast<std::uint64_t>(n)); }

std::size_t covering(const AclSet& set, std::string_view name) {
  std::size_t count = 0;
  set.visit_covering(ResourceType::topic, name, [&](const AclEntry&) { ++count; });
  return count;
}

TEST(AclSet, AChangeLeavesTheSetItCameFromAlone) {
  const auto none = std::make_shared<const AclSet>();
  const auto one = none->with(id_of(1), numbered(1));
  const auto two = one->with(id_of(2), numbered(1, PatternType::prefixed));
  const auto back = two->without(id_of(1));
  EXPECT_EQ(none->size(), 0U);
  EXPECT_EQ(covering(*one, "topic-1"), 1U);
  EXPECT_EQ(covering(*two, "topic-1"), 2U);
  EXPECT_EQ(covering(*two, "topic-17"), 1U);
  EXPECT_EQ(covering(*back, "topic-1"), 1U);
  EXPECT_EQ(back->find(id_of(1)), nullptr);
  EXPECT_EQ(covering(*back->without(id_of(2)), "topic-1"), 0U);
}

TEST(AclSet, RemovingAnUnknownIdChangesNothing) {
  const auto one = AclSet().with(id_of(1), numbered(1));
  EXPECT_EQ(one->without(id_of(9))->size(), 1U);
}

TEST(AclSet, TheSameIdAgainReplacesTheRule) {
  const auto set = AclSet().with(id_of(1), numbered(1))->with(id_of(1), numbered(2));
  EXPECT_EQ(set->size(), 1U);
  EXPECT_EQ(covering(*set, "topic-1"), 0U);
  EXPECT_EQ(covering(*set, "topic-2"), 1U);
}

TEST(AclSet, EqualRulesAreFound) {
  const auto set = AclSet().with(id_of(1), numbered(1));
  EXPECT_EQ(set->find_equal(numbered(1)), id_of(1));
  EXPECT_EQ(set->find_equal(numbered(1, PatternType::prefixed)), std::nullopt);
  AclBinding other = numbered(1);
  other.host = "1.1.1.1";
  EXPECT_EQ(set->find_equal(other), std::nullopt);
  other.resource_type = ResourceType::user;
  EXPECT_EQ(set->find_equal(other), std::nullopt);
}

TEST(AclSet, ThousandsOfRulesComeAndGoOneByOne) {
  constexpr int count = 3000;
  auto set = std::make_shared<const AclSet>();
  for (int n = 0; n < count; ++n) {
    set = set->with(id_of(n), numbered(n, n % 2 ? PatternType::prefixed : PatternType::literal));
  }
  EXPECT_EQ(set->size(), 3000U);
  EXPECT_EQ(covering(*set, "topic-1999"), 4U);  // topic-1, -19, -199 and -1999
  const AclList sorted = set->all();
  EXPECT_TRUE(std::ranges::is_sorted(sorted, {}, [](const auto& e) { return e->binding; }));
  for (int n = 0; n < count; n += 2) set = set->without(id_of(n));
  EXPECT_EQ(set->size(), 1500U);
  EXPECT_EQ(set->matching({.pattern_type = PatternType::literal}).size(), 0U);
  EXPECT_EQ(
      set->matching({.resource_name = "topic-1999x", .pattern_type = PatternType::match}).size(),
      4U);
}

}  // namespace
}  // namespace arus::security
