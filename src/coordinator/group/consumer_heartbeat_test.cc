// The form of heartbeats, static members, and subscriptions by regular expression.
#include <gtest/gtest.h>

#include "coordinator/group/consumer_groups_testing.h"
#include "coordinator/group/topic_regex.h"

namespace arus::coordinator {
namespace {

using Request = protocol::ConsumerGroupHeartbeatRequest;

const std::vector<std::string> assignors = {"uniform", "range"};

std::string refusal(const Request& request, std::int16_t version = 1) {
  const auto outcome = check_heartbeat(request, version, assignors);
  return outcome ? "" : outcome.error().message;
}

TEST(HeartbeatForm, IsCheckedWithKafkasWords) {
  const Request joining = ConsumerBench::joining("m");
  EXPECT_EQ(refusal(joining), "");
  auto bad = joining;
  bad.member_id = "";
  EXPECT_EQ(refusal(bad), "MemberId can't be empty.");
  EXPECT_EQ(refusal(bad, 0), "");
  bad = joining;
  bad.group_id = " ";
  EXPECT_EQ(refusal(bad), "GroupId can't be empty.");
  bad = joining;
  bad.instance_id = "";
  EXPECT_EQ(refusal(bad), "InstanceId can't be empty.");
  bad = joining;
  bad.rack_id = "";
  EXPECT_EQ(refusal(bad), "RackId can't be empty.");
  bad = joining;
  bad.rebalance_timeout_ms = -1;
  EXPECT_EQ(refusal(bad), "RebalanceTimeoutMs must be provided in first request.");
  bad = joining;
  bad.topic_partitions.reset();
  EXPECT_EQ(refusal(bad), "TopicPartitions must be empty when (re-)joining.");
  bad = joining;
  bad.subscribed_topic_names.reset();
  EXPECT_EQ(refusal(bad),
            "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when "
            "(re-)joining.");
  bad = ConsumerBench::beating("m", -2);
  EXPECT_EQ(refusal(bad), "InstanceId can't be null.");
  bad = ConsumerBench::beating("m", -3);
  EXPECT_EQ(refusal(bad), "MemberEpoch is -3, but must be greater than or equal to -2.");
  bad = joining;
  bad.server_assignor = "sticky";
  EXPECT_EQ(refusal(bad),
            "ServerAssignor sticky is not supported. Supported assignors: uniform, range.");
  EXPECT_EQ(check_heartbeat(bad, 1, assignors).error().code, ErrorCode::unsupported_assignor);
}

TEST(HeartbeatForm, ServerChoosesAnIdForVersionZero) {
  ConsumerBench test;
  const auto first = test.join("");
  const auto second = test.join("");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->member_id->size(), 22U);
  EXPECT_NE(first->member_id, second->member_id);
}

Request static_joining(const std::string& member) {
  auto request = ConsumerBench::joining(member);
  request.instance_id = "i";
  return request;
}

Request static_beating(const std::string& member, std::int32_t epoch) {
  auto request = ConsumerBench::beating(member, epoch);
  request.instance_id = "i";
  return request;
}

TEST(ConsumerGroupStaticMembers, PlaceIsKeptWhileTheInstanceIsAway) {
  ConsumerBench test;
  EXPECT_TRUE(test.send(static_joining("a")));
  const auto left = test.send(static_beating("a", static_leaving_epoch));
  ASSERT_TRUE(left);
  EXPECT_EQ(left->member_epoch, static_leaving_epoch);
  EXPECT_EQ(test.group()->epoch(), 2);
  const auto back = test.send(static_joining("b"));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->member_epoch, 2);
  EXPECT_EQ(count(partitions_in(back->assignment)), 4U);
  EXPECT_EQ(test.group()->member("a"), nullptr);
  EXPECT_EQ(test.group()->static_member("i"), test.group()->member("b"));
  EXPECT_EQ(test.group()->epoch(), 2);
}

TEST(ConsumerGroupStaticMembers, SameMemberComesBackToItsPlace) {
  ConsumerBench test;
  EXPECT_TRUE(test.send(static_joining("a")));
  EXPECT_TRUE(test.send(static_beating("a", static_leaving_epoch)));
  const auto back = test.send(static_joining("a"));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(count(partitions_in(back->assignment)), 4U);
  EXPECT_EQ(test.group()->members().size(), 1U);
}

TEST(ConsumerGroupStaticMembers, InstanceOfARunningMemberIsNotReleased) {
  ConsumerBench test;
  EXPECT_TRUE(test.send(static_joining("a")));
  const auto refused = test.send(static_joining("b"));
  EXPECT_EQ(refused.error().code, ErrorCode::unreleased_instance_id);
  EXPECT_EQ(refused.error().message,
            "Static member b with instance id i cannot join the group because the instance id is "
            "owned by a member.");
}

