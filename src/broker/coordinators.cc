#include "broker/coordinators.h"

#include <utility>

#include "coordinator/group/group_machine.h"
#include "coordinator/runtime/coordinator.h"

namespace arus::broker {
namespace {

using coordinator::CoordinatorParts;
using coordinator::GroupMachine;
using coordinator::GroupSettings;
using coordinator::Machine;

// What is not the number of a codec is not compressed.
record::Compression codec_of(std::int64_t number) {
  const auto codec = static_cast<record::Compression>(number);
  return number >= 0 && record::is_known(codec) ? codec : record::Compression::none;
}

}  // namespace

Coordinators::Coordinators(const CoordinatorsParts& parts) {
  env::Environment& environment = parts.environment;
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
      .make_machine = [](std::int32_t, env::TimePoint) { return std::unique_ptr<Machine>(); },
      .compression = record::Compression::none});
}

Coordinators::~Coordinators() = default;

env::Task<void> Coordinators::start(const Services& services) {
  services_ = &services;
  co_await groups_->start();
  co_await transactions_->start();
}

env::Task<void> Coordinators::stop() {
  co_await groups_->stop();
  co_await transactions_->stop();
}

void configure_coordinators_here(const Services& services, const config::BrokerConfig& config) {
  services.groups().for_each_here(
      [&config](GroupMachine& machine) { machine.configure(GroupSettings::from(config)); });
}

}  // namespace arus::broker
