#include "coordinator/group/classic_group.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/reader.h"
#include "coordinator/group/classic_groups.h"
#include "protocol/record/group_metadata_key.h"

namespace arus::coordinator {
namespace {

constexpr std::int16_t value_version = 3;

void sort_and_unite(std::vector<std::string_view>& topics) {
  std::ranges::sort(topics);
  const auto same = std::ranges::unique(topics);
  topics.erase(same.begin(), same.end());
}

// Adds the topics that a member's metadata name; false where they cannot be read, or are too many.
// Every version of them begins as version 0 does: topics, and bytes of the user's.
bool read_topics(ByteView metadata, std::vector<std::string_view>& topics) {
  Reader in(metadata);
  if (in.i16() < 0) return false;
  const std::int32_t count = in.i32();
  if (count < 0) return false;
  for (std::int32_t i = 0; i < count && in.ok(); ++i) {
    const std::int16_t length = in.i16();
    if (length < 0) return false;
    topics.push_back(in.text(static_cast<std::size_t>(length)));
    // Members mostly want the same.
    if (topics.size() > 2 * max_subscribed_topics) sort_and_unite(topics);
    if (topics.size() > 2 * max_subscribed_topics) return false;
  }
  const std::int32_t user_data = in.i32();
  if (user_data > 0) in.skip(static_cast<std::size_t>(user_data));
  return in.ok();
}

}  // namespace

ClassicGroup::ClassicGroup(std::string id) : Group(std::move(id)), phase_(*this) {}

ClassicGroup::ClassicGroup(std::string id, ClassicGroupParts parts) : ClassicGroup(std::move(id)) {
  generation_ = parts.generation;
  protocol_type_ = std::move(parts.protocol_type);
  protocol_name_ = std::move(parts.protocol_name);
  state_since_ms_ = parts.state_since_ms;
  for (auto& member : parts.members) add(std::move(member));
  if (members_.empty()) return;
  state_ = ClassicState::stable;
  if (parts.leader) {
    if (ClassicMember* const known = member(*parts.leader)) leader_ = known;
  }
  if (!protocol_name_) protocol_name_ = select_protocol();
  subscribe();
}

ClassicGroup::~ClassicGroup() {
  if (decisions_ != nullptr) decisions_->held_bytes_ -= held_bytes_;
}

std::string_view ClassicGroup::state_name() const {
  switch (state_) {
    case ClassicState::empty:
      return "Empty";
    case ClassicState::preparing_rebalance:
      return "PreparingRebalance";
    case ClassicState::completing_rebalance:
      return "CompletingRebalance";
    case ClassicState::stable:
      return "Stable";
  }
  std::unreachable();
}

ClassicMember* ClassicGroup::member(std::string_view id) const {
  const auto found = members_.find(id);
  return found == members_.end() ? nullptr : found->second.get();
}

ClassicMember* ClassicGroup::static_member(std::string_view instance_id) const {
  const auto found = static_members_.find(instance_id);
  return found == static_members_.end() ? nullptr : found->second;
}

std::vector<std::string> ClassicGroup::holding_up() const {
  std::vector<std::string> ids;
  for (const auto& [id, member] : members_) {
    const bool waited_for =
        state_ == ClassicState::preparing_rebalance ? !member->awaits_join() : member->owes_sync();
    if (waited_for) ids.emplace_back(id);
  }
  if (state_ == ClassicState::preparing_rebalance) {
    for (const auto& [id, pending] : pending_) ids.emplace_back(id);
  }
  return ids;
}

const std::string& ClassicGroup::leader() const {
  static const std::string no_id;
  return leader_ == nullptr ? no_id : leader_->id();
}

std::int32_t ClassicGroup::rebalance_timeout_ms() const {
  std::int32_t longest = 0;
  for (const auto& [id, member] : members_) {
    longest = std::max(longest, member->rebalance_timeout_ms());
  }
  return longest;
}

ErrorCode ClassicGroup::check_member(std::string_view member_id,
                                     const std::optional<std::string>& instance_id) const {
  if (instance_id) {
    const ClassicMember* const known = static_member(*instance_id);
    if (known == nullptr) return ErrorCode::unknown_member_id;
    if (known->id() != member_id) return ErrorCode::fenced_instance_id;
  }
  return members_.contains(member_id) ? ErrorCode::none : ErrorCode::unknown_member_id;
}

bool ClassicGroup::supports(std::string_view protocol_type,
                            const std::vector<ClassicProtocol>& protocols) const {
  if (state_ == ClassicState::empty) return !protocol_type.empty() && !protocols.empty();
  if (protocol_type != protocol_type_) return false;
  return std::ranges::any_of(
      protocols, [this](const ClassicProtocol& protocol) { return all_offer(protocol.name); });
}

std::string ClassicGroup::select_protocol() const {
  std::map<std::string_view, std::size_t> votes;
  for (const Offered& offered : offered_) {
    if (offered.members == members_.size()) votes.emplace(offered.name, 0);
  }
  // A member is only let in, or changed, with a protocol that all the others offer. Only a damaged
  // directory has members without one in common; then any will do until they join again.
  if (votes.empty()) {
    for (const Offered& offered : offered_) votes.emplace(offered.name, 0);
  }
  for (const auto& [id, member] : members_) {
    for (const auto& protocol : member->protocols()) {
      if (const auto found = votes.find(protocol.name); found != votes.end()) {
        ++found->second;
        break;
      }
    }
  }
  const auto most = std::ranges::max_element(
      votes, [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == votes.end() ? std::string{} : std::string(most->first);
}

protocol::GroupMetadataValue ClassicGroup::value() const {
  protocol::GroupMetadataValue value;
  value.protocol_type = protocol_type_;
  value.generation = generation_;
  value.protocol = protocol_name_;
  value.leader.reset();
  if (leader_ != nullptr) value.leader = leader_->id();
  value.current_state_timestamp = state_since_ms_;
  value.members.reserve(members_.size());
  for (const auto& [id, member] : members_) {
    auto& stored = value.members.emplace_back();
    stored.member_id = member->id();
    stored.group_instance_id = member->instance_id();
    stored.client_id = member->client_id();
    stored.client_host = member->client_host();
    stored.rebalance_timeout = member->rebalance_timeout_ms();
    stored.session_timeout = member->session_timeout_ms();
    if (protocol_name_) stored.subscription = member->metadata(*protocol_name_);
    stored.assignment = member->assignment();
  }
  return value;
}

Record ClassicGroup::record() const {
  return Record::of(protocol::GroupMetadataKey{.group = id()}, value(), value_version);
}

void ClassicGroup::append_tombstones(Turn& turn) const {
  turn.append(Record::tombstone(protocol::GroupMetadataKey{.group = id()}));
}

Result<> ClassicGroup::check_offset_commit(const OffsetCommitter& committer) const {
  const bool anonymous = committer.generation_or_epoch < 0;
  if (anonymous && state_ == ClassicState::empty) return {};
  if (!anonymous || !committer.member_id.empty() || committer.instance_id) {
    const auto instance =
        committer.instance_id ? std::optional<std::string>(*committer.instance_id) : std::nullopt;
    const ErrorCode refusal = check_member(committer.member_id, instance);
    if (refusal != ErrorCode::none) return fail(refusal);
    if (committer.generation_or_epoch != generation_) return fail(ErrorCode::illegal_generation);
  } else if (!committer.transactional && state_ != ClassicState::empty) {
    // Old versions of TxnOffsetCommit name no member; commits outside of transactions must.
    return fail(ErrorCode::unknown_member_id);
  }
  // Who has joined knows the new generation but not yet what it owns in it.
  if (!committer.transactional && state_ == ClassicState::completing_rebalance) {
    return fail(ErrorCode::rebalance_in_progress);
  }
  return {};
}

Result<> ClassicGroup::check_offset_fetch(std::optional<std::string_view> member_id,
                                          std::int32_t member_epoch) const {
  static_cast<void>(member_id);
  static_cast<void>(member_epoch);
  return {};
}

bool ClassicGroup::is_subscribed_to(std::string_view topic) const {
  if (!subscribed_) return uses_consumer_protocol();
  return std::ranges::binary_search(*subscribed_, topic);
}

Result<> ClassicGroup::check_delete() const {
  if (state_ == ClassicState::empty) return {};
  return fail(ErrorCode::non_empty_group);
}

Result<> ClassicGroup::check_offset_delete() const {
  if (state_ == ClassicState::empty || uses_consumer_protocol()) return {};
  return fail(ErrorCode::non_empty_group);
}

std::optional<Group::Expiry> ClassicGroup::expiry() const {
  if (protocol_type_.empty()) return Expiry{.by_commit_time = true};
  if (state_ == ClassicState::empty) {
    return Expiry{.since_ms = state_since_ms_, .by_commit_time = state_since_ms_ < 0};
  }
  // Those of topics that nobody subscribes to any more.
  if (state_ == ClassicState::stable && uses_consumer_protocol() && subscribed_) {
    return Expiry{.by_commit_time = true};
  }
  return std::nullopt;
}

void ClassicGroup::on_offset_commit(Turn& turn, std::string_view member_id) {
  if (state_ != ClassicState::stable && state_ != ClassicState::preparing_rebalance) return;
  ClassicMember* const known = member(member_id);
  if (known != nullptr && decisions_ != nullptr) decisions_->arm_session(turn, *known);
}

void ClassicGroup::subscribe() {
  subscribed_.reset();
  if (!uses_consumer_protocol()) return;
  std::vector<std::string_view> topics;
  if (!members_.empty()) {
    if (!protocol_name_) return;
    for (const auto& [id, member] : members_) {
      // The views stay good: the member keeps the bytes.
      if (!read_topics(member->metadata(*protocol_name_).view(), topics)) return;
    }
  }
  sort_and_unite(topics);
  if (topics.size() > max_subscribed_topics) return;
  subscribed_.emplace(topics.begin(), topics.end());
}

bool ClassicGroup::apply(const protocol::GroupMetadataValue& value) {
  std::set<std::string_view> ids;
  std::set<std::string_view> instances;
  for (const auto& stored : value.members) {
    if (!ids.insert(stored.member_id).second) return false;
    if (stored.group_instance_id && !instances.insert(*stored.group_instance_id).second) {
      return false;
    }
  }
  for (auto next = members_.begin(); next != members_.end();) {
    ClassicMember& known = *(next++)->second;
    if (!ids.contains(known.id())) remove(known);
  }
  generation_ = value.generation;
  protocol_type_ = value.protocol_type;
  protocol_name_ = value.protocol;
  state_since_ms_ = value.current_state_timestamp;
  initial_rebalance_ = false;
  for (const auto& stored : value.members) apply_member(stored);
  leader_ = value.leader ? member(*value.leader) : nullptr;
  if (leader_ == nullptr && !members_.empty()) leader_ = members_.begin()->second.get();
  state_ = members_.empty() ? ClassicState::empty : ClassicState::stable;
  return true;
}

void ClassicGroup::apply_member(const protocol::GroupMetadataValue::MemberMetadata& stored) {
  const std::string protocol = protocol_name_.value_or(std::string{});
  ClassicMember* known = member(stored.member_id);
  if (known != nullptr && known->instance_id() != stored.group_instance_id) {
    remove(*known);
    known = nullptr;
  }
  // Version 0 has no rebalance timeout.
  const std::int32_t rebalance_timeout_ms =
      stored.rebalance_timeout == -1 ? stored.session_timeout : stored.rebalance_timeout;
  if (known == nullptr) {
    add({.member_id = stored.member_id,
         .instance_id = stored.group_instance_id,
         .client_id = stored.client_id,
         .client_host = stored.client_host,
         .rebalance_timeout_ms = rebalance_timeout_ms,
         .session_timeout_ms = stored.session_timeout,
         .protocols = {{protocol, own_copy(stored.subscription.view())}},
         .assignment = own_copy(stored.assignment.view())});
    return;
  }
  known->parts_.client_id = stored.client_id;
  known->parts_.client_host = stored.client_host;
  known->parts_.rebalance_timeout_ms = rebalance_timeout_ms;
  known->parts_.session_timeout_ms = stored.session_timeout;
  const bool offered = std::ranges::any_of(known->protocols(), [&](const ClassicProtocol& each) {
    return each.name == protocol && each.metadata == stored.subscription;
  });
  if (!offered) {
    update(*known, {{protocol, own_copy(stored.subscription.view())}}, rebalance_timeout_ms,
           stored.session_timeout);
  }
  if (known->assignment() != stored.assignment)
    set_assignment(*known, own_copy(stored.assignment.view()));
}

}  // namespace arus::coordinator
