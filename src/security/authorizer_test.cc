#include "security/authorizer.h"

namespace arus::security {
namespace {

using enum AclOperation;

AclBinding topic_acl(std::string name, PatternType pattern, std::string principal,
                     AclOperation operation, AclPermission permission, std::string host = "*") {
  return {ResourceType::topic, std::move(name), pattern,   std::move(principal),
          std::move(host),     operation,       permission};
}
AclBinding allow(std::string name, AclOperation operation, std::string principal = "User:alice") {
  return topic_acl(std::move(name), PatternType::literal, std::move(principal), operation,
                   AclPermission::allow);
}
AclBinding deny(std::string name, AclOperation operation, std::string principal = "User:alice") {
  return topic_acl(std::move(name), PatternType::literal, std::move(principal), operation,
                   AclPermission::deny);
}
AclBinding prefixed(AclBinding binding) {
  binding.pattern_type = PatternType::prefixed;
  return binding;
}
AclBinding from_host(AclBinding binding, std::string host) {
  binding.host = std::move(host);
  return binding;
}

std::shared_ptr<const AclSet> set_of(const std::vector<AclBinding>& bindings) {
  auto set = std::make_shared<const AclSet>();
  std::uint64_t id = 1000;
  for (const AclBinding& binding : bindings) set = set->with(Uuid::of_halves(7, ++id), binding);
  return set;
}

const Caller alice{{"User", "alice"}, "10.0.0.1"};

struct Case {
  const char* claim;
  std::vector<AclBinding> acls;
  AclOperation operation;
  const char* topic;
  bool allowed;
  Rule rule;
};

void expect_all(const std::vector<Case>& cases, const Caller& caller = alice) {
  const Authorizer authorizer({"User:root"}, false);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.claim);
    const auto acls = set_of(c.acls);
    const Decision decision =
        authorizer.decide(acls.get(), caller, c.operation, ResourceType::topic, c.topic);
    EXPECT_EQ(decision.allowed, c.allowed);
    EXPECT_EQ(decision.rule, c.rule);
  }
}

TEST(Authorizer, PatternsCoverNamesByKafkasRules) {
  constexpr auto yes = Rule::matching_acl;
  constexpr auto no = Rule::default_deny;
  expect_all({
      {"literal, equal name", {allow("t", read)}, read, "t", true, yes},
      {"literal, other name", {allow("t", read)}, read, "tt", false, no},
      {"wildcard", {allow("*", read)}, read, "anything", true, yes},
      {"the literal name *", {allow("*", read)}, read, "*", true, yes},
      {"a prefix", {prefixed(allow("ab", read))}, read, "abc", true, yes},
      {"a prefix as long as the name", {prefixed(allow("abc", read))}, read, "abc", true, yes},
      {"a prefix longer than the name", {prefixed(allow("abcd", read))}, read, "abc", false, no},
      {"a prefixed * is a prefix only", {prefixed(allow("*", read))}, read, "abc", false, no},
      {"the second of two prefixes",
       {prefixed(deny("b", read)), prefixed(allow("ab", read))},
       read,
       "abc",
       true,
       yes},
      {"another resource type",
       {{ResourceType::group, "t", PatternType::literal, "User:alice", "*", read,
         AclPermission::allow}},
       read,
       "t",
       false,
       no},
  });
}

TEST(Authorizer, DenyWinsOverEveryAllow) {
  constexpr auto rule = Rule::matching_acl;
  expect_all({
      {"of the same pattern", {allow("t", read), deny("t", read)}, read, "t", false, rule},
      {"of the wildcard", {allow("t", read), deny("*", read)}, read, "t", false, rule},
      {"of a prefix", {allow("t", read), prefixed(deny("t", read))}, read, "t", false, rule},
      {"of all operations", {allow("t", read), deny("t", all)}, read, "t", false, rule},
      {"of everyone", {allow("t", read), deny("t", read, "User:*")}, read, "t", false, rule},
      {"not of another operation", {allow("t", read), deny("t", write)}, read, "t", true, rule},
      {"not of another user",
       {allow("t", read), deny("t", read, "User:bob")},
       read,
       "t",
       true,
       rule},
  });
}

