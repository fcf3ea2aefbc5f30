// The broker of this process: its parts, built bottom-up, and taken down in order.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/coordinators.h"
#include "broker/disk_watch.h"
#include "broker/metrics_endpoint.h"
#include "broker/services.h"
#include "config/broker_config.h"
#include "controller/quorum_node.h"
#include "env/environment.h"
#include "net/acceptor.h"
#include "net/pipeline.h"
#include "replication/partition_table.h"

namespace arus::broker {

struct BrokerOptions {
  std::shared_ptr<const config::BrokerConfig> config;
  // What the operator says the cluster is; a directory of another one is refused.
  std::optional<std::string> cluster_id;
  // Serve although settings in the metadata ask for protection that this version does not have.
  bool allow_insecure = false;
  // What no setting says of a log directory; small values let a simulation reach what takes long.
  storage::DirectoryOptions directory;
  // Of the process, for connections and files. Nothing: as many as the system allows.
  std::optional<std::size_t> descriptors;
};

// One node alone: voter, controller and broker in this process. Everything but the connections and
// partitions belongs to loop 0, where start() and stop() run. An error of start() is one sentence
// for the operator, and leaves nothing running.
class Broker final : private replication::DirectoryAssigner {
 public:
  static env::Task<Result<std::unique_ptr<Broker>>> start(env::Environment& environment,
                                                          BrokerOptions options);
  ~Broker() override;
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  // Answers what is under way, closes the logs, leaves the clean-shutdown marker. Once.
  env::Task<Result<>> stop();

  // Where clients are served, in the order of `listeners`.
  [[nodiscard]] std::vector<env::Address> addresses() const;
  [[nodiscard]] const std::string& cluster_id() const { return cluster_id_; }
  [[nodiscard]] metrics::Registry& metrics() { return metrics_; }
  [[nodiscard]] Services& services() { return *services_; }

 private:
  struct Bound {
    config::ListenerAddress address;
    std::unique_ptr<env::Listener> listener;
    bool controller = false;
  };

  Broker(env::Environment& environment, BrokerOptions options);
  env::Task<Result<>> begin();
  Result<> check_roles() const;
  Result<> bind();
  env::Task<Result<>> open_directories();
  [[nodiscard]] std::vector<metadata::Endpoint> controller_endpoints() const;
  env::Task<Result<>> start_quorum();
  [[nodiscard]] Result<> check_protection() const;
  env::Task<Result<>> start_partitions();
  // From any loop.
  env::Task<Result<>> assign_directory(TopicIdPartition partition, Uuid directory) override;
  env::Task<Result<>> join();
  env::Task<void> start_loops();
  void accept();
  Result<> serve_metrics();
  env::Task<void> stop_clients();

  env::Environment& environment_;
  BrokerOptions options_;
  const config::BrokerConfig& config_;
  metrics::Registry metrics_;
  std::vector<Bound> bound_;
  std::string cluster_id_;
  Uuid metadata_directory_id_;
  // Of the metadata directory where it is not one of log.dirs.
  std::unique_ptr<storage::LogDirectory> metadata_only_;
  std::vector<std::unique_ptr<storage::LogDirectory>> directories_;
  std::vector<replication::Directories::Failed> failed_directories_;
  std::unique_ptr<DiskWatch> disk_watch_;
  std::optional<std::int64_t> previous_epoch_;
  std::int64_t broker_epoch_ = -1;
  std::unique_ptr<controller::QuorumNode> quorum_;
  std::unique_ptr<replication::PartitionTable> partitions_;
  std::unique_ptr<Coordinators> coordinators_;
  std::unique_ptr<Services> services_;
  std::vector<std::unique_ptr<net::Handler>> handlers_;
  std::unique_ptr<net::Pipeline> pipeline_;
  std::unique_ptr<net::Pipeline> controller_pipeline_;
  net::ConnectionCount connection_count_;
  std::vector<std::unique_ptr<net::Acceptor>> acceptors_;
  std::unique_ptr<MetricsEndpoint> metrics_endpoint_;
  env::Gate gate_;
};

}  // namespace arus::broker
