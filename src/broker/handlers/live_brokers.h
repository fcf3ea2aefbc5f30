// Which brokers a client of one listener can reach.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "broker/context.h"

namespace arus::broker {

// The brokers that are alive and have the client's listener. Made for one request.
class LiveBrokers {
 public:
  explicit LiveBrokers(const Context& context);

  struct Broker {
    BrokerAddress address;
    std::optional<std::string> rack;
  };
  [[nodiscard]] const std::map<BrokerId, Broker>& reachable() const { return reachable_; }
  [[nodiscard]] bool is_alive(BrokerId id) const { return alive_.contains(id); }

  // What Metadata says of a partition's leader: LEADER_NOT_AVAILABLE, LISTENER_NOT_FOUND or none.
  [[nodiscard]] ErrorCode leader_error(const metadata::PartitionImage& partition) const;
  [[nodiscard]] std::vector<BrokerId> offline_of(const metadata::PartitionImage& partition) const;

 private:
  std::map<BrokerId, Broker> reachable_;
  std::map<BrokerId, bool> alive_;
};

}  // namespace arus::broker
