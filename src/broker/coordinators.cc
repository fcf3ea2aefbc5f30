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

}  // namespace

Coordinators::Coordinators(const CoordinatorsParts& parts) {
  env::Environment& environment = parts.environment;
  markers_ =
      std::make_unique<coordinator::LocalMarkerSender>(environment, parts.partitions, parts.images);
  groups_ = std::make_unique<GroupCoordinator>(CoordinatorParts{
      .environment = environment,
      .partitions = parts.partitions,
      .images = parts.images,
      .topic = group_topic,
      .make_machine = [this, &environment](std::int32_t,
                                           env::TimePoint now) -> std::unique_ptr<Machine> {
        return std::make_unique<GroupMachine>(
            GroupSettings::from(*services_->here().config()),
            [&environment] { return environment.random().next(); }, now);
      },
      .compression = codec_of(parts.config.integer("offsets.topic.compression.codec"))});
  transactions_ = std::make_unique<TransactionCoordinator>(CoordinatorParts{
      .environment = environment,
      .partitions = parts.partitions,
      .images = parts.images,
      .topic = transaction_topic,
      .make_machine = [this](std::int32_t partition,
                             env::TimePoint now) -> std::unique_ptr<Machine> {
        // Those who come first do not have to wait for producer ids then.
        services_->here().producer_ids().prepare(asker());
        return std::make_unique<TransactionMachine>(
            TransactionSettings::from(*services_->here().config()), partition, *markers_,
            [this] { return services_->here().producer_ids().take(asker()); }, now);
      },
      .compression = record::Compression::none});
  markers_->connect(*groups_, *transactions_);
}

Coordinators::~Coordinators() = default;

ProducerIds::Asker Coordinators::asker() const {
  return {services_->controller(), services_->node_id(), services_->broker_epoch()};
}

env::Task<void> Coordinators::start(const Services& services) {
  services_ = &services;
  co_await groups_->start();
  co_await transactions_->start();
}

env::Task<void> Coordinators::stop() {
  co_await transactions_->stop();
  co_await markers_->stop();
  co_await groups_->stop();
}

void configure_coordinators_here(const Services& services, const config::BrokerConfig& config) {
  services.groups().for_each_here(
      [&config](GroupMachine& machine) { machine.configure(GroupSettings::from(config)); });
  services.transactions().for_each_here([&config](TransactionMachine& machine) {
    machine.configure(TransactionSettings::from(config));
  });
}

}  // namespace arus::broker
