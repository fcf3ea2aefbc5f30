#include "coordinator/group/consumer_group.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/assert.h"
#include "coordinator/group/consumer_group_records.h"

namespace arus::coordinator {
namespace {

// Members of consumer groups say their epoch with commits, which versions before this cannot carry.
constexpr std::int16_t commit_with_epoch_version = 9;
// Partition numbers of a damaged record must not take memory without bound.
constexpr std::int32_t max_partition = 1'000'000;

const PartitionSet no_partitions;

void change_count(std::map<std::string, std::uint32_t, std::less<>>& counts, const std::string& key,
                  int by) {
  if (by > 0) {
    ++counts[key];
    return;
  }
  const auto found = counts.find(key);
  ARUS_ASSERT(found != counts.end());
  if (--found->second == 0) counts.erase(found);
}

}  // namespace

ConsumerGroup::ConsumerGroup(std::string id, ConsumerGroups& decisions)
    : Group(std::move(id)), decisions_(decisions) {}

ConsumerGroup::~ConsumerGroup() = default;

std::string_view ConsumerGroup::state_name() const {
  if (members_.empty()) return "Empty";
  if (epoch_ > assignment_epoch_) return "Assigning";
  for (const auto& [id, member] : members_) {
    if (!member->current().reconciled_to(assignment_epoch_)) return "Reconciling";
  }
  return "Stable";
}

ConsumerMember* ConsumerGroup::member(std::string_view id) const {
  const auto found = members_.find(id);
  return found == members_.end() ? nullptr : found->second.get();
}

ConsumerMember* ConsumerGroup::static_member(std::string_view instance_id) const {
  const auto found = static_members_.find(instance_id);
  return found == static_members_.end() ? nullptr : found->second;
}

Result<ConsumerMember*> ConsumerGroup::known_member(std::string_view id) const {
  ConsumerMember* const found = member(id);
  if (found != nullptr) return found;
  return fail(ErrorCode::unknown_member_id,
              fmt::format("Member {} is not a member of group {}.", id, this->id()));
}

const PartitionSet& ConsumerGroup::target_of(std::string_view member_id) const {
  const auto found = targets_.find(member_id);
  return found == targets_.end() ? no_partitions : found->second;
}

const ConsumerMember* ConsumerGroup::owner(const Uuid& topic, std::int32_t partition) const {
  const auto found = owners_.find(topic);
  if (found == owners_.end() || partition < 0) return nullptr;
  const auto index = static_cast<std::size_t>(partition);
  return index < found->second.size() ? found->second[index] : nullptr;
}

Result<> ConsumerGroup::check_epoch(const ConsumerMember& member, std::int32_t epoch) const {
  if (epoch == member.current().epoch) return {};
  if (member.uses_classic_protocol()) {
    return fail(
        ErrorCode::illegal_generation,
        fmt::format("The received generation id {} does not match the expected member epoch {}.",
                    epoch, member.current().epoch));
  }
  return fail(ErrorCode::stale_member_epoch,
              fmt::format("The received member epoch {} does not match the expected member epoch "
                          "{}.",
                          epoch, member.current().epoch));
}

Result<> ConsumerGroup::check_offset_commit(const OffsetCommitter& committer) const {
  // Without members, tools and standalone consumers may commit.
  if (committer.generation_or_epoch < 0 && members_.empty()) return {};
  // Transactional commits may come without a member: nobody is named, nothing is checked.
  if (committer.transactional && committer.generation_or_epoch == -1 &&
      committer.member_id.empty() && !committer.instance_id) {
    return {};
  }
  const auto member = known_member(committer.member_id);
  if (!member) return std::unexpected(member.error());
  const bool classic = (*member)->uses_classic_protocol();
  if (!committer.transactional && !classic && committer.api_version < commit_with_epoch_version) {
    return fail(ErrorCode::unsupported_version,
                "OffsetCommit version 9 or above must be used by members using the modern group "
                "protocol");
  }
  // Of an older epoch it is decided partition by partition.
  if (committer.generation_or_epoch >= 0 &&
      committer.generation_or_epoch < (*member)->current().epoch) {
    return {};
  }
  return check_epoch(**member, committer.generation_or_epoch);
}

Result<> ConsumerGroup::check_partition_commit(const OffsetCommitter& committer,
                                               const Uuid& topic_id, std::int32_t partition) const {
  const ConsumerMember* const member = this->member(committer.member_id);
  if (member == nullptr) return {};
  const std::int32_t epoch = committer.generation_or_epoch;
  if (epoch < 0 || epoch >= member->current().epoch) return {};
  const CurrentAssignment& current = member->current();
  const OwnedPartition* owned = find_partition(current.assigned, topic_id, partition);
  if (owned == nullptr) owned = find_partition(current.pending_revocation, topic_id, partition);
  // It has owned the partition since that epoch, so nobody else can have committed meanwhile.
  if (owned != nullptr && epoch >= owned->epoch) return {};
  return check_epoch(*member, epoch);
}

Result<> ConsumerGroup::check_offset_fetch(std::optional<std::string_view> member_id,
                                           std::int32_t member_epoch) const {
  // Tools, and versions that cannot name a member.
  if (!member_id && member_epoch < 0) return {};
  const auto member = known_member(member_id.value_or(""));
  if (!member) return std::unexpected(member.error());
  return check_epoch(**member, member_epoch);
}

bool ConsumerGroup::is_subscribed_to(std::string_view topic) const {
  if (topic_subscribers_.contains(topic)) return true;
  return std::ranges::any_of(resolved_, [&](const auto& one) {
    return std::ranges::binary_search(one.second.topics, topic);
  });
}

Result<> ConsumerGroup::check_delete() const {
  if (members_.empty()) return {};
  return fail(ErrorCode::non_empty_group, "The group is not empty.");
}

void ConsumerGroup::append_tombstones(Turn& turn) const {
  namespace records = consumer_records;
  // The last record destroys the group, and with it all that is named here.
  const std::string group = id();
  std::vector<std::string> members;
  for (const auto& [id, member] : members_) members.push_back(id);
  std::vector<std::string> regexes;
  for (const auto& [regex, resolved] : resolved_) regexes.push_back(regex);
  const bool has_partition_metadata = has_partition_metadata_;
  for (const auto& id : members) turn.append(records::current_tombstone(group, id));
  for (const auto& id : members) turn.append(records::target_tombstone(group, id));
  turn.append(records::target_epoch_tombstone(group));
  for (const auto& id : members) turn.append(records::member_tombstone(group, id));
  for (const auto& regex : regexes) turn.append(records::regex_tombstone(group, regex));
  if (has_partition_metadata) turn.append(records::partition_metadata_tombstone(group));
  turn.append(records::epoch_tombstone(group));
}

std::optional<Group::Expiry> ConsumerGroup::expiry() const {
  return Expiry{.since_ms = -1, .by_commit_time = true};
}

std::vector<std::string_view> ConsumerGroup::subscribed_topics() const {
  std::vector<std::string_view> topics;
  topics.reserve(topic_subscribers_.size());
  for (const auto& [name, subscribers] : topic_subscribers_) topics.push_back(name);
  for (const auto& [regex, resolved] : resolved_) {
    topics.insert(topics.end(), resolved.topics.begin(), resolved.topics.end());
  }
  if (!resolved_.empty()) {
    std::ranges::sort(topics);
    const auto repeated = std::ranges::unique(topics);
    topics.erase(repeated.begin(), repeated.end());
  }
  return topics;
}

std::uint32_t ConsumerGroup::subscribers_of_regex(std::string_view regex) const {
  const auto found = regex_subscribers_.find(regex);
  return found == regex_subscribers_.end() ? 0 : found->second;
}

std::optional<std::string_view> ConsumerGroup::preferred_assignor() const {
  std::map<std::string_view, std::size_t> votes;
  for (const auto& [id, member] : members_) {
    if (member->metadata().server_assignor) ++votes[*member->metadata().server_assignor];
  }
  std::optional<std::string_view> preferred;
  std::size_t most = 0;
  for (const auto& [name, count] : votes) {
    if (count <= most) continue;
    preferred = name;
    most = count;
  }
  return preferred;
}

bool ConsumerGroup::all_classic_but(const ConsumerMember* member) const {
  const bool counts = member != nullptr && !member->uses_classic_protocol();
  return classic_members_ + (counts ? 1 : 0) == members_.size();
}

std::vector<std::string> ConsumerGroup::holding_up() const {
  std::vector<std::string> first;
  std::vector<std::string> waiting;
  for (const auto& [id, member] : members_) {
    const CurrentAssignment& current = member->current();
    if (current.reconciled_to(assignment_epoch_)) continue;
    (current.state == MemberState::unreleased_partitions ? waiting : first).push_back(id);
  }
  first.insert(first.end(), waiting.begin(), waiting.end());
  return first;
}

void ConsumerGroup::set_epoch(std::int32_t epoch, std::int64_t metadata_hash) {
  epoch_ = epoch;
  metadata_hash_ = metadata_hash;
}

void ConsumerGroup::set_assignment_epoch(std::int32_t epoch, std::int64_t timestamp_ms) {
  assignment_epoch_ = epoch;
  assignment_timestamp_ms_ = timestamp_ms;
}

void ConsumerGroup::set_target(std::string_view member_id, PartitionSet target) {
  const auto found = targets_.find(member_id);
  if (found != targets_.end()) {
    found->second = std::move(target);
  } else {
    targets_.emplace(std::string(member_id), std::move(target));
  }
}

void ConsumerGroup::erase_target(std::string_view member_id) {
  const auto found = targets_.find(member_id);
  if (found != targets_.end()) targets_.erase(found);
}

ConsumerMember& ConsumerGroup::member_or_new(std::string_view id) {
  auto found = members_.find(id);
  if (found == members_.end()) {
    found =
        members_.emplace(std::string(id), std::make_unique<ConsumerMember>(*this, std::string(id)))
            .first;
    count_metadata(*found->second, 1);
  }
  return *found->second;
}

void ConsumerGroup::count_metadata(const ConsumerMember& member, int by) {
  const MemberMetadata& metadata = member.metadata();
  for (const auto& topic : metadata.topic_names) change_count(topic_subscribers_, topic, by);
  if (!metadata.topic_regex.empty()) change_count(regex_subscribers_, metadata.topic_regex, by);
  if (metadata.classic) classic_members_ += static_cast<std::size_t>(by);
  if (metadata.instance_id) {
    const auto place = static_members_.find(*metadata.instance_id);
    if (by > 0) {
      static_members_.insert_or_assign(*metadata.instance_id,
                                       members_.find(member.id())->second.get());
    } else if (place != static_members_.end() && place->second == &member) {
      // A replaced member may also be taken away after its successor has come.
      static_members_.erase(place);
    }
  }
}

void ConsumerGroup::own(ConsumerMember& member, bool owns) {
  own(member, member.current().assigned, owns);
  own(member, member.current().pending_revocation, owns);
}

void ConsumerGroup::own(ConsumerMember& member, const OwnedPartitions& partitions, bool owns) {
  for (const auto& topic : partitions) {
    auto& owners = owners_[topic.topic];
    for (const auto& one : topic.partitions) {
      if (one.partition < 0 || one.partition > max_partition) continue;
      const auto index = static_cast<std::size_t>(one.partition);
      if (owns) {
        if (owners.size() <= index) owners.resize(index + 1, nullptr);
        owners[index] = &member;
      } else if (index < owners.size() && owners[index] == &member) {
        owners[index] = nullptr;
      }
    }
    while (!owners.empty() && owners.back() == nullptr) owners.pop_back();
    if (owners.empty()) owners_.erase(topic.topic);
  }
}

void ConsumerGroup::set_metadata(std::string_view member_id, MemberMetadata metadata) {
  ConsumerMember& member = member_or_new(member_id);
  count_metadata(member, -1);
  member.parts_.metadata = std::move(metadata);
  count_metadata(member, 1);
}

void ConsumerGroup::set_current(std::string_view member_id, CurrentAssignment current) {
  ConsumerMember& member = member_or_new(member_id);
  own(member, false);
  member.parts_.current = std::move(current);
  own(member, true);
}

void ConsumerGroup::erase_current(std::string_view member_id) {
  ConsumerMember* const found = member(member_id);
  if (found == nullptr) return;
  own(*found, false);
  found->parts_.current = {.epoch = leaving_epoch, .previous_epoch = leaving_epoch};
}

void ConsumerGroup::erase_member(std::string_view member_id) {
  const auto found = members_.find(member_id);
  if (found == members_.end()) return;
  own(*found->second, false);
  count_metadata(*found->second, -1);
  forget_heard(*found->second);
  members_.erase(found);
}

void ConsumerGroup::note_heard(ConsumerMember& member, env::TimePoint session_end) {
  member.session_end_ = session_end;
  forget_heard(member);
  if (!member.uses_classic_protocol()) member.heard_ = heard_.insert(heard_.end(), &member);
}

void ConsumerGroup::forget_heard(ConsumerMember& member) {
  if (member.heard_) heard_.erase(*member.heard_);
  member.heard_.reset();
}

void ConsumerGroup::set_regex(std::string_view regex, ResolvedRegex resolved) {
  resolved_.insert_or_assign(std::string(regex), std::move(resolved));
}

void ConsumerGroup::erase_regex(std::string_view regex) {
  const auto found = resolved_.find(regex);
  if (found != resolved_.end()) resolved_.erase(found);
}

}  // namespace arus::coordinator
