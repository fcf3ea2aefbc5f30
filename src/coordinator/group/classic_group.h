// A classic group: its members, its generation, and where it is on the way to the next.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/group/classic_member.h"
#include "coordinator/group/group.h"
#include "coordinator/runtime/timers.h"
#include "coordinator/runtime/turn.h"
#include "protocol/record/group_metadata_value.h"

namespace arus::coordinator {

class ClassicGroups;

// The protocol type of consumers, whose metadata the broker can read.
inline constexpr std::string_view consumer_protocol_type = "consumer";
// A group of consumers that subscribe to more counts as subscribed to every topic.
inline constexpr std::size_t max_subscribed_topics = 100'000;

enum class ClassicState : std::uint8_t {
  // Without members: new, or a place for offsets only, or all have gone.
  empty,
  // Waits for the members to join the next generation.
  preparing_rebalance,
  // All have joined; waits for the leader's assignment.
  completing_rebalance,
  stable,
};

// What makes a group. With members it is stable, without it is empty.
struct ClassicGroupParts {
  std::int32_t generation = 0;
  std::string protocol_type;  // empty where it never had members
  // Nothing and members: the one that most of them prefer.
  std::optional<std::string> protocol_name;
  // Nothing, or nobody of the members: the first of them.
  std::optional<std::string> leader;
  std::int64_t state_since_ms = -1;  // −1 where nobody knows
  std::vector<ClassicMemberParts> members;
};

// A member id that was given out with MEMBER_ID_REQUIRED, until its JoinGroup comes.
class PendingMember final : public Timer {
 public:
  PendingMember(ClassicGroup& group, std::string id) : group_(group), id_(std::move(id)) {}
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] std::size_t held_bytes() const { return sizeof *this + 2 * id_.capacity(); }
  void fire(Turn& turn) override;

 private:
  ClassicGroup& group_;
  std::string id_;
};

// State and its rules; ClassicGroups decides. Stored are generation, protocol, leader and, of each
// member, its timeouts, its metadata for the protocol and its assignment; all else is soft.
//
// Holds: a group without members has no leader; a group with members has one of them as leader;
// at most one member has a given instance id; the counts say how many members await a join, owe a
// sync, offer a protocol. Members and all else that is walked through is in order of its id, so
// that no answer and no record depends on a hash. Owner: Groups of its partition.
//
// To make a consumer group of it: read members() and what is beside it, answer_waiting(), then
// append_tombstones(), which destroys it. To make it of a consumer group: append that group's
// tombstones, then ClassicGroups::take_over() with a group made of parts.
class ClassicGroup final : public Group {
 public:
  // By id; the keys are views into the members.
  using Members = std::map<std::string_view, std::unique_ptr<ClassicMember>>;

  // Empty, and never anything but a place for offsets so far.
  explicit ClassicGroup(std::string id);
  ClassicGroup(std::string id, ClassicGroupParts parts);
  ~ClassicGroup() override;

  [[nodiscard]] GroupKind kind() const override { return GroupKind::classic; }
  [[nodiscard]] std::string_view state_name() const override;
  [[nodiscard]] std::string protocol_type() const override { return protocol_type_; }
  // True as well while a rebalance waits for the first member to come back.
  [[nodiscard]] bool has_members() const override { return state_ != ClassicState::empty; }
  [[nodiscard]] Result<> check_offset_commit(const OffsetCommitter& committer) const override;
  [[nodiscard]] Result<> check_offset_fetch(std::optional<std::string_view> member_id,
                                            std::int32_t member_epoch) const override;
  [[nodiscard]] bool is_subscribed_to(std::string_view topic) const override;
  [[nodiscard]] Result<> check_delete() const override;
  [[nodiscard]] Result<> check_offset_delete() const override;
  void append_tombstones(Turn& turn) const override;
  [[nodiscard]] std::optional<Expiry> expiry() const override;
  void on_offset_commit(Turn& turn, std::string_view member_id) override;

  [[nodiscard]] ClassicState state() const { return state_; }
  [[nodiscard]] std::int64_t state_since_ms() const { return state_since_ms_; }
  [[nodiscard]] std::int32_t generation() const { return generation_; }
  // Nothing without members, and until the first generation is complete.
  [[nodiscard]] const std::optional<std::string>& protocol_name() const { return protocol_name_; }
  [[nodiscard]] bool uses_consumer_protocol() const {
    return protocol_type_ == consumer_protocol_type;
  }
  // Never had members, and nobody is about to become one.
  [[nodiscard]] bool is_simple() const {
    return state_ == ClassicState::empty && protocol_type_.empty() && pending_.empty();
  }
  // Empty where there is none.
  [[nodiscard]] const std::string& leader() const;
  [[nodiscard]] bool is_leader(const ClassicMember& member) const { return leader_ == &member; }
  [[nodiscard]] const Members& members() const { return members_; }
  // Null where there is none.
  [[nodiscard]] ClassicMember* member(std::string_view id) const;
  [[nodiscard]] ClassicMember* static_member(std::string_view instance_id) const;
  [[nodiscard]] bool is_pending(std::string_view id) const { return pending_.contains(id); }
  [[nodiscard]] std::size_t pending_count() const { return pending_.size(); }
  [[nodiscard]] std::size_t awaiting_join_count() const { return awaiting_join_; }
  // The members that a rebalance waits for: they have not joined, or not asked for what they are
  // assigned.
  [[nodiscard]] std::vector<std::string> holding_up() const;
  // The longest of its members.
  [[nodiscard]] std::int32_t rebalance_timeout_ms() const;
  // UNKNOWN_MEMBER_ID or FENCED_INSTANCE_ID, or it is the member that it says it is.
  [[nodiscard]] ErrorCode check_member(std::string_view member_id,
                                       const std::optional<std::string>& instance_id) const;
  // Whether a member with these could take part: all members have one of them in common.
  [[nodiscard]] bool supports(std::string_view protocol_type,
                              const std::vector<ClassicProtocol>& protocols) const;
  // What most members prefer of what all of them offer; of equals the first by name.
  [[nodiscard]] std::string select_protocol() const;
  // The group as it is now.
  [[nodiscard]] protocol::GroupMetadataValue value() const;
  [[nodiscard]] Record record() const;
  [[nodiscard]] std::size_t held_bytes() const { return held_bytes_; }

