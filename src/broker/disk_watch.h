// Tells everyone who has to know how the disks of this node are.
#pragma once

#include <memory>
#include <vector>

#include "controller/quorum_node.h"
#include "env/event.h"
#include "metrics/metrics.h"
#include "replication/directories.h"

namespace arus::broker {

// Follows the state of each log directory: metrics, and for one that fails the controller, which
// then places nothing there any more. The metadata log and its directory fail together.
// Owner: loop 0. The directories outlive it.
class DiskWatch {
 public:
  // `metadata` is the directory of the metadata log. `gate` is closed before the node stops.
  DiskWatch(metrics::Registry& metrics, const replication::Directories& directories,
            controller::QuorumNode& quorum, storage::LogDirectory* metadata, env::Gate& gate);
  ~DiskWatch();
  DiskWatch(const DiskWatch&) = delete;
  DiskWatch& operator=(const DiskWatch&) = delete;

  // The ids of those that can be used, of log.dirs.
  [[nodiscard]] std::vector<Uuid> online() const;
  void metadata_failed(const Error& error);
  // The node stops: nothing waits for space any more, and nobody is told.
  void stop();

 private:
  struct Series {
    explicit Series(metrics::Registry& registry, const std::string& path);
    void set(const storage::DirectoryStatus& status) const;
    metrics::Gauge& total_bytes;
    metrics::Gauge& usable_bytes;
    metrics::Gauge& reserve_bytes;
    metrics::Gauge& full;
    metrics::Gauge& stalled;
    metrics::Gauge& offline;
  };
  struct Watched {
    storage::LogDirectory* directory;
    Series series;
    bool failed = false;
  };
  void on_status(Watched& watched, const storage::DirectoryStatus& status);

  const replication::Directories& directories_;
  controller::QuorumNode& quorum_;
  storage::LogDirectory* const metadata_;
  env::Gate& gate_;
  std::vector<std::unique_ptr<Watched>> watched_;
  bool stopped_ = false;
};

}  // namespace arus::broker
