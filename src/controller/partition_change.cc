#include "controller/partition_change.h"

#include <algorithm>

namespace arus::controller {
namespace {

constexpr std::int8_t recovering = 1;
constexpr BrokerId leader_unchanged{-2};

bool lists(const std::vector<BrokerId>& list, BrokerId broker) {
  return std::ranges::find(list, broker) != list.end();
}

}  // namespace

std::vector<BrokerId> subtract(std::vector<BrokerId> list, const std::vector<BrokerId>& others) {
  std::erase_if(list, [&](BrokerId broker) { return lists(others, broker); });
  return list;
}

PartitionChange::PartitionChange(const Uuid& topic_id, std::int32_t index,
                                 const metadata::PartitionImage& current,
                                 const PartitionSurroundings& surroundings)
    : topic_id_(topic_id),
      index_(index),
      current_(current),
      surroundings_(surroundings),
      isr_(current.isr),
      replicas_(current.replicas),
      adding_(current.adding),
      removing_(current.removing),
      elr_(current.elr),
      last_known_elr_(current.last_known_elr),
      recovery_state_(current.leader_recovery_state) {}

PartitionChange& PartitionChange::isr(std::vector<BrokerId> target) {
  isr_ = std::move(target);
  return *this;
}

PartitionChange& PartitionChange::without(BrokerId broker) {
  std::erase(isr_, broker);
  return *this;
}

PartitionChange& PartitionChange::unclean_shutdown(std::set<BrokerId> brokers) {
  unclean_ = std::move(brokers);
  return *this;
}

PartitionChange& PartitionChange::election(Election election) {
  election_ = election;
  return *this;
}

PartitionChange& PartitionChange::reassign(std::vector<BrokerId> replicas,
                                           std::vector<BrokerId> adding,
                                           std::vector<BrokerId> removing) {
  replicas_ = std::move(replicas);
  adding_ = std::move(adding);
  removing_ = std::move(removing);
  return *this;
}

PartitionChange& PartitionChange::raise_epoch() {
  raise_epoch_ = true;
  return *this;
}

void PartitionChange::complete_reassignment() {
  if (adding_.empty() && removing_.empty()) return;
  const std::vector<BrokerId> replicas = subtract(replicas_, removing_);
  const std::vector<BrokerId> isr = subtract(isr_, removing_);
  if (replicas.empty() || isr.empty()) return;
  for (const BrokerId added : adding_) {
    if (!lists(isr, added)) return;
  }
  replicas_ = replicas;
  isr_ = isr;
  adding_.clear();
  removing_.clear();
}

void PartitionChange::update_elr() {
  if (!surroundings_.elr_enabled) return;
  const auto enough = std::min<std::size_t>(
      static_cast<std::size_t>(surroundings_.min_insync_replicas), replicas_.size());
  if (isr_.size() >= enough) {
    elr_.clear();
    last_known_elr_.clear();
    return;
  }
  std::vector<BrokerId> candidates = current_.elr;
  for (const BrokerId member : current_.isr) {
    if (!lists(candidates, member)) candidates.push_back(member);
  }
  elr_ = subtract(candidates, isr_);
  std::erase_if(elr_, [&](BrokerId broker) { return unclean_.contains(broker); });
}

bool PartitionChange::in_sync(BrokerId broker) const {
  return lists(isr_, broker) || (surroundings_.elr_enabled && lists(elr_, broker));
}

PartitionChange::Elected PartitionChange::elect() const {
  const auto valid = [&](BrokerId broker) {
    return broker != no_broker && in_sync(broker) && surroundings_.can_lead(broker);
  };
  if (election_ == Election::preferred && !replicas_.empty() && valid(replicas_.front())) {
    return {replicas_.front()};
  }
  if (valid(current_.leader) && lists(replicas_, current_.leader)) return {current_.leader};
  for (const BrokerId replica : replicas_) {
    if (valid(replica)) return {replica};
  }
  // The one that led last has every record that was ever committed, unless it lost some.
  if (surroundings_.elr_enabled && isr_.empty() && elr_.empty() && last_known_elr_.size() == 1 &&
      surroundings_.can_lead(last_known_elr_.front())) {
    return {last_known_elr_.front(), true};
  }
  if (election_ == Election::unclean) {
    for (const BrokerId replica : replicas_) {
      if (surroundings_.can_lead(replica)) return {replica, true};
    }
  }
  return {};
}

void PartitionChange::apply_election(protocol::PartitionChangeRecord& record) {
  const Elected elected = elect();
  if (elected.leader == no_broker) {
    if (current_.leader != no_broker) record.leader = no_broker;
    return;
  }
  if (elected.leader != current_.leader || raise_epoch_) record.leader = elected.leader;
  if (elected.unclean) {
    isr_ = {elected.leader};
    recovery_state_ = recovering;
    update_elr();
  } else if (!lists(isr_, elected.leader)) {
    // Out of the ELR, and alone in sync.
    isr_ = {elected.leader};
    update_elr();
  }
}

void PartitionChange::write_isr(protocol::PartitionChangeRecord& record) const {
  if ((!isr_.empty() || surroundings_.elr_enabled) && isr_ != current_.isr) record.isr = isr_;
}

void PartitionChange::write_elr(protocol::PartitionChangeRecord& record) const {
  if (!surroundings_.elr_enabled) return;
  if (elr_ != current_.elr) record.eligible_leader_replicas = elr_;
  std::vector<BrokerId> last_known = last_known_elr_;
  const bool loses_leader = record.isr && record.isr->empty() && current_.leader != no_broker;
  if (loses_leader) last_known = {current_.leader};
  if (last_known != current_.last_known_elr) record.last_known_elr = last_known;
}

void PartitionChange::write_assignment(protocol::PartitionChangeRecord& record) const {
  if (replicas_ != current_.replicas) record.replicas = replicas_;
  if (removing_ != current_.removing) record.removing_replicas = removing_;
  if (adding_ != current_.adding) record.adding_replicas = adding_;
  // Whoever was thrown out must not go on as if nothing had happened.
  const bool shrinks = std::ranges::any_of(
      current_.replicas, [&](BrokerId replica) { return !lists(replicas_, replica); });
  if (shrinks && record.leader == leader_unchanged) record.leader = current_.leader;
}

std::optional<protocol::PartitionChangeRecord> PartitionChange::build() {
  protocol::PartitionChangeRecord record;
  record.partition_id = index_;
  record.topic_id = topic_id_;
  const protocol::PartitionChangeRecord nothing = record;
  if (!unclean_.empty() && surroundings_.elr_enabled) {
    std::erase_if(isr_, [&](BrokerId broker) { return unclean_.contains(broker); });
  }
  complete_reassignment();
  update_elr();
  apply_election(record);
  write_isr(record);
  write_elr(record);
  write_assignment(record);
  if (recovery_state_ != current_.leader_recovery_state) {
    record.leader_recovery_state = recovery_state_;
  }
  if (record == nothing) return std::nullopt;
  return record;
}

}  // namespace arus::controller
