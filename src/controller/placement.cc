#include "controller/placement.h"

#include <fmt/core.h>

#include <algorithm>

namespace arus::controller {
namespace {

bool all_cordoned(const metadata::BrokerImage& broker) {
  if (!broker.cordoned_directories || broker.directories.empty()) return false;
  return std::ranges::all_of(broker.directories, [&](const Uuid& id) {
    return std::ranges::find(*broker.cordoned_directories, id) !=
           broker.cordoned_directories->end();
  });
}

}  // namespace

Placement::Placement(const DecisionContext& context) : context_(context) {
  std::map<std::optional<std::string>, Rack> by_rack;
  for (const auto& [id, broker] : context.image.brokers) {
    if (all_cordoned(*broker)) continue;
    Rack& rack = by_rack[broker->rack];
    const bool alive = !broker->fenced && !broker->in_controlled_shutdown;
    (alive ? rack.alive : rack.fenced).push_back(id);
    alive_count_ += alive ? 1 : 0;
    ++broker_count_;
  }
  for (auto& [name, rack] : by_rack) {
    for (auto* brokers : {&rack.alive, &rack.fenced}) {
      if (brokers->size() < 2) continue;
      const auto start = context.random.below(brokers->size());
      std::rotate(brokers->begin(), brokers->begin() + static_cast<std::ptrdiff_t>(start),
                  brokers->end());
    }
    racks_.push_back(std::move(rack));
  }
  if (racks_.size() > 1) {
    const auto start = context.random.below(racks_.size());
    std::rotate(racks_.begin(), racks_.begin() + static_cast<std::ptrdiff_t>(start), racks_.end());
  }
}

Result<std::vector<BrokerId>> Placement::place(std::int16_t replication_factor) {
  const auto cannot = [&](const std::string& why) {
    return fail(
        ErrorCode::invalid_replication_factor,
        fmt::format("Unable to replicate the partition {} time(s): {}", replication_factor, why));
  };
  const auto wanted = static_cast<std::size_t>(replication_factor);
  if (wanted > broker_count_) {
    return cannot(fmt::format(
        "The target replication factor of {} cannot be reached because only {} broker(s) are "
        "registered or some brokers have all their log directories cordoned.",
        replication_factor, broker_count_));
  }
  if (alive_count_ == 0) return cannot("All brokers are currently fenced.");
  std::vector<BrokerId> replicas;
  const std::uint64_t round = round_++;
  for (const bool alive : {true, false}) {
    // One broker of each rack in turn, each rack beginning one further in every round.
    for (std::size_t turn = 0; turn < broker_count_ && replicas.size() < wanted; ++turn) {
      for (std::size_t i = 0; i < racks_.size() && replicas.size() < wanted; ++i) {
        const Rack& rack = racks_[(round + i) % racks_.size()];
        const auto& brokers = alive ? rack.alive : rack.fenced;
        if (turn >= brokers.size()) continue;
        replicas.push_back(brokers[(round / racks_.size() + turn) % brokers.size()]);
      }
    }
  }
  return replicas;
}

Uuid Placement::directory_of(BrokerId broker) {
  const auto image = context_.image.broker(broker);
  if (image == nullptr || image->directories.empty()) return directory_migrating;
  std::vector<Uuid> open = image->directories;
  if (image->cordoned_directories) {
    std::erase_if(open, [&](const Uuid& id) {
      return std::ranges::find(*image->cordoned_directories, id) !=
             image->cordoned_directories->end();
    });
  }
  if (open.empty()) return directory_unassigned;
  if (open.size() == 1) return open.front();
  if (broker != context_.self) return directory_unassigned;
  if (directory_load_.empty()) {
    for (const Uuid& id : open) directory_load_[id] = 0;
    for (const auto& [name, topic] : context_.image.topics) {
      for (const auto& partition : topic->partitions) {
        for (std::size_t i = 0; i < partition->replicas.size(); ++i) {
          if (partition->replicas[i] != broker) continue;
          const auto found = directory_load_.find(partition->directories[i]);
          if (found != directory_load_.end()) ++found->second;
        }
      }
    }
  }
  const auto emptiest =
      std::ranges::min_element(directory_load_, {}, [](const auto& entry) { return entry.second; });
  ++emptiest->second;
  return emptiest->first;
}

Result<> validate_assignment(const metadata::MetadataImage& image,
                             const std::vector<BrokerId>& replicas,
                             std::size_t replication_factor) {
  const auto bad = [](std::string message) {
    return fail(ErrorCode::invalid_replica_assignment, std::move(message));
  };
  if (replicas.empty()) {
    return bad("The manual partition assignment includes an empty replica list.");
  }
  std::vector<BrokerId> sorted = replicas;
  std::ranges::sort(sorted);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (!image.brokers.contains(sorted[i])) {
      return bad(fmt::format(
          "The manual partition assignment includes broker {}, but no such broker is registered.",
          sorted[i].value()));
    }
    if (i > 0 && sorted[i] == sorted[i - 1]) {
      return bad(
          fmt::format("The manual partition assignment includes the broker {} more than once.",
                      sorted[i].value()));
    }
  }
  if (replication_factor != 0 && replicas.size() != replication_factor) {
    return bad(fmt::format(
        "The manual partition assignment includes a partition with {} replica(s), but this is not "
        "consistent with previous partitions, which have {} replica(s).",
        replicas.size(), replication_factor));
  }
  return {};
}

Result<metadata::PartitionImage> new_partition(const DecisionContext& context, Placement& placement,
                                               std::int32_t index, std::vector<BrokerId> replicas) {
  metadata::PartitionImage partition;
  for (const BrokerId replica : replicas) {
    const auto broker = context.image.broker(replica);
    if (broker != nullptr && !broker->fenced && !broker->in_controlled_shutdown) {
      partition.isr.push_back(replica);
    }
    partition.directories.push_back(placement.directory_of(replica));
  }
  if (partition.isr.empty()) {
    return fail(ErrorCode::invalid_replica_assignment,
                fmt::format("All brokers specified in the manual partition assignment for "
                            "partition {} are fenced or in controlled shutdown.",
                            index));
  }
  partition.leader = partition.isr.front();
  partition.replicas = std::move(replicas);
  return partition;
}

}  // namespace arus::controller