TEST(ConsumerGroupStaticMembers, ReplacedMemberIsFenced) {
  ConsumerBench test;
  EXPECT_TRUE(test.send(static_joining("a")));
  EXPECT_TRUE(test.send(static_beating("a", static_leaving_epoch)));
  EXPECT_TRUE(test.send(static_joining("b")));
  EXPECT_EQ(test.send(static_beating("a", 2)).error().code, ErrorCode::fenced_instance_id);
  auto unknown = static_beating("b", 2);
  unknown.instance_id = "j";
  EXPECT_EQ(test.send(unknown).error().code, ErrorCode::unknown_member_id);
}

TEST(ConsumerGroupStaticMembers, PlaceIsLostWithTheSession) {
  ConsumerBench test;
  EXPECT_TRUE(test.send(static_joining("a")));
  EXPECT_TRUE(test.send(static_beating("a", static_leaving_epoch)));
  test.bench.pass(env::seconds(46));
  EXPECT_FALSE(test.group()->has_members());
  EXPECT_EQ(test.group()->static_member("i"), nullptr);
}

Request regex_joining(const std::string& member, const std::string& regex) {
  auto request = ConsumerBench::joining(member);
  request.subscribed_topic_names.reset();
  request.subscribed_topic_regex = regex;
  return request;
}

TEST(RegexSubscriptions, AreResolvedAndStored) {
  ConsumerBench test({{"events-1", 2}, {"events-2", 1}, {"other", 5}});
  const auto answer = test.send(regex_joining("a", "events-.*"));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(count(partitions_in(answer->assignment)), 3U);
  EXPECT_EQ(answer->member_epoch, 2);
  EXPECT_EQ(test.group()->resolved_regexes().at("events-.*").topics,
            (std::vector<std::string>{"events-1", "events-2"}));
  EXPECT_TRUE(test.group()->is_subscribed_to("events-1"));
  EXPECT_FALSE(test.group()->is_subscribed_to("other"));
}

TEST(RegexSubscriptions, FollowNewTopicsAfterAWhile) {
  ConsumerBench test({{"events-1", 2}});
  EXPECT_TRUE(test.send(regex_joining("a", "events-.*")));
  test.set_topics({{"events-1", 2}, {"events-2", 3}});
  EXPECT_FALSE(test.send(ConsumerBench::beating("a", 2))->assignment);
  test.bench.pass(env::seconds(11));
  const auto answer = test.send(ConsumerBench::beating("a", 2));
  EXPECT_EQ(answer->member_epoch, 3);
  EXPECT_EQ(count(partitions_in(answer->assignment)), 5U);
}

TEST(RegexSubscriptions, SeeOnlyWhatTheMemberMayDescribe) {
  ConsumerBench test({{"events-1", 2}, {"events-secret", 3}});
  const auto answer = test.send(regex_joining("a", "events-.*"),
                                [](std::string_view topic) { return topic != "events-secret"; });
  EXPECT_EQ(count(partitions_in(answer->assignment)), 2U);
}

TEST(RegexSubscriptions, LastSubscriberTakesTheExpressionWithIt) {
  ConsumerBench test({{"events-1", 2}});
  EXPECT_TRUE(test.send(regex_joining("a", "events-.*")));
  EXPECT_TRUE(test.send(regex_joining("b", "events-.*")));
  EXPECT_TRUE(test.send(ConsumerBench::beating("a", leaving_epoch)));
  EXPECT_EQ(test.group()->resolved_regexes().size(), 1U);
  EXPECT_TRUE(test.send(ConsumerBench::beating("b", leaving_epoch)));
  EXPECT_TRUE(test.group()->resolved_regexes().empty());
  EXPECT_FALSE(test.group()->is_subscribed_to("events-1"));
}

TEST(RegexSubscriptions, InvalidOnesAreRefusedAndChangeNothing) {
  ConsumerBench test;
  const auto refused = test.send(regex_joining("a", "foo[bar"));
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_regular_expression);
  EXPECT_EQ(refused.error().message,
            "SubscribedTopicRegex `foo[bar` is not a valid regular expression: missing closing ].");
  EXPECT_EQ(test.machine.groups().size(), 0U);
  EXPECT_TRUE(test.bench.log().empty());
}

TEST(RegexSubscriptions, ExplosionIsRefused) {
  EXPECT_FALSE(check_regex("((a{1,100}){1,100}){1,100}"));
  EXPECT_FALSE(check_regex(std::string(10'000, 'a')));
  // Harmless where matching takes linear time.
  ConsumerBench test({{std::string(200, 'a') + "b", 1}});
  EXPECT_TRUE(test.send(regex_joining("a", "(a+)+$")));
}

}  // namespace
}  // namespace arus::coordinator