  // For a group that is being made of another kind.
  void set_assignment(ClassicMember& member, Slice assignment);
  // The answer that the member waits for, to be given by somebody else.
  [[nodiscard]] Reply<protocol::JoinGroupResponse> take_join(ClassicMember& member);
  [[nodiscard]] Reply<protocol::SyncGroupResponse> take_sync(ClassicMember& member);
  // All that wait for a join or a sync get this error.
  void answer_waiting(Turn& turn, ErrorCode error);

 private:
  friend class ClassicGroups;
  friend class ClassicMember;
  friend class PendingMember;

  // Fires when what the state waits for has taken too long.
  class PhaseTimer final : public Timer {
   public:
    explicit PhaseTimer(ClassicGroup& group) : group_(group) {}
    void fire(Turn& turn) override;

   private:
    ClassicGroup& group_;
  };

  // Soft changes.
  ClassicMember& add(ClassicMemberParts parts);
  void remove(ClassicMember& member);
  ClassicMember& rename(ClassicMember& member, std::string new_id);
  void update(ClassicMember& member, std::vector<ClassicProtocol> protocols,
              std::int32_t rebalance_timeout_ms, std::int32_t session_timeout_ms);
  PendingMember& add_pending(std::string id);
  void remove_pending(std::string_view id);
  void await_join(Turn& turn, ClassicMember& member, Reply<protocol::JoinGroupResponse> reply);
  void await_sync(Turn& turn, ClassicMember& member, Reply<protocol::SyncGroupResponse> reply);
  void answer_join(Turn& turn, ClassicMember& member, protocol::JoinGroupResponse response);
  void answer_sync(Turn& turn, ClassicMember& member, protocol::SyncGroupResponse response);
  void set_new(ClassicMember& member, bool is_new);
  void set_owes_sync(ClassicMember& member, bool owes);
  void clear_owed_syncs();
  void move_to(ClassicState state, std::int64_t wall_ms);
  bool elect_joined_leader();
  void begin_generation(std::int64_t wall_ms);
  [[nodiscard]] bool all_joined() const {
    return members_.size() == awaiting_join_ && pending_.empty();
  }
  // What is stored, as a record says it; what a member has besides (timers, waiting answers, other
  // protocols) stays. False for a record that cannot be: it has no effect.
  bool apply(const protocol::GroupMetadataValue& value);
  void apply_member(const protocol::GroupMetadataValue::MemberMetadata& stored);
  void subscribe();
  void hold(std::size_t more, std::size_t less);
  // A protocol, and how many members offer it.
  struct Offered {
    std::string name;
    std::uint32_t members = 0;
  };
  void count_protocols(const ClassicMember& member, bool more);
  [[nodiscard]] bool all_offer(std::string_view protocol) const;

  ClassicGroups* decisions_ = nullptr;  // whoever decides about it; null until it is put to use
  PhaseTimer phase_;
  Members members_;
  std::map<std::string_view, ClassicMember*> static_members_;  // by instance id
  std::map<std::string_view, std::unique_ptr<PendingMember>> pending_;
  std::vector<Offered> offered_;  // by name
  std::string protocol_type_;
  std::optional<std::string> protocol_name_;
  ClassicMember* leader_ = nullptr;
  // Sorted; nothing where the members' metadata cannot be read.
  std::optional<std::vector<std::string>> subscribed_;
  std::int64_t state_since_ms_ = -1;
  std::size_t held_bytes_ = 0;
  std::uint32_t awaiting_join_ = 0;
  std::uint32_t owed_syncs_ = 0;
  std::int32_t generation_ = 0;
  // Of the first rebalance of an empty group, which gives further members time to come: the delay
  // under way, and what is left of it.
  std::int32_t initial_delay_ms_ = 0;
  std::int32_t initial_remaining_ms_ = 0;
  ClassicState state_ = ClassicState::empty;
  bool initial_rebalance_ = false;
  bool member_added_ = false;
};

}  // namespace arus::coordinator
