// The parts of the table, one file each, and the words that they are written with.
#pragma once

#include <span>

#include "config/config_key.h"

namespace arus::config {

// Each sorted by name.
std::span<const ConfigKey> broker_arus_keys();
std::span<const ConfigKey> broker_group_keys();
std::span<const ConfigKey> broker_log_keys();
std::span<const ConfigKey> broker_network_keys();
std::span<const ConfigKey> broker_node_keys();
std::span<const ConfigKey> broker_quorum_keys();
std::span<const ConfigKey> broker_quota_keys();
std::span<const ConfigKey> broker_remote_keys();
std::span<const ConfigKey> broker_replica_keys();
std::span<const ConfigKey> broker_sasl_keys();
std::span<const ConfigKey> broker_security_keys();
std::span<const ConfigKey> broker_transaction_keys();
std::span<const ConfigKey> topic_keys();
std::span<const ConfigKey> group_keys();
std::span<const ConfigKey> client_keys();  // client-metrics subscriptions, quotas, users

namespace words {

using enum Scope;
using enum Type;
using enum Update;
using enum Effect;
using enum Importance;

constexpr Rule at_least(std::int64_t min) {
  return {.kind = Rule::Kind::integer_range, .min = min};
}
constexpr Rule between(std::int64_t min, std::int64_t max) {
  return {.kind = Rule::Kind::integer_range, .min = min, .max = max};
}
constexpr Rule share_up_to(double max) {
  return {.kind = Rule::Kind::decimal_range, .max_decimal = max};
}
constexpr Rule one_of(std::string_view words) {
  return {.kind = Rule::Kind::one_of, .words = words};
}
constexpr Rule one_of_ignoring_case(std::string_view words) {
  return {.kind = Rule::Kind::one_of_ignoring_case, .words = words};
}
constexpr Rule list_of(std::string_view words) {
  return {.kind = Rule::Kind::list_of, .words = words};
}
constexpr Rule nonempty_list_of(std::string_view words) {
  return {.kind = Rule::Kind::nonempty_list_of, .words = words};
}
inline constexpr Rule any_list{.kind = Rule::Kind::list};
inline constexpr Rule nonempty_list{.kind = Rule::Kind::nonempty_list};
inline constexpr Rule voters{.kind = Rule::Kind::voters};
inline constexpr Rule bootstrap_servers{.kind = Rule::Kind::bootstrap_servers};
inline constexpr Rule nonempty_text{.kind = Rule::Kind::nonempty_text};
inline constexpr Rule gzip_level{.kind = Rule::Kind::gzip_level};
inline constexpr Rule throttled_replicas{.kind = Rule::Kind::throttled_replicas};
inline constexpr Rule offset_reset{.kind = Rule::Kind::offset_reset};

}  // namespace words
}  // namespace arus::config
