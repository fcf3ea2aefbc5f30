// What handlers stand on: the parts of the node, and each loop's own part of the broker.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/fetch_session.h"
#include "broker/producer_ids.h"
#include "broker/write_turns.h"
#include "config/broker_config.h"
#include "controller/controller_api.h"
#include "env/environment.h"
#include "metadata/image_publisher.h"
#include "metrics/metrics.h"
#include "net/authorization.h"
#include "net/connection_set.h"
#include "net/memory_budget.h"
#include "replication/partition_table.h"

namespace arus::coordinator {
template <class Machine>
class Coordinator;
class GroupMachine;
class TransactionMachine;
}  // namespace arus::coordinator

namespace arus::broker {

using GroupCoordinator = coordinator::Coordinator<coordinator::GroupMachine>;
using TransactionCoordinator = coordinator::Coordinator<coordinator::TransactionMachine>;

class Services;

// One loop's part: its view of the settings, its connections, sessions and producer ids.
// Owner: its loop; made and destroyed by the broker while the loop does nothing with it.
class LoopServices final : private metadata::ImageSubscriber {
 public:
  LoopServices(Services& services, env::Loop& loop, net::NetworkMetrics& metrics);
  ~LoopServices() override;

  // On the loop. Follows the image, for dynamic settings.
  void start();
  void stop();

  // Effective settings, dynamic ones included.
  [[nodiscard]] const std::shared_ptr<const config::BrokerConfig>& config() const {
    return config_;
  }
  [[nodiscard]] net::ConnectionSet& connections() { return connections_; }
  [[nodiscard]] net::MemoryBudget& budget() { return budget_; }
  [[nodiscard]] FetchSessions& fetch_sessions() { return fetch_sessions_; }
  [[nodiscard]] ProducerIds& producer_ids() { return producer_ids_; }
  [[nodiscard]] WriteTurns& write_turns() { return write_turns_; }

 private:
  void on_image(const metadata::ImagePointer& image, const metadata::MetadataDelta& delta) override;
  void recompute(const metadata::MetadataImage& image);

  Services& services_;
  env::Loop& loop_;
  std::shared_ptr<const config::BrokerConfig> config_;
  net::MemoryBudget budget_;
  net::ConnectionSet connections_;
  FetchSessions fetch_sessions_;
  ProducerIds producer_ids_;
  WriteTurns write_turns_;
  bool started_ = false;
};

// What Services are made of; every reference outlives them.
struct ServiceParts {
  env::Environment& environment;
  std::shared_ptr<const config::BrokerConfig> config;  // without dynamic layers
  controller::ControllerApi& controller;
  metadata::ImagePublisher& images;
  replication::PartitionTable& partitions;
  GroupCoordinator& groups;
  TransactionCoordinator& transactions;
  metrics::Registry& metrics;
  std::string cluster_id;
  std::int64_t broker_epoch = -1;
};

// The whole node as handlers see it. Immutable itself; callable from every loop.
class Services final : public net::AccessRules {
 public:
  explicit Services(ServiceParts parts);
  ~Services() override;

  [[nodiscard]] env::Environment& environment() const { return parts_.environment; }
  [[nodiscard]] controller::ControllerApi& controller() const { return parts_.controller; }
  [[nodiscard]] metadata::ImagePublisher& images() const { return parts_.images; }
  // The current loop's image; hold on to it while looking at its parts.
  [[nodiscard]] metadata::ImagePointer image() const { return parts_.images.current(); }
  [[nodiscard]] replication::PartitionTable& partitions() const { return parts_.partitions; }
  // Handlers include coordinator/runtime/coordinator.h and the machine that they ask.
  [[nodiscard]] GroupCoordinator& groups() const { return parts_.groups; }
  [[nodiscard]] TransactionCoordinator& transactions() const { return parts_.transactions; }
  [[nodiscard]] metrics::Registry& metrics() const { return parts_.metrics; }
  [[nodiscard]] const std::string& cluster_id() const { return parts_.cluster_id; }
  [[nodiscard]] BrokerId node_id() const { return parts_.config->node_id; }
  [[nodiscard]] std::int64_t broker_epoch() const { return parts_.broker_epoch; }
  // server.properties as it was read; the settings in force are here().config().
  [[nodiscard]] const config::BrokerConfig& static_config() const { return *parts_.config; }
  [[nodiscard]] const std::shared_ptr<const config::BrokerConfig>& shared_static_config() const {
    return parts_.config;
  }

  [[nodiscard]] LoopServices& here() const { return on(env::Loop::current()->index()); }
  [[nodiscard]] LoopServices& on(std::size_t loop_index) const { return *loops_[loop_index]; }
  [[nodiscard]] std::size_t loop_count() const { return loops_.size(); }

  [[nodiscard]] const security::Authorizer& authorizer() const override { return authorizer_; }
  [[nodiscard]] std::shared_ptr<const security::AclSet> acls() const override {
    return image()->acls;
  }

 private:
  ServiceParts parts_;
  security::Authorizer authorizer_;
  std::unique_ptr<net::NetworkMetrics> network_metrics_;
  std::vector<std::unique_ptr<LoopServices>> loops_;
};

}  // namespace arus::broker
