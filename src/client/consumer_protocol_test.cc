#include "client/consumer_protocol.h"

#include <gtest/gtest.h>

namespace arus::client {
namespace {

TEST(ConsumerProtocol, SubscriptionComesBackAsItWas) {
  ConsumerSubscription subscription;
  subscription.topics = {"b", "a"};
  subscription.owned = {{"b", 1}, {"a", 0}, {"a", 2}};
  subscription.generation = 7;
  subscription.rack = "r";
  subscription.user_data = Bytes{1, 2, 3};
  const auto read = decode_subscription(Slice(encode_subscription(subscription)));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->topics, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(read->owned, (std::vector<TopicPartition>{{"a", 0}, {"a", 2}, {"b", 1}}));
  EXPECT_EQ(read->generation, 7);
  EXPECT_EQ(read->rack, "r");
  EXPECT_EQ(read->user_data, (Bytes{1, 2, 3}));
}

// Version 0: one topic "t", no user data.
TEST(ConsumerProtocol, OldSubscriptionsHaveNoOwnedPartitions) {
  const auto read =
      decode_subscription(Slice(Bytes{0, 0, 0, 0, 0, 1, 0, 1, 't', 0xff, 0xff, 0xff, 0xff}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->topics, (std::vector<std::string>{"t"}));
  EXPECT_TRUE(read->owned.empty());
  EXPECT_EQ(read->generation, -1);
  EXPECT_FALSE(read->user_data);
}

TEST(ConsumerProtocol, SubscriptionsOfTheFutureAreReadAsFarAsTheyAreKnown) {
  Bytes bytes = encode_subscription({.topics = {"t"}});
  bytes[1] = 9;
  bytes.push_back(42);
  const auto read = decode_subscription(Slice(std::move(bytes)));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->topics, (std::vector<std::string>{"t"}));
}

TEST(ConsumerProtocol, AnEmptyAssignmentIsNoPartition) {
  const auto read = decode_assignment(Slice{});
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->partitions.empty());
}

TEST(ConsumerProtocol, AssignmentComesBackSorted) {
  const auto read =
      decode_assignment(Slice(encode_assignment({.partitions = {{"b", 0}, {"a", 1}}})));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->partitions, (std::vector<TopicPartition>{{"a", 1}, {"b", 0}}));
}

TEST(ConsumerProtocol, CutBytesAreAnError) {
  const Bytes whole = encode_assignment({.partitions = {{"topic", 3}}});
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_assignment(Slice(Bytes(whole.begin(), whole.begin() + size)))) << size;
  }
}

}  // namespace
}  // namespace arus::client