TEST(Authorizer, OnlyAllowImpliesOtherOperations) {
  constexpr auto yes = Rule::matching_acl;
  constexpr auto no = Rule::default_deny;
  expect_all({
      {"READ lets describe", {allow("t", read)}, describe, "t", true, yes},
      {"WRITE lets describe", {allow("t", write)}, describe, "t", true, yes},
      {"DELETE lets describe", {allow("t", remove)}, describe, "t", true, yes},
      {"ALTER lets describe", {allow("t", alter)}, describe, "t", true, yes},
      {"CREATE does not", {allow("t", create)}, describe, "t", false, no},
      {"ALTER_CONFIGS lets describe configs",
       {allow("t", alter_configs)},
       describe_configs,
       "t",
       true,
       yes},
      {"but not describe", {allow("t", alter_configs)}, describe, "t", false, no},
      {"DESCRIBE does not let read", {allow("t", describe)}, read, "t", false, no},
      {"DENY of READ leaves describe",
       {allow("t", all), deny("t", read)},
       describe,
       "t",
       true,
       yes},
      {"ALL lets everything", {allow("t", all)}, alter_configs, "t", true, yes},
  });
}

TEST(Authorizer, PrincipalsAndHostsCompareExactly) {
  constexpr auto yes = Rule::matching_acl;
  constexpr auto no = Rule::default_deny;
  expect_all({
      {"anyone", {allow("t", read, "User:*")}, read, "t", true, yes},
      {"another name", {allow("t", read, "User:Alice")}, read, "t", false, no},
      {"another type", {allow("t", read, "Group:alice")}, read, "t", false, no},
      {"a wildcard of another type", {allow("t", read, "Group:*")}, read, "t", false, no},
      {"the caller's host", {from_host(allow("t", read), "10.0.0.1")}, read, "t", true, yes},
      {"the same address mapped",
       {from_host(allow("t", read), "::ffff:10.0.0.1")},
       read,
       "t",
       true,
       yes},
      {"another host", {from_host(allow("t", read), "10.0.0.2")}, read, "t", false, no},
      {"a name is not resolved", {from_host(allow("t", read), "localhost")}, read, "t", false, no},
  });
  const Caller robot{{"Robot", "r2"}, "::1"};
  expect_all(
      {
          {"User:* means any type", {allow("t", read, "User:*")}, read, "t", true, yes},
          {"Java's form",
           {from_host(allow("t", read, "Robot:r2"), "0:0:0:0:0:0:0:1")},
           read,
           "t",
           true,
           yes},
          {"the short form",
           {from_host(allow("t", read, "Robot:r2"), "::1")},
           read,
           "t",
           true,
           yes},
      },
      robot);
}

TEST(Authorizer, SuperUsersPassWhateverIsDenied) {
  const Authorizer authorizer({"User:root", "Robot:r2"}, false);
  const auto acls = set_of({deny("*", all, "User:*")});
  const auto ask = [&](Principal principal) {
    return authorizer.decide(acls.get(), Caller(std::move(principal), "1.2.3.4"), write,
                             ResourceType::topic, "t");
  };
  EXPECT_EQ(ask({"User", "root"}).rule, Rule::super_user);
  EXPECT_TRUE(ask({"Robot", "r2"}));
  EXPECT_FALSE(ask({"Robot", "root"}));
}

TEST(Authorizer, WithoutAnAuthorizerEverythingIsAllowed) {
  const auto acls = set_of({deny("*", all, "User:*")});
  EXPECT_TRUE(Authorizer().decide(acls.get(), alice, write, ResourceType::topic, "t"));
  EXPECT_TRUE(Authorizer().decide_any(acls.get(), alice, write, ResourceType::topic));
  EXPECT_EQ(Authorizer().authorized_operations(acls.get(), alice, ResourceType::topic, "t"), 3576);
}

TEST(Authorizer, AllowEveryoneCountsOnlyForResourcesWithoutAcls) {
  const Authorizer open({}, true);
  const auto acls =
      set_of({allow("taken", read, "User:bob"), prefixed(allow("p", read, "User:bob"))});
  const auto ask = [&](std::string_view topic) {
    return open.decide(acls.get(), alice, read, ResourceType::topic, topic);
  };
  EXPECT_EQ(ask("free").rule, Rule::default_allow);
  EXPECT_EQ(ask("taken").rule, Rule::default_deny);
  EXPECT_FALSE(ask("pretty"));  // covered by somebody's prefix
  EXPECT_TRUE(open.decide(nullptr, alice, read, ResourceType::topic, "t"));
  EXPECT_FALSE(Authorizer({}, false).decide(nullptr, alice, read, ResourceType::topic, "t"));
}

