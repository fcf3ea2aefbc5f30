#include "broker/coordinators.h"

#include <utility>

#include "coordinator/group/group_machine.h"
#include "coordinator/runtime/coordinator.h"
#include "coordinator/transaction/local_marker_sender.h"
#include "coordinator/transaction/transaction_machine.h"

namespace arus::broker {
namespace {

using coordinator::CoordinatorParts;
using coordinator::GroupMachine;
using coordinator::GroupSettings;
using coordinator::Machine;
using coordinator::TransactionMachine;
using coordinator::TransactionSettings;

// What is not the number of a codec is not compressed.
record::Compression codec_of(std::int64_t number) {
  const auto codec = static_cast<record::Compression>(number);
  return number >= 0 && record::is_known(codec) ? codec : record::Compression::none;
}

ProducerIds::Asker asker_of(const Services& services) {
  return {.controller = services.controller(),
          .broker = services.node_id(),
          .broker_epoch = services.broker_epoch()};
}

std::unique_ptr<Machine> make_group_machine(const Services& services, env::TimePoint now) {
  return std::make_unique<GroupMachine>(
      GroupSettings::from(*services.here().config()),
      [&services] { return services.environment().random().next(); }, now);
}

std::unique_ptr<Machine> make_transaction_machine(const Services& services,
                                                  coordinator::MarkerSender& markers,
                                                  std::int32_t partition, env::TimePoint now) {
  // So that the first producer needs not ask twice.
  services.here().producer_ids().prepare(asker_of(services));
  return std::make_unique<TransactionMachine>(
      TransactionSettings::from(*services.here().config()), partition, markers,
      [&services] { return services.here().producer_ids().take(asker_of(services)); }, now);
}

}  // namespace

Coordinators::Coordinators(const CoordinatorsParts& parts)
    : markers_(std::make_unique<coordinator::LocalMarkerSender>(parts.environment, parts.partitions,
                                                                parts.images)) {
  groups_ = std::make_unique<GroupCoordinator>(CoordinatorParts{
      .environment = parts.environment,
      .partitions = parts.partitions,
      .images = parts.images,
      .topic = group_topic,
      .make_machine = [this](std::int32_t,
                             env::TimePoint now) { return make_group_machine(*services_, now); },
      .compression = codec_of(parts.config.integer("offsets.topic.compression.codec"))});
  transactions_ = std::make_unique<TransactionCoordinator>(
      CoordinatorParts{.environment = parts.environment,
                       .partitions = parts.partitions,
                       .images = parts.images,
                       .topic = transaction_topic,
                       .make_machine =
                           [this](std::int32_t partition, env::TimePoint now) {
                             return make_transaction_machine(*services_, *markers_, partition, now);
                           },
                       .compression = record::Compression::none});
  markers_->connect(*groups_, *transactions_);
}

Coordinators::~Coordinators() = default;

env::Task<void> Coordinators::start(const Services& services) {
  services_ = &services;
  co_await groups_->start();
  co_await transactions_->start();
}

env::Task<void> Coordinators::stop() {
  co_await transactions_->stop();
  co_await groups_->stop();
  co_await markers_->stop();
}

void configure_coordinators_here(const Services& services, const config::BrokerConfig& config) {
  services.groups().for_each_here(
      [&config](GroupMachine& machine) { machine.configure(GroupSettings::from(config)); });
}

}  // namespace arus::broker
