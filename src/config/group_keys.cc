// Keys of a group.
#include "config/key_tables.h"

namespace arus::config {
namespace {

using namespace words;

// clang-format off: a table reads best with one key's facts together.
constexpr ConfigKey group_keys_table[] = {
    {.name = "consumer.assignment.interval.ms", .scope = group, .type = int32,
     .update = cluster_wide, .effect = at_once, .fallback = "1000", .rule = at_least(0),
     .synonyms = {{{"group.consumer.assignment.interval.ms"}}},
     .doc = "Shortest time between two computed assignments of this consumer group."},
    {.name = "consumer.heartbeat.interval.ms", .scope = group, .type = int32,
     .update = cluster_wide, .effect = at_once, .fallback = "5000", .rule = at_least(1),
     .synonyms = {{{"group.consumer.heartbeat.interval.ms"}}},
     .doc = "How often the members of this consumer group are told to send heartbeats."},
    {.name = "consumer.session.timeout.ms", .scope = group, .type = int32, .update = cluster_wide,
     .effect = at_once,
     .fallback = "45000", .rule = at_least(1),
     .synonyms = {{{"group.consumer.session.timeout.ms"}}},
     .doc = "A member of this consumer group that sends no heartbeat for this long is removed."},
    {.name = "share.assignment.interval.ms", .scope = group, .type = int32, .update = cluster_wide,
     .fallback = "1000", .rule = at_least(0),
     .synonyms = {{{"group.share.assignment.interval.ms"}}},
     .doc = "Shortest time between two computed assignments of this share group."},
    {.name = "share.auto.offset.reset", .scope = group, .update = cluster_wide,
     .fallback = "latest", .rule = offset_reset,
     .doc = "Where this share group begins on a partition that it has no state of: latest, "
            "earliest, or a duration back in time."},
    {.name = "share.delivery.count.limit", .scope = group, .type = int32, .update = cluster_wide,
     .fallback = "5", .rule = at_least(2), .synonyms = {{{"group.share.delivery.count.limit"}}},
     .doc = "How often a record is delivered to this share group before it is given up."},
    {.name = "share.heartbeat.interval.ms", .scope = group, .type = int32, .update = cluster_wide,
     .fallback = "5000", .rule = at_least(1),
     .synonyms = {{{"group.share.heartbeat.interval.ms"}}},
     .doc = "How often the members of this share group are told to send heartbeats."},
    {.name = "share.isolation.level", .scope = group, .update = cluster_wide,
     .fallback = "read_uncommitted", .rule = one_of("read_committed, read_uncommitted"),
     .doc = "Whether this share group reads records of transactions that are open or were "
            "aborted."},
    {.name = "share.partition.max.record.locks", .scope = group, .type = int32,
     .update = cluster_wide, .fallback = "2000", .rule = at_least(100),
     .synonyms = {{{"group.share.partition.max.record.locks"}}},
     .doc = "Most records of a share partition that members of this group may have locked at "
            "one time."},
    {.name = "share.record.lock.duration.ms", .scope = group, .type = int32,
     .update = cluster_wide, .fallback = "30000", .rule = at_least(1000),
     .synonyms = {{{"group.share.record.lock.duration.ms"}}},
     .doc = "How long a record stays locked for the member of this group it was delivered to."},
    {.name = "share.renew.acknowledge.enable", .scope = group, .type = boolean,
     .update = cluster_wide, .fallback = "true",
     .doc = "Whether members of this share group may prolong the lock of a record."},
    {.name = "share.session.timeout.ms", .scope = group, .type = int32, .update = cluster_wide,
     .fallback = "45000", .rule = at_least(1), .synonyms = {{{"group.share.session.timeout.ms"}}},
     .doc = "A member of this share group that sends no heartbeat for this long is removed."},
    {.name = "streams.assignment.interval.ms", .scope = group, .type = int32,
     .update = cluster_wide, .fallback = "1000", .rule = at_least(0),
     .synonyms = {{{"group.streams.assignment.interval.ms"}}},
     .doc = "Shortest time between two computed assignments of this streams group."},
    {.name = "streams.heartbeat.interval.ms", .scope = group, .type = int32,
     .update = cluster_wide, .fallback = "5000", .rule = at_least(1),
     .synonyms = {{{"group.streams.heartbeat.interval.ms"}}},
     .doc = "How often the members of this streams group are told to send heartbeats."},
    {.name = "streams.initial.rebalance.delay.ms", .scope = group, .type = int32,
     .update = cluster_wide, .fallback = "3000", .rule = at_least(0),
     .synonyms = {{{"group.streams.initial.rebalance.delay.ms"}}},
     .doc = "How long this streams group, when new, waits for more members before its first "
            "assignment."},
    {.name = "streams.num.standby.replicas", .scope = group, .type = int32, .update = cluster_wide,
     .fallback = "0", .rule = at_least(0), .synonyms = {{{"group.streams.num.standby.replicas"}}},
     .doc = "Standby replicas of each stateful task of this streams group."},
    {.name = "streams.session.timeout.ms", .scope = group, .type = int32, .update = cluster_wide,
     .fallback = "45000", .rule = at_least(1),
     .synonyms = {{{"group.streams.session.timeout.ms"}}},
     .doc = "A member of this streams group that sends no heartbeat for this long is removed."},
};
// clang-format on

}  // namespace

std::span<const ConfigKey> group_keys() { return group_keys_table; }

}  // namespace arus::config
