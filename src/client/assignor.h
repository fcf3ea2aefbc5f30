// How the leader of a classic group divides partitions among its members.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/consumer_protocol.h"

namespace arus::client {

struct GroupMemberSubscription {
  std::optional<std::string> instance_id;
  ConsumerSubscription subscription;
};

// What an assignor sees. Topics that nobody knows are not in `partition_counts`.
struct AssignmentInput {
  std::map<std::string, GroupMemberSubscription> members;  // by member id
  std::map<std::string, std::int32_t> partition_counts;    // of every topic that is subscribed to
};
// Has an entry for every member.
using GroupAssignment = std::map<std::string, ConsumerAssignment>;

// A way to divide partitions, as the members of a group agree on one by name. A pure function of
// its input: whoever leads the group comes to the same answer. An application may bring its own.
class Assignor {
 public:
  virtual ~Assignor() = default;
  // As it stands in the group's protocol list.
  [[nodiscard]] virtual std::string_view name() const = 0;
  // Members keep their partitions while the group agrees anew, and give up only what moves
  // (KIP-429); assign() then must not give a partition to one member while another one owns it.
  [[nodiscard]] virtual bool cooperative() const { return false; }
  // Goes to the leader with the subscription.
  [[nodiscard]] virtual std::optional<Bytes> user_data(std::int32_t generation) const {
    static_cast<void>(generation);
    return std::nullopt;
  }
  [[nodiscard]] virtual GroupAssignment assign(const AssignmentInput& input) const = 0;
};
using AssignorPointer = std::shared_ptr<const Assignor>;

// Each topic by itself, in runs: partitions of the same number in different topics meet.
AssignorPointer range_assignor();
// All partitions in turn, to members in turn.
AssignorPointer round_robin_assignor();
// Evenly, with as few moves as possible, one step after the other: what has an owner is given to
// another one only when it has been given up.
AssignorPointer cooperative_sticky_assignor();

// Range and cooperative-sticky, as Kafka's consumer has them: a group moves from the first to the
// second by taking the first away.
std::vector<AssignorPointer> default_assignors();
// By Kafka's class name, or by the name on the wire; an error names what is unknown.
Result<AssignorPointer> find_assignor(std::string_view name);

}  // namespace arus::client
