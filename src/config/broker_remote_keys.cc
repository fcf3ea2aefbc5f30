// Keys of a broker about tiered storage.
#include "config/key_tables.h"

namespace arus::config {
namespace {

using namespace words;

// clang-format off: a table reads best with one key's facts together.
constexpr ConfigKey broker_remote_keys_table[] = {
    {.name = "follower.fetch.last.tiered.offset.enable", .type = boolean, .update = cluster_wide,
     .fallback = "false",
     .doc = "Whether a new follower begins at the last offset that has been moved to tiered "
            "storage."},
    {.name = "log.local.retention.bytes", .type = int64, .update = cluster_wide, .fallback = "-2",
     .rule = at_least(-2),
     .doc = "How much of a partition stays on the local disk when the rest is in tiered "
            "storage; -2 means as retention says."},
    {.name = "log.local.retention.ms", .type = int64, .update = cluster_wide, .fallback = "-2",
     .rule = at_least(-2),
     .doc = "How long records stay on the local disk when they are in tiered storage; -2 means "
            "as retention says."},
    {.name = "remote.fetch.max.wait.ms", .type = int32, .update = cluster_wide, .fallback = "500",
     .rule = at_least(1),
     .doc = "How long a fetch waits for records in tiered storage."},
    {.name = "remote.list.offsets.request.timeout.ms", .type = int64, .update = cluster_wide,
     .fallback = "30000", .rule = at_least(1),
     .doc = "How long a search for an offset in tiered storage may take."},
    {.name = "remote.log.index.file.cache.total.size.bytes", .type = int64, .importance = low,
     .update = cluster_wide, .fallback = "1073741824", .rule = at_least(1),
     .doc = "Disk space for copies of the indexes of tiered segments."},
    {.name = "remote.log.index.file.cache.ttl.ms", .type = int64, .importance = low,
     .internal = true, .fallback = "900000", .rule = at_least(-1),
     .doc = "How long an unused copy of an index of a tiered segment is kept."},
    {.name = "remote.log.manager.copier.thread.pool.size", .type = int32, .update = cluster_wide,
     .fallback = "10", .rule = at_least(1),
     .doc = "Threads that copy segments to tiered storage."},
    {.name = "remote.log.manager.copy.max.bytes.per.second", .type = int64, .update = cluster_wide,
     .fallback = "9223372036854775807", .rule = at_least(1),
     .doc = "Bytes per second that are copied to tiered storage."},
    {.name = "remote.log.manager.copy.quota.window.num", .type = int32, .fallback = "11",
     .rule = at_least(1),
     .doc = "How many samples the quota of copies to tiered storage remembers."},
    {.name = "remote.log.manager.copy.quota.window.size.seconds", .type = int32, .fallback = "1",
     .rule = at_least(1),
     .doc = "How long one sample of the quota of copies to tiered storage lasts."},
    {.name = "remote.log.manager.expiration.thread.pool.size", .type = int32,
     .update = cluster_wide, .fallback = "10", .rule = at_least(1),
     .doc = "Threads that delete expired segments from tiered storage."},
    {.name = "remote.log.manager.fetch.max.bytes.per.second", .type = int64,
     .update = cluster_wide, .fallback = "9223372036854775807", .rule = at_least(1),
     .doc = "Bytes per second that are fetched from tiered storage."},
    {.name = "remote.log.manager.fetch.quota.window.num", .type = int32, .fallback = "11",
     .rule = at_least(1),
     .doc = "How many samples the quota of fetches from tiered storage remembers."},
    {.name = "remote.log.manager.fetch.quota.window.size.seconds", .type = int32, .fallback = "1",
     .rule = at_least(1),
     .doc = "How long one sample of the quota of fetches from tiered storage lasts."},
    {.name = "remote.log.manager.follower.thread.pool.size", .type = int32, .update = cluster_wide,
     .fallback = "2", .rule = at_least(1),
     .doc = "Threads that follow the state of tiered storage for follower replicas."},
    {.name = "remote.log.manager.task.interval.ms", .type = int64, .importance = low,
     .fallback = "30000", .rule = at_least(1),
     .doc = "How often segments are looked at for copying to or deleting from tiered storage."},
    {.name = "remote.log.manager.task.retry.backoff.max.ms", .type = int64, .importance = low,
     .internal = true, .fallback = "30000", .rule = at_least(1),
     .doc = "Longest pause before a failed tiered-storage task is tried again."},
    {.name = "remote.log.manager.task.retry.backoff.ms", .type = int64, .importance = low,
     .internal = true, .fallback = "500", .rule = at_least(1),
     .doc = "First pause before a failed tiered-storage task is tried again."},
    {.name = "remote.log.manager.task.retry.jitter", .type = float64, .importance = low,
     .internal = true, .fallback = "0.2", .rule = share_up_to(0.5),
     .doc = "Random share added to the pause before a failed tiered-storage task is tried "
            "again."},
    {.name = "remote.log.manager.thread.pool.size", .type = int32, .fallback = "2",
     .rule = at_least(1),
     .doc = "Threads that schedule tiered-storage tasks."},
    {.name = "remote.log.metadata.custom.metadata.max.bytes", .type = int32, .importance = low,
     .fallback = "128", .rule = at_least(0),
     .doc = "Largest text that a tiered-storage plugin may keep for a segment."},
    {.name = "remote.log.metadata.manager.class.name",
     .fallback = "org.apache.kafka.server.log.remote.metadata.storage."
                 "TopicBasedRemoteLogMetadataManager",
     .rule = nonempty_text,
     .doc = "The Java class that keeps track of tiered segments. Arus loads no Java classes."},
    {.name = "remote.log.metadata.manager.class.path",
     .doc = "Where the Java class that keeps track of tiered segments is loaded from."},
    {.name = "remote.log.metadata.manager.impl.prefix", .fallback = "rlmm.config.",
     .rule = nonempty_text,
     .doc = "Prefix of the keys that are handed to the class that keeps track of tiered "
            "segments."},
    {.name = "remote.log.metadata.manager.listener.name", .rule = nonempty_text,
     .doc = "The listener over which the class that keeps track of tiered segments connects."},
    {.name = "remote.log.reader.max.pending.tasks", .type = int32, .fallback = "100",
     .rule = at_least(1),
     .doc = "Most fetches that wait for tiered storage."},
    {.name = "remote.log.reader.threads", .type = int32, .update = cluster_wide, .fallback = "10",
     .rule = at_least(1),
     .doc = "Threads that read from tiered storage."},
    {.name = "remote.log.storage.manager.class.name", .rule = nonempty_text,
     .doc = "The Java class that reads and writes tiered storage. Arus loads no Java classes."},
    {.name = "remote.log.storage.manager.class.path",
     .doc = "Where the Java class that reads and writes tiered storage is loaded from."},
    {.name = "remote.log.storage.manager.impl.prefix", .fallback = "rsm.config.",
     .rule = nonempty_text,
     .doc = "Prefix of the keys that are handed to the class that reads and writes tiered "
            "storage."},
    {.name = "remote.log.storage.system.enable", .type = boolean, .fallback = "false",
     .doc = "Whether tiered storage is available to topics."},
};
// clang-format on

}  // namespace

std::span<const ConfigKey> broker_remote_keys() { return broker_remote_keys_table; }

}  // namespace arus::config