TEST(Authorizer, AnyResourceIsAllowedWhereSomeRuleIsNotDominated) {
  struct AnyCase {
    const char* claim;
    std::vector<AclBinding> acls;
    bool allowed;
  };
  const std::vector<AnyCase> cases{
      {"nothing given", {}, false},
      {"one literal", {allow("t", write)}, true},
      {"ALL counts as the operation", {allow("t", all)}, true},
      {"implied operations do not count", {allow("t", read)}, false},
      {"the wildcard", {allow("*", write)}, true},
      {"denied everywhere", {allow("t", write), deny("*", write)}, false},
      {"ALL denied everywhere", {allow("t", write), deny("*", all)}, false},
      {"the same literal denied", {allow("t", write), deny("t", write)}, false},
      {"another literal denied", {allow("t", write), deny("u", write)}, true},
      {"a prefix of the literal denied", {allow("top", write), prefixed(deny("to", write))}, false},
      {"a longer prefix denied", {allow("to", write), prefixed(deny("top", write))}, true},
      {"an allowed prefix under a denied one",
       {prefixed(allow("top", write)), prefixed(deny("t", write))},
       false},
      {"an allowed prefix over a denied one",
       {prefixed(allow("t", write)), prefixed(deny("top", write))},
       true},
      {"a literal deny does not dominate a prefix",
       {prefixed(allow("t", write)), deny("t", write)},
       true},
      {"another user's rules", {allow("t", write, "User:bob")}, false},
      {"another host's deny", {allow("t", write), from_host(deny("t", write), "9.9.9.9")}, true},
      {"the wildcard beside a denied literal", {allow("*", write), deny("t", write)}, true},
  };
  const Authorizer authorizer({"User:root"}, false);
  for (const AnyCase& c : cases) {
    SCOPED_TRACE(c.claim);
    const auto acls = set_of(c.acls);
    EXPECT_EQ(authorizer.decide_any(acls.get(), alice, write, ResourceType::topic).allowed,
              c.allowed);
  }
  const auto closed = set_of({deny("*", all, "User:*")});
  const Caller root{{"User", "root"}, "1.1.1.1"};
  EXPECT_TRUE(authorizer.decide_any(closed.get(), root, write, ResourceType::topic));
  EXPECT_TRUE(Authorizer({}, true).decide_any(nullptr, alice, write, ResourceType::topic));
}

TEST(Authorizer, AuthorizedOperationsAreABitMask) {
  EXPECT_EQ(supported_operations(ResourceType::topic), 3576);
  EXPECT_EQ(supported_operations(ResourceType::group), 3400);
  EXPECT_EQ(supported_operations(ResourceType::cluster), 8096);
  EXPECT_EQ(supported_operations(ResourceType::transactional_id), 33040);
  EXPECT_EQ(supported_operations(ResourceType::delegation_token), 256);
  EXPECT_EQ(supported_operations(ResourceType::user), 24576);
  const Authorizer authorizer({}, false);
  const auto acls = set_of({allow("t", read)});
  EXPECT_EQ(authorizer.authorized_operations(acls.get(), alice, ResourceType::topic, "t"),
            (1 << 3) | (1 << 8));
  EXPECT_EQ(authorizer.authorized_operations(acls.get(), alice, ResourceType::topic, "u"), 0);
}

TEST(Caller, IsAnonymousUntilSaidOtherwise) {
  EXPECT_EQ(Caller().principal_text(), "User:ANONYMOUS");
  EXPECT_EQ(Caller(Principal{}, "::ffff:1.2.3.4").host(), "1.2.3.4");
}

TEST(Principal, IsSplitAtTheFirstColon) {
  const auto parsed = Principal::parse("User:CN=a:b");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, (Principal{"User", "CN=a:b"}));
  EXPECT_EQ(Principal::parse("alice").error().code, ErrorCode::invalid_request);
}

}  // namespace
}  // namespace arus::security
