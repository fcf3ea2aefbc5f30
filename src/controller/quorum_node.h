// The metadata quorum as one node sees it: the facade that the broker's startup uses.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "controller/controller_api.h"
#include "controller/node_records.h"
#include "controller/settings.h"
#include "env/environment.h"
#include "metadata/image_publisher.h"
#include "raft/core/voters.h"

namespace arus::controller {

struct QuorumOptions {
  BrokerId node_id;
  std::string cluster_id;
  // The log directory that holds __cluster_metadata-0, and its id in meta.properties. Formatted
  // (raft/format.h) and locked by the caller for as long as the node lives.
  std::string metadata_directory;
  Uuid directory_id;
  // What `controller.quorum.voters` names: kraft.version 0. Empty: kraft.version 1, and the voters
  // are those of the log and its snapshots.
  std::vector<raft::Voter> static_voters;
  // Where this node's controller listens: the first of `controller.listener.names`, or
  // CONTROLLER://HOST:PORT+1. A sole voter writes it anew where the log says otherwise.
  std::vector<metadata::Endpoint> controller_endpoints;
  ControllerSettings settings;
  // Called once, on the node's loop, when the metadata log cannot be written any more: its
  // directory is offline (durability.md, rule 13). Metadata changes answer KAFKA_STORAGE_ERROR from
  // then on; images stay readable.
  std::function<void(const Error&)> on_storage_failure;
};

// What the broker in this process tells the controller about itself.
struct BrokerSelf {
  std::vector<metadata::Endpoint> endpoints;  // as advertised; the first is for other brokers
  std::optional<std::string> rack;
  std::vector<Uuid> directories;           // of all log.dirs
  std::vector<Uuid> cordoned_directories;  // `cordoned.log.dirs`
  // brokerEpoch of `.kafka_cleanshutdown` where every log directory had been stopped cleanly,
  // nothing otherwise: a node that may have lost a tail never claims a clean stop.
  std::optional<std::int64_t> previous_broker_epoch;
};

// One voter alone: raft, controller and broker registration in this process. The order of a start:
//
//   start()            reads snapshot and log, elects itself, activates the controller (the first
//                      start writes the bootstrap records). images() has the first image; logs can
//                      be opened by it, and strays be seen.
//   register_broker()  once the ports are bound. The broker is in the image, fenced.
//   unfence()          once the logs are open. Elects leaders and raises the leader epoch of every
//                      partition that this node leads (durability.md, rule 10); completes when that
//                      is durable and every loop has the image.
//
// and of a stop: leave() moves leaderships away as Kafka's controlled shutdown does, while handlers
// still answer; then the logs are closed; stop() fences the broker, writes what is left, ends the
// writer. The clean-shutdown marker that the caller writes afterwards carries broker_epoch().
// start() and all members but api() and images() are for the loop that called start(), the node's
// loop. Destroy it after stop().
class QuorumNode {
 public:
  static env::Task<Result<std::unique_ptr<QuorumNode>>> start(env::Environment& environment,
                                                              QuorumOptions options);
  virtual ~QuorumNode() = default;

  [[nodiscard]] virtual ControllerApi& api() = 0;
  [[nodiscard]] virtual metadata::ImagePublisher& images() = 0;

  virtual env::Task<Result<>> register_broker(BrokerSelf self) = 0;
  virtual env::Task<Result<>> unfence() = 0;
  virtual env::Task<Result<>> leave() = 0;
  // Tells which log directories can still be used, or where partitions are now; completes when that
  // is durable and every loop has the image.
  virtual env::Task<Result<>> keep_directories(std::vector<Uuid> online) = 0;
  virtual env::Task<Result<>> assign_directories(std::vector<DirectoryAssignment> assignments) = 0;
  // The directory of the metadata log has failed: it is not written any more.
  virtual void fail_storage(const Error& error) = 0;
  virtual env::Task<Result<>> stop() = 0;
  // stop() writes nothing any more: the metadata is left as a kill would leave it.
  virtual void stop_at_once() = 0;

  // Offset of the batch that registered this broker; −1 before register_broker().
  [[nodiscard]] virtual std::int64_t broker_epoch() const = 0;
  [[nodiscard]] virtual Uuid incarnation_id() const = 0;
  [[nodiscard]] virtual LeaderEpoch raft_epoch() const = 0;
  [[nodiscard]] virtual Offset high_watermark() const = 0;
};

}  // namespace arus::controller
