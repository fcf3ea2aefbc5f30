#include "broker/disk_watch.h"

#include "base/log.h"

namespace arus::broker {
namespace {

const LogComponent disk_watch_log{"broker.disks"};

env::Task<void> tell_controller(controller::QuorumNode* quorum, std::vector<Uuid> online) {
  if (const auto told = co_await quorum->keep_directories(std::move(online)); !told) {
    disk_watch_log.warning("the metadata does not know of the failed log directory: {}",
                           told.error().message);
  }
}

}  // namespace

DiskWatch::Series::Series(metrics::Registry& registry, const std::string& path)
    : total_bytes(registry.gauge("arus_log_directory_total_bytes",
                                 "Size of the file system of a log directory.",
                                 {{"directory", path}})),
      usable_bytes(registry.gauge("arus_log_directory_usable_bytes", "Bytes that are free there.",
                                  {{"directory", path}})),
      reserve_bytes(registry.gauge("arus_log_directory_reserve_bytes",
                                   "Bytes of it that records of clients do not get.",
                                   {{"directory", path}})),
      full(registry.gauge("arus_log_directory_full",
                          "1 while producers are refused because the disk is full.",
                          {{"directory", path}})),
      stalled(registry.gauge("arus_log_directory_stalled", "1 while the disk does not answer.",
                             {{"directory", path}})),
      offline(registry.gauge("arus_log_directory_offline",
                             "1 once a write or a flush has failed, until a restart.",
                             {{"directory", path}})) {}

void DiskWatch::Series::set(const storage::DirectoryStatus& status) const {
  total_bytes.set(status.total_bytes);
  usable_bytes.set(status.usable_bytes);
  reserve_bytes.set(status.reserve_bytes);
  full.set(status.full || status.waiting ? 1 : 0);
  stalled.set(status.stalled ? 1 : 0);
  offline.set(status.failure ? 1 : 0);
}

DiskWatch::DiskWatch(metrics::Registry& metrics, const replication::Directories& directories,
                     controller::QuorumNode& quorum, storage::LogDirectory* metadata,
                     env::Gate& gate)
    : directories_(directories), quorum_(quorum), metadata_(metadata), gate_(gate) {
  for (const auto& failed : directories.failed()) {
    Series(metrics, failed.path).set({.failure = failed.error});
  }
  std::vector<storage::LogDirectory*> all;
  for (const auto& directory : directories.all()) all.push_back(directory.get());
  if (metadata != nullptr && std::ranges::find(all, metadata) == all.end()) {
    all.push_back(metadata);
  }
  for (storage::LogDirectory* const directory : all) {
    watched_.push_back(
        std::make_unique<Watched>(Watched{directory, Series(metrics, directory->path())}));
    directory->watch([this, watched = watched_.back().get()](
                         const storage::DirectoryStatus& status) { on_status(*watched, status); });
  }
}

DiskWatch::~DiskWatch() {
  for (const auto& watched : watched_) watched->directory->watch(nullptr);
}

std::vector<Uuid> DiskWatch::online() const {
  std::vector<Uuid> ids;
  for (const auto& directory : directories_.all()) {
    if (!directory->offline()) ids.push_back(directory->identity()->directory_id);
  }
  return ids;
}

void DiskWatch::metadata_failed(const Error& error) {
  if (metadata_ != nullptr) metadata_->fail_offline(error);
}

void DiskWatch::stop() {
  stopped_ = true;
  for (const auto& watched : watched_) watched->directory->stop_waiting();
}

void DiskWatch::on_status(Watched& watched, const storage::DirectoryStatus& status) {
  watched.series.set(status);
  if (!status.failure || std::exchange(watched.failed, true) || stopped_) return;
  disk_watch_log.error("{} is offline until a restart: {}", watched.directory->path(),
                       status.failure->message);
  if (watched.directory == metadata_) {
    quorum_.fail_storage(*status.failure);
    return;
  }
  std::vector<Uuid> left = online();
  std::erase(left, watched.directory->identity()->directory_id);
  if (!left.empty()) env::spawn(gate_, tell_controller(&quorum_, std::move(left)));
}

}  // namespace arus::broker
