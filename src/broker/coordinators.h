// The coordinators of the node: of groups and of transactions.
#pragma once

#include <memory>

#include "broker/services.h"
#include "config/broker_config.h"
#include "env/environment.h"
#include "metadata/image_publisher.h"
#include "replication/partition_table.h"

namespace arus::coordinator {
class LocalMarkerSender;
}  // namespace arus::coordinator

namespace arus::broker {

inline constexpr const char* group_topic = "__consumer_offsets";
inline constexpr const char* transaction_topic = "__transaction_state";

// What the coordinators are made of; every reference outlives them.
struct CoordinatorsParts {
  env::Environment& environment;
  const config::BrokerConfig& config;  // without dynamic layers
  replication::PartitionTable& partitions;
  metadata::ImagePublisher& images;
};

// Made before the services, which refer to them, and started after: state machines take their
// settings from the services of their loop. Owner: loop 0.
class Coordinators {
 public:
  explicit Coordinators(const CoordinatorsParts& parts);
  ~Coordinators();
  Coordinators(const Coordinators&) = delete;
  Coordinators& operator=(const Coordinators&) = delete;

  [[nodiscard]] GroupCoordinator& groups() { return *groups_; }
  [[nodiscard]] TransactionCoordinator& transactions() { return *transactions_; }

  // Loads, in the background, the partitions that this node leads.
  env::Task<void> start(const Services& services);
  // Everyone who waits for a coordinator is told to look for it again.
  env::Task<void> stop();

 private:
  [[nodiscard]] ProducerIds::Asker asker() const;

  const Services* services_ = nullptr;
  std::unique_ptr<coordinator::LocalMarkerSender> markers_;
  std::unique_ptr<GroupCoordinator> groups_;
  std::unique_ptr<TransactionCoordinator> transactions_;
};

// Hands changed settings to the state machines of the current loop.
void configure_coordinators_here(const Services& services, const config::BrokerConfig& config);

}  // namespace arus::broker
