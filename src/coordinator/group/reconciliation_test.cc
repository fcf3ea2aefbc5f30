#include "coordinator/group/reconciliation.h"

#include <gtest/gtest.h>

#include <set>

namespace arus::coordinator {
namespace {

const Uuid first_topic = Uuid::of_halves(1, 1);
const Uuid other = Uuid::of_halves(1, 2);

PartitionSet of(std::vector<std::int32_t> partitions) {
  return {{first_topic, std::move(partitions)}};
}

// A member in epoch 5 that has 0, 1 and 2 since then, and a target of epoch 6.
struct Step {
  CurrentAssignment current{
      .epoch = 5, .previous_epoch = 4, .assigned = {{first_topic, {{0, 5}, {1, 5}, {2, 5}}}}};
  PartitionSet target = of({0, 1, 2});
  std::int32_t target_epoch = 6;
  std::optional<PartitionSet> reported;
  bool subscription_changed = false;
  std::set<Uuid> subscribed = {first_topic, other};
  std::set<std::int32_t> owned_by_others;

  [[nodiscard]] CurrentAssignment take() const {
    return reconcile({.current = current,
                      .target_epoch = target_epoch,
                      .target = target,
                      .reported = reported ? &*reported : nullptr,
                      .subscription_changed = subscription_changed,
                      .is_subscribed = [&](const Uuid& id) { return subscribed.contains(id); },
                      .is_owned_by_other =
                          [&](const Uuid&, std::int32_t partition) {
                            return owned_by_others.contains(partition);
                          }});
  }
};

TEST(Reconciliation, SameTargetMovesToItsEpoch) {
  const auto next = Step{}.take();
  EXPECT_EQ(next.epoch, 6);
  EXPECT_EQ(next.previous_epoch, 5);
  EXPECT_EQ(next.state, MemberState::stable);
  // What it keeps it has had since before.
  EXPECT_EQ(next.assigned, (OwnedPartitions{{first_topic, {{0, 5}, {1, 5}, {2, 5}}}}));
}

TEST(Reconciliation, RevokesBeforeItMovesOn) {
  Step step{.target = of({0, 3})};
  const auto next = step.take();
  EXPECT_EQ(next.epoch, 5);
  EXPECT_EQ(next.state, MemberState::unrevoked_partitions);
  EXPECT_EQ(next.assigned, (OwnedPartitions{{first_topic, {{0, 5}}}}));
  EXPECT_EQ(next.pending_revocation, (OwnedPartitions{{first_topic, {{1, 5}, {2, 5}}}}));

  step.current = next;
  EXPECT_EQ(step.take(), next);
  step.reported = of({0, 1});
  EXPECT_EQ(step.take(), next);
  step.reported = of({0});
  const auto last = step.take();
  EXPECT_EQ(last.epoch, 6);
  EXPECT_EQ(last.state, MemberState::stable);
  EXPECT_EQ(last.assigned, (OwnedPartitions{{first_topic, {{0, 5}, {3, 6}}}}));
  EXPECT_TRUE(last.pending_revocation.empty());
}

TEST(Reconciliation, MemberThatHasAlreadyGivenUpMovesAtOnce) {
  Step step{.target = of({0}), .reported = of({0})};
  EXPECT_EQ(step.take().epoch, 6);
}

TEST(Reconciliation, WaitsForWhatOthersStillOwn) {
  Step step{.target = of({0, 1, 2, 3, 4}), .owned_by_others = {4}};
  auto next = step.take();
  EXPECT_EQ(next.state, MemberState::unreleased_partitions);
  EXPECT_EQ(next.epoch, 6);
  EXPECT_EQ(next.assigned, (OwnedPartitions{{first_topic, {{0, 5}, {1, 5}, {2, 5}, {3, 6}}}}));
  step.current = next;
  step.owned_by_others.clear();
  next = step.take();
  EXPECT_EQ(next.state, MemberState::stable);
  EXPECT_EQ(count(partitions_of(next.assigned)), 5U);
}

TEST(Reconciliation, LeftTopicIsTakenInTheSameEpoch) {
  Step step{.target_epoch = 5, .subscription_changed = true, .subscribed = {other}};
  const auto next = step.take();
  EXPECT_EQ(next.epoch, 5);
  EXPECT_EQ(next.state, MemberState::unrevoked_partitions);
  EXPECT_TRUE(next.assigned.empty());
  step.reported = PartitionSet{};
  EXPECT_EQ(step.take().state, MemberState::stable);
  step.subscription_changed = false;
  EXPECT_EQ(step.take(), step.current);
}

TEST(Reconciliation, UnknownStateBeginsAgainWithNothing) {
  Step step{.target = of({7}), .reported = PartitionSet{}};
  step.current.state = MemberState::unknown;
  const auto next = step.take();
  EXPECT_EQ(next.state, MemberState::stable);
  EXPECT_EQ(next.assigned, (OwnedPartitions{{first_topic, {{7, 6}}}}));
}

}  // namespace
}  // namespace arus::coordinator
