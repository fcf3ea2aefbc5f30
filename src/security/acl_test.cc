#include "security/acl.h"

namespace arus::security {
namespace {

const AclBinding orders_binding{ResourceType::topic, "orders",   PatternType::literal,
                                "User:alice",        "10.0.0.1", AclOperation::read,
                                AclPermission::allow};

AclBinding changed(const std::function<void(AclBinding&)>& change) {
  AclBinding copy = orders_binding;
  change(copy);
  return copy;
}

TEST(Acl, NewBindingsAreRefusedWithAReason) {
  EXPECT_TRUE(validate_new_acl(orders_binding));
  const std::vector<std::pair<AclBinding, std::string>> cases{
      {changed([](auto& b) { b.resource_name = ""; }), "empty resource name"},
      {changed([](auto& b) { b.resource_type = ResourceType::cluster; }), "kafka-cluster"},
      {changed([](auto& b) { b.resource_type = ResourceType::any; }), "Invalid resourceType ANY"},
      {changed([](auto& b) { b.resource_type = ResourceType::unknown; }), "resourceType UNKNOWN"},
      {changed([](auto& b) { b.pattern_type = PatternType::match; }), "Invalid patternType MATCH"},
      {changed([](auto& b) { b.pattern_type = PatternType::any; }), "Invalid patternType ANY"},
      {changed([](auto& b) { b.operation = AclOperation::any; }), "Invalid operation ANY"},
      {changed([](auto& b) { b.operation = AclOperation::unknown; }), "operation UNKNOWN"},
      {changed([](auto& b) { b.permission = AclPermission::any; }), "permissionType ANY"},
      {changed([](auto& b) { b.principal = "alice"; }), "Could not parse principal"},
  };
  for (const auto& [wrong, reason] : cases) {
    const auto result = validate_new_acl(wrong);
    ASSERT_FALSE(result) << reason;
    EXPECT_EQ(result.error().code, ErrorCode::invalid_request);
    EXPECT_THAT(result.error().message, testing::HasSubstr(reason));
  }
  EXPECT_TRUE(validate_new_acl(changed([](auto& b) {
    b.resource_type = ResourceType::cluster;
    b.resource_name = "kafka-cluster";
  })));
}

TEST(AclFilter, AnEmptyFilterFindsEverything) { EXPECT_TRUE(AclFilter{}.matches(orders_binding)); }

TEST(AclFilter, EveryMemberNarrows) {
  EXPECT_FALSE(AclFilter{.resource_type = ResourceType::group}.matches(orders_binding));
  EXPECT_FALSE(AclFilter{.resource_name = "order"}.matches(orders_binding));
  EXPECT_FALSE(AclFilter{.pattern_type = PatternType::prefixed}.matches(orders_binding));
  EXPECT_FALSE(
      AclFilter{.principal = "User:*"}.matches(orders_binding));  // no wildcards in filters
  EXPECT_FALSE(AclFilter{.host = "*"}.matches(orders_binding));
  EXPECT_FALSE(AclFilter{.operation = AclOperation::all}.matches(orders_binding));
  EXPECT_FALSE(AclFilter{.permission = AclPermission::deny}.matches(orders_binding));
  EXPECT_TRUE((AclFilter{ResourceType::topic, "orders", PatternType::literal, "User:alice",
                         "10.0.0.1", AclOperation::read, AclPermission::allow})
                  .matches(orders_binding));
}

TEST(AclFilter, PatternTypesSearchByKafkasRules) {
  const auto prefix = changed([](auto& b) {
    b.resource_name = "ord";
    b.pattern_type = PatternType::prefixed;
  });
  const auto wildcard = changed([](auto& b) { b.resource_name = "*"; });
  const auto same_name_prefixed = changed([](auto& b) { b.pattern_type = PatternType::prefixed; });
  const AclFilter match{.resource_name = "orders", .pattern_type = PatternType::match};
  EXPECT_TRUE(match.matches(orders_binding));
  EXPECT_TRUE(match.matches(prefix));
  EXPECT_TRUE(match.matches(wildcard));
  EXPECT_FALSE(
      (AclFilter{.resource_name = "other", .pattern_type = PatternType::match}).matches(prefix));
  const AclFilter any{.resource_name = "orders", .pattern_type = PatternType::any};
  EXPECT_TRUE(any.matches(orders_binding));
  EXPECT_TRUE(any.matches(same_name_prefixed));
  EXPECT_FALSE(any.matches(prefix));
  EXPECT_FALSE(any.matches(wildcard));
  const AclFilter literal{.resource_name = "*", .pattern_type = PatternType::literal};
  EXPECT_TRUE(literal.matches(wildcard));
  EXPECT_FALSE(literal.matches(orders_binding));
}

TEST(AclFilter, UnknownMembersAreRefused) {
  EXPECT_TRUE(validate_filter({}));
  EXPECT_FALSE(validate_filter({.resource_type = ResourceType::unknown}));
  EXPECT_FALSE(validate_filter({.pattern_type = PatternType::unknown}));
  EXPECT_FALSE(validate_filter({.operation = AclOperation::unknown}));
  EXPECT_FALSE(validate_filter({.permission = AclPermission::unknown}));
}

TEST(Acl, NumbersOutsideTheEnumerationAreUnknown) {
  EXPECT_EQ(operation_of(15), AclOperation::two_phase_commit);
  EXPECT_EQ(operation_of(16), AclOperation::unknown);
  EXPECT_EQ(operation_of(-1), AclOperation::unknown);
  EXPECT_EQ(resource_type_of(7), ResourceType::user);
  EXPECT_EQ(resource_type_of(8), ResourceType::unknown);
  EXPECT_EQ(pattern_type_of(4), PatternType::prefixed);
  EXPECT_EQ(pattern_type_of(5), PatternType::unknown);
  EXPECT_EQ(permission_of(3), AclPermission::allow);
  EXPECT_EQ(permission_of(127), AclPermission::unknown);
  EXPECT_EQ(name_of(AclOperation::remove), "DELETE");
}

}  // namespace
}  // namespace arus::security
