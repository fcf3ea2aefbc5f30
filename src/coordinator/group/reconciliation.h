// How one member gets from what it has to what it is to have.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "coordinator/group/consumer_member.h"

namespace arus::coordinator {

// References live for the call.
struct ReconciliationInput {
  const CurrentAssignment& current;
  std::int32_t target_epoch;
  const PartitionSet& target;
  // What the member says that it owns; null where it says nothing.
  const PartitionSet* reported;
  // Topics that the member has left are taken from it even in the epoch of the target.
  bool subscription_changed;
  std::function<bool(const Uuid& topic)> is_subscribed;
  // By a member other than this one.
  std::function<bool(const Uuid& topic, std::int32_t partition)> is_owned_by_other;
};

// The next step of the member, which is where it is when it cannot move. It gives up before it gets
// anything, stays in its epoch until it has, and gets what nobody else owns. The state must be a
// known one, or the member must own nothing.
[[nodiscard]] CurrentAssignment reconcile(const ReconciliationInput& input);

}  // namespace arus::coordinator
