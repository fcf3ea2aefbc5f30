#include "broker/handlers/live_brokers.h"

namespace arus::broker {

LiveBrokers::LiveBrokers(const Context& context) {
  const auto image = context.image();
  for (const auto& [id, broker] : image->brokers) {
    if (broker->fenced) continue;
    alive_[id] = true;
    auto address = context.address_of(*broker);
    if (address) reachable_[id] = {.address = std::move(*address), .rack = broker->rack};
  }
}

ErrorCode LiveBrokers::leader_error(const metadata::PartitionImage& partition) const {
  if (!is_alive(partition.leader)) return ErrorCode::leader_not_available;
  return reachable_.contains(partition.leader) ? ErrorCode::none : ErrorCode::listener_not_found;
}

std::vector<BrokerId> LiveBrokers::offline_of(const metadata::PartitionImage& partition) const {
  std::vector<BrokerId> offline;
  for (const auto& id : partition.replicas) {
    if (!is_alive(id)) offline.push_back(id);
  }
  return offline;
}

}  // namespace arus::broker
