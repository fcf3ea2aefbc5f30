#include "coordinator/transaction/transaction_settings.h"

namespace arus::coordinator {

TransactionSettings TransactionSettings::from(const config::BrokerConfig& config) {
  const auto number = [&config](std::string_view key) {
    return static_cast<std::int32_t>(config.integer(key));
  };
  return {.max_timeout_ms = number("transaction.max.timeout.ms"),
          .abort_check_interval_ms =
              number("transaction.abort.timed.out.transaction.cleanup.interval.ms"),
          .expiry_check_interval_ms =
              number("transaction.remove.expired.transaction.cleanup.interval.ms"),
          .id_expiration_ms = number("transactional.id.expiration.ms")};
}

}  // namespace arus::coordinator
