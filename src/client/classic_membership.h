// A member of a classic group: join, divide, synchronise, heartbeat.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/membership.h"

namespace arus::protocol {
struct JoinGroupRequest;
struct JoinGroupResponse;
}  // namespace arus::protocol

namespace arus::client {

// One join is under way at a time, in a task of its own; its result waits for advance(). With
// eager assignors all partitions are given up before a join, with cooperative ones only what the
// new assignment takes away, and then the member joins again (KIP-429).
class ClassicMembership final : public Membership {
 public:
  explicit ClassicMembership(GroupContext context);
  ~ClassicMembership() override;

  env::Task<Result<>> advance() override;
  [[nodiscard]] GroupMetadata metadata() const override;
  void note(ErrorCode code) override;
  env::Task<void> leave(env::TimePoint deadline) override;

 private:
  enum class Phase : std::uint8_t { outside, joining, stable };
  struct Joined {
    AssignorPointer assignor;
    std::vector<TopicPartition> assigned;
  };
  enum class Next : std::uint8_t { done, again, again_at_once };

  [[nodiscard]] bool cooperative() const;
  env::Task<void> prepare();
  env::Task<void> take(Joined joined);
  void reset_member();
  void demand_rejoin(std::string reason);

  // Joining (classic_join.cc).
  env::Task<void> join();
  env::Task<Next> join_once();
  protocol::JoinGroupRequest join_request() const;
  Next refuse(ErrorCode code, std::string what);
  env::Task<Next> synchronise(protocol::JoinGroupResponse answer, AssignorPointer assignor);
  env::Task<Result<GroupAssignment>> divide(const protocol::JoinGroupResponse& answer,
                                            const Assignor& assignor);

  // Staying a member.
  env::Task<void> beat();
  env::Task<void> send_heartbeat();
  env::Task<void> watch_topics();
  env::Task<void> leave_group(std::string reason, env::TimePoint deadline);
  void wake();

  Phase phase_ = Phase::outside;
  std::string member_id_;
  std::int32_t generation_ = -1;
  std::string protocol_name_;
  bool rejoin_ = true;
  std::string reason_;           // of the next join
  std::uint64_t joined_as_ = 0;  // version of the subscription that was sent
  bool prepared_ = false;
  bool lost_ = false;  // the partitions are others' by now
  std::optional<Joined> joined_;
  std::optional<Error> failure_;
  env::TimePoint next_beat_{};
  env::TimePoint last_answer_{};
  bool leader_ = false;
  std::map<std::string, std::int32_t> divided_;  // the partition counts that the leader saw
  std::set<std::string> group_topics_;
  env::TimePoint watch_due_ = env::never;
  bool beating_ = false;
  bool stopping_ = false;
  env::Event wake_;
  env::Gate gate_;
};

}  // namespace arus::client
