// The settings of transaction coordination.
#pragma once

#include <cstdint>

#include "config/broker_config.h"

namespace arus::coordinator {

// Times in milliseconds.
struct TransactionSettings {
  static TransactionSettings from(const config::BrokerConfig& config);

  std::int32_t max_timeout_ms = 900'000;
  std::int32_t abort_check_interval_ms = 10'000;
  std::int32_t expiry_check_interval_ms = 3'600'000;
  std::int32_t id_expiration_ms = 604'800'000;
};

}  // namespace arus::coordinator
