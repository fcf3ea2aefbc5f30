// A member of a consumer group: everything is said in heartbeats (KIP-848).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/membership.h"

namespace arus::protocol {
struct ConsumerGroupHeartbeatRequest;
struct ConsumerGroupHeartbeatResponse;
}  // namespace arus::protocol

namespace arus::client {

// The coordinator says what this member should own; advance() gives up and takes over until that
// is so, and the next heartbeat says that it is done. A heartbeat carries only what has changed
// since the last one that was answered; after any failure, all of it.
class ConsumerMembership final : public Membership {
 public:
  explicit ConsumerMembership(GroupContext context);
  ~ConsumerMembership() override;

  env::Task<Result<>> advance() override;
  [[nodiscard]] GroupMetadata metadata() const override;
  void note(ErrorCode code) override;
  env::Task<void> leave(env::TimePoint deadline) override;

 private:
  enum class Phase : std::uint8_t {
    waiting,  // for the application to call poll()
    joining,  // the next heartbeat joins, with epoch 0
    member,
  };
  // What the coordinator knows from the last answered heartbeat.
  struct Said {
    std::set<std::string> names;
    std::optional<std::string> pattern;
    std::optional<std::set<TopicPartition>> owned;
  };

  env::Task<void> beat();
  env::Task<void> send_heartbeat();
  protocol::ConsumerGroupHeartbeatRequest next_request(Said& said) const;
  void refuse(ErrorCode code, const std::string& message);
  env::Task<void> take_answer(protocol::ConsumerGroupHeartbeatResponse answer);
  env::Task<void> resolve_target();
  void fence();
  env::Task<void> send_leave(env::TimePoint deadline);
  void wake();

  Phase phase_ = Phase::waiting;
  std::string member_id_;
  std::int32_t epoch_ = 0;
  std::optional<Said> said_;                          // nothing: the next heartbeat says everything
  std::optional<std::set<TopicIdPartition>> wanted_;  // the newest assignment, by topic id
  std::optional<std::set<TopicPartition>> target_;    // the same by name, where names are known
  std::map<std::string, Uuid> ids_;                   // of the topics that are or were owned
  bool unresolved_ = false;                           // some of wanted_ has no name yet
  bool lost_ = false;
  bool acknowledge_ = false;  // tell at once what is owned now
  std::optional<Error> failure_;
  bool fatal_ = false;  // no heartbeat any more until the subscription changes
  std::uint64_t failed_as_ = 0;
  env::Duration interval_;
  env::TimePoint next_beat_{};
  int failures_ = 0;
  bool beating_ = false;
  bool sending_ = false;
  env::Event sent_;
  bool stopping_ = false;
  env::Event wake_;
  env::Gate gate_;
};

}  // namespace arus::client
