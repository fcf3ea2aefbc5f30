// Who leads a partition, who is in sync, after something has changed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "metadata/image.h"
#include "protocol/record/partition_change_record.h"

namespace arus::controller {

// The list without the others, in its order.
[[nodiscard]] std::vector<BrokerId> subtract(std::vector<BrokerId> list,
                                             const std::vector<BrokerId>& others);

enum class Election : std::uint8_t {
  online,     // keep the leader where it can stay
  preferred,  // the first replica, where it can
  unclean,    // any replica that is alive, rather than none
};

// What the world is for one partition.
struct PartitionSurroundings {
  std::int32_t min_insync_replicas = 1;
  bool elr_enabled = false;
  std::function<bool(BrokerId)> can_lead;  // alive, not fenced, not shutting down
};

// Computes one PartitionChangeRecord (KIP-966). Holds: the leader is always in the ISR; with ELR
// the ISR may be empty and then those who were last in sync are remembered; without, the last
// member stays in it. A leader that nobody knows to be in sync makes the partition RECOVERING.
class PartitionChange {
 public:
  PartitionChange(const Uuid& topic_id, std::int32_t index, const metadata::PartitionImage& current,
                  const PartitionSurroundings& surroundings);

  PartitionChange& isr(std::vector<BrokerId> target);
  PartitionChange& without(BrokerId broker);  // out of the ISR
  // These lost what they had not flushed: they are in no ISR and no ELR any more.
  PartitionChange& unclean_shutdown(std::set<BrokerId> brokers);
  PartitionChange& election(Election election);
  PartitionChange& reassign(std::vector<BrokerId> replicas, std::vector<BrokerId> adding,
                            std::vector<BrokerId> removing);
  // The epoch is raised even where the leader stays.
  PartitionChange& raise_epoch();

  // Nothing when nothing changes.
  [[nodiscard]] std::optional<protocol::PartitionChangeRecord> build();

 private:
  struct Elected {
    BrokerId leader = no_broker;
    bool unclean = false;
  };
  void complete_reassignment();
  void update_elr();
  [[nodiscard]] bool in_sync(BrokerId broker) const;
  [[nodiscard]] Elected elect() const;
  void apply_election(protocol::PartitionChangeRecord& record);
  void write_isr(protocol::PartitionChangeRecord& record) const;
  void write_elr(protocol::PartitionChangeRecord& record) const;
  void write_assignment(protocol::PartitionChangeRecord& record) const;

  Uuid topic_id_;
  std::int32_t index_;
  const metadata::PartitionImage& current_;
  const PartitionSurroundings& surroundings_;
  std::vector<BrokerId> isr_;
  std::vector<BrokerId> replicas_;
  std::vector<BrokerId> adding_;
  std::vector<BrokerId> removing_;
  std::vector<BrokerId> elr_;
  std::vector<BrokerId> last_known_elr_;
  std::int8_t recovery_state_;
  std::set<BrokerId> unclean_;
  Election election_ = Election::online;
  bool raise_epoch_ = false;
};

}  // namespace arus::controller
