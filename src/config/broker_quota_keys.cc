// Keys of a broker about quotas.
#include "config/key_tables.h"

namespace arus::config {
namespace {

using namespace words;

// clang-format off: a table reads best with one key's facts together.
constexpr ConfigKey broker_quota_keys_table[] = {
    {.name = "alter.log.dirs.replication.quota.window.num", .type = int32, .importance = low,
     .fallback = "11", .rule = at_least(1),
     .doc = "How many samples the quota of moves between log directories remembers."},
    {.name = "alter.log.dirs.replication.quota.window.size.seconds", .type = int32,
     .importance = low, .fallback = "1", .rule = at_least(1),
     .doc = "How long one sample of the quota of moves between log directories lasts."},
    {.name = "client.quota.callback.class", .type = class_name, .importance = low,
     .doc = "A Java class that computes client quotas. Arus loads no Java classes."},
    {.name = "controller.quota.window.num", .type = int32, .importance = low, .fallback = "11",
     .rule = at_least(1),
     .doc = "How many samples the quota of metadata changes remembers."},
    {.name = "controller.quota.window.size.seconds", .type = int32, .importance = low,
     .fallback = "1", .rule = at_least(1),
     .doc = "How long one sample of the quota of metadata changes lasts."},
    {.name = "follower.replication.throttled.rate", .type = int64, .update = cluster_wide,
     .internal = true, .fallback = "9223372036854775807", .rule = at_least(0),
     .doc = "Bytes per second that throttled followers on this broker may fetch."},
    {.name = "leader.replication.throttled.rate", .type = int64, .update = cluster_wide,
     .internal = true, .fallback = "9223372036854775807", .rule = at_least(0),
     .doc = "Bytes per second that this broker may send to throttled followers."},
    {.name = "quota.window.num", .type = int32, .importance = low, .fallback = "11",
     .rule = at_least(1),
     .doc = "How many samples client quotas remember."},
    {.name = "quota.window.size.seconds", .type = int32, .importance = low, .fallback = "1",
     .rule = at_least(1),
     .doc = "How long one sample of client quotas lasts."},
    {.name = "replica.alter.log.dirs.io.max.bytes.per.second", .type = int64,
     .update = cluster_wide, .effect = at_once, .internal = true, .fallback = "9223372036854775807",
     .rule = at_least(0),
     .doc = "Bytes per second that moving partitions between log directories of this broker may "
            "take."},
    {.name = "replication.quota.window.num", .type = int32, .importance = low, .fallback = "11",
     .rule = at_least(1),
     .doc = "How many samples replication quotas remember."},
    {.name = "replication.quota.window.size.seconds", .type = int32, .importance = low,
     .fallback = "1", .rule = at_least(1),
     .doc = "How long one sample of replication quotas lasts."},
};
// clang-format on

}  // namespace

std::span<const ConfigKey> broker_quota_keys() { return broker_quota_keys_table; }

}  // namespace arus::config
