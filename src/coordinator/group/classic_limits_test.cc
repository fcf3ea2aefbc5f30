// What a classic group refuses because it is too much.
#include <gtest/gtest.h>

#include <string>

#include "coordinator/group/classic_groups_testing.h"

namespace arus::coordinator {
namespace {

TEST(ClassicLimits, SessionTimeoutOutsideTheRangeIsRefused) {
  ClassicBench test;
  EXPECT_EQ(test.join({.session_timeout_ms = 5'999}).value().error_code,
            ErrorCode::invalid_session_timeout);
  EXPECT_EQ(test.join({.session_timeout_ms = 1'800'001}).value().error_code,
            ErrorCode::invalid_session_timeout);
  EXPECT_EQ(test.find(), nullptr);
}

TEST(ClassicLimits, GroupTakesNoMoreThanItsMaximum) {
  GroupSettings settings = ClassicBench::quick();
  settings.max_size = 2;
  ClassicBench test(settings);
  const auto a = test.join({.version = 3});
  const auto b = test.join({.version = 3});
  const auto third = test.join({.version = 3});
  EXPECT_EQ(third.value().error_code, ErrorCode::group_max_size_reached);
  EXPECT_EQ(third.value().member_id, "");
  test.pass_ms(1);
  EXPECT_EQ(test.join().value().error_code, ErrorCode::group_max_size_reached);
  EXPECT_EQ(test.join({.member_id = a.value().member_id}).value().error_code, ErrorCode::none);
}

TEST(ClassicLimits, RecordThatIsTooLargeFailsTheGenerationAndKeepsTheGroup) {
  GroupSettings settings = ClassicBench::quick();
  settings.max_batch_bytes = 600;
  ClassicBench test(settings);
  const auto a = test.join({.version = 3});
  const auto b = test.join({.version = 3});
  test.pass_ms(1);
  const auto waiting = test.sync(b.value());
  const std::size_t stored = test.bench.log().size();
  const auto told = test.sync(a.value(), {{b.value().member_id, std::string(600, 'x')}});
  EXPECT_EQ(told.value().error_code, ErrorCode::unknown_server_error);
  EXPECT_EQ(waiting.value().error_code, ErrorCode::unknown_server_error);
  EXPECT_EQ(test.bench.log().size(), stored);
  EXPECT_EQ(test.group().state_name(), "PreparingRebalance");

  test.join({.member_id = b.value().member_id});
  const auto again = test.join({.member_id = a.value().member_id});
  ASSERT_EQ(again.value().generation_id, 2);
  EXPECT_EQ(test.sync(again.value()).value().error_code, ErrorCode::none);
}

TEST(ClassicLimits, MetadataBeyondTheLimitAreRefused) {
  ClassicBench test;
  const Slice much(Bytes(6U << 20U));
  ErrorCode last = ErrorCode::none;
  int joined = 0;
  for (int i = 0; i < 4; ++i) {
    const auto answer = test.join({.protocols = {{"range", much}}, .version = 3});
    answer.given() ? void(last = answer.value().error_code) : void(++joined);
  }
  EXPECT_EQ(joined, 2);
  EXPECT_EQ(last, ErrorCode::group_max_size_reached);
  EXPECT_LE(test.group().held_bytes(), max_held_bytes_of_group);
}

TEST(ClassicLimits, MemoryOfAPartitionIsSharedByItsGroups) {
  ClassicBench test;
  const Slice much(Bytes(15U << 20U));
  for (const char* group : {"a", "b", "c", "d"}) {
    test.group_id = group;
    EXPECT_FALSE(test.join({.protocols = {{"range", much}}, .version = 3}).given());
  }
  test.group_id = "e";
  EXPECT_EQ(test.join({.protocols = {{"range", much}}, .version = 3}).value().error_code,
            ErrorCode::coordinator_not_available);
  EXPECT_FALSE(test.join({.version = 3}).given());
  test.group_id = "a";
  test.bench.turn([&](Turn& turn) { test.group().append_tombstones(turn); });
  test.group_id = "f";
  EXPECT_FALSE(test.join({.protocols = {{"range", much}}, .version = 3}).given());
}

TEST(ClassicLimits, IdThatNoAnswerCouldCarryIsRefused) {
  ClassicBench test;
  const auto answer = test.join({.client_id = std::string(32'767, 'c')});
  EXPECT_EQ(answer.value().error_code, ErrorCode::unknown_server_error);
  EXPECT_EQ(test.group().pending_count(), 0U);
}

TEST(ClassicLimits, LoadedGroupBeyondItsMaximumIsCalledTogether) {
  ClassicBench test;
  const auto a = test.join({.version = 3});
  test.join({.version = 3});
  test.pass_ms(1);
  test.sync(a.value());
  GroupSettings settings;
  settings.max_size = 1;
  ClassicMachine other(settings);
  test.bench.replay_into(other);
  MachineBench loaded(other);
  loaded.turn(
      [&](Turn& turn) { other.loaded(turn, std::make_shared<const metadata::MetadataImage>()); });
  EXPECT_EQ(other.groups().find("g")->state_name(), "PreparingRebalance");
}

}  // namespace
}  // namespace arus::coordinator
