// The topics that belong to the brokers themselves, as they are created.
#pragma once

#include <string>
#include <string_view>

#include "config/broker_config.h"
#include "controller/controller_api.h"
#include "env/task.h"
#include "metadata/image_publisher.h"
#include "protocol/api/create_topics.h"

namespace arus::broker {

// Of a coordinator that this broker has.
[[nodiscard]] bool is_coordinator_topic(std::string_view name);

// The topic as it is created where nobody has created it: an internal one with the partitions,
// replicas and settings that its coordinator needs, any other with the broker's defaults.
[[nodiscard]] protocol::CreateTopicsRequest::CreatableTopic new_topic(
    const config::BrokerConfig& config, std::string name);

// Completes when the current loop's image has this internal topic, which is created where it does
// not exist. Those who ask at the same time create it once. COORDINATOR_NOT_AVAILABLE where that is
// refused or takes until the deadline.
env::Task<Result<>> ensure_internal_topic(controller::ControllerApi& controller,
                                          const metadata::ImagePublisher& images,
                                          const config::BrokerConfig& config, std::string name,
                                          controller::CallerContext caller);

}  // namespace arus::broker
