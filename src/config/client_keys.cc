// Keys of client-metrics subscriptions, quotas and users.
#include "config/key_tables.h"

namespace arus::config {
namespace {

using namespace words;

// clang-format off: a table reads best with one key's facts together.
constexpr ConfigKey client_keys_table[] = {
    {.name = "interval.ms", .scope = client_metrics, .type = int32, .update = cluster_wide,
     .fallback = "300000",
     .doc = "How often clients that match push their metrics."},
    {.name = "match", .scope = client_metrics, .type = list, .update = cluster_wide,
     .fallback = "", .rule = any_list,
     .doc = "Which clients the subscription is for, as name=regular expression pairs; empty is "
            "all."},
    {.name = "metrics", .scope = client_metrics, .type = list, .update = cluster_wide,
     .fallback = "", .rule = any_list,
     .doc = "Prefixes of the metrics that are asked for; * is all, empty is none."},
    {.name = "consumer_byte_rate", .scope = client_quota, .type = int64, .update = cluster_wide,
     .fallback = "9223372036854775807",
     .doc = "Bytes per second that the clients of this quota may fetch from one broker."},
    {.name = "controller_mutation_rate", .scope = client_quota, .type = float64,
     .update = cluster_wide, .fallback = "2.147483647E9",
     .doc = "Partitions per second that the clients of this quota may create or delete."},
    {.name = "producer_byte_rate", .scope = client_quota, .type = int64, .update = cluster_wide,
     .fallback = "9223372036854775807",
     .doc = "Bytes per second that the clients of this quota may produce to one broker."},
    {.name = "request_percentage", .scope = client_quota, .type = float64, .update = cluster_wide,
     .fallback = "2.147483647E9",
     .doc = "Share of a broker's threads, in percent, that the clients of this quota may use."},
    {.name = "connection_creation_rate", .scope = ip_quota, .type = int32, .update = cluster_wide,
     .fallback = "2147483647", .rule = at_least(0),
     .doc = "New connections per second that are accepted from this address."},
    {.name = "SCRAM-SHA-256", .scope = user, .update = cluster_wide,
     .doc = "The user's SCRAM-SHA-256 credential."},
    {.name = "SCRAM-SHA-512", .scope = user, .update = cluster_wide,
     .doc = "The user's SCRAM-SHA-512 credential."},
    {.name = "consumer_byte_rate", .scope = user, .type = int64, .update = cluster_wide,
     .fallback = "9223372036854775807",
     .doc = "Bytes per second that this user may fetch from one broker."},
    {.name = "controller_mutation_rate", .scope = user, .type = float64, .update = cluster_wide,
     .fallback = "2.147483647E9",
     .doc = "Partitions per second that this user may create or delete."},
    {.name = "producer_byte_rate", .scope = user, .type = int64, .update = cluster_wide,
     .fallback = "9223372036854775807",
     .doc = "Bytes per second that this user may produce to one broker."},
    {.name = "request_percentage", .scope = user, .type = float64, .update = cluster_wide,
     .fallback = "2.147483647E9",
     .doc = "Share of a broker's threads, in percent, that this user may use."},
};
// clang-format on

}  // namespace

std::span<const ConfigKey> client_keys() { return client_keys_table; }

}  // namespace arus::config
