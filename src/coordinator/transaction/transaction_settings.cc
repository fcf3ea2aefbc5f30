#include "coordinator/transaction/transaction_settings.h"

#include <algorithm>

namespace arus::coordinator {
namespace {

// Header of the batch and of the record around what a transaction says.
constexpr std::int32_t batch_overhead_bytes = 128;
// A transactional id and one topic name must fit whatever the setting says.
constexpr std::int32_t least_record_bytes = 64 * 1024;

}  // namespace

TransactionSettings TransactionSettings::from(const config::BrokerConfig& config) {
  const auto number = [&config](std::string_view key) {
    return static_cast<std::int32_t>(config.integer(key));
  };
  return {.max_timeout_ms = number("transaction.max.timeout.ms"),
          .abort_check_interval_ms =
              number("transaction.abort.timed.out.transaction.cleanup.interval.ms"),
          .expiry_check_interval_ms =
              number("transaction.remove.expired.transaction.cleanup.interval.ms"),
          .id_expiration_ms = number("transactional.id.expiration.ms"),
          .max_record_bytes =
              std::max(number("message.max.bytes") - batch_overhead_bytes, least_record_bytes)};
}

}  // namespace arus::coordinator
