// Keys of a broker about replicas.
#include "config/key_tables.h"

namespace arus::config {
namespace {

using namespace words;

// clang-format off: a table reads best with one key's facts together.
constexpr ConfigKey broker_replica_keys_table[] = {
    {.name = "auto.leader.rebalance.enable", .type = boolean, .importance = high,
     .fallback = "true",
     .doc = "Whether leadership is moved back to preferred replicas from time to time."},
    {.name = "controlled.shutdown.enable", .type = boolean, .fallback = "true",
     .doc = "Whether a stopping broker first hands its leaderships to others."},
    {.name = "default.replication.factor", .type = int32, .effect = at_restart, .fallback = "1",
     .doc = "Replicas of a topic for which nobody says how many, automatic creation included."},
    {.name = "min.insync.replicas", .type = int32, .importance = high, .update = cluster_wide,
     .effect = at_once, .fallback = "1", .rule = at_least(1),
     .doc = "A produce request with acks=all is refused while fewer replicas than this are in "
            "sync. A topic is never asked for more than it has replicas."},
    {.name = "num.replica.alter.log.dirs.threads", .type = int32, .importance = high,
     .doc = "Threads that move replicas between log directories."},
    {.name = "num.replica.fetchers", .type = int32, .importance = high, .update = cluster_wide,
     .fallback = "1", .rule = at_least(1),
     .doc = "Connections over which a follower fetches from each leader."},
    {.name = "replica.fetch.backoff.ms", .type = int32, .fallback = "1000", .rule = at_least(0),
     .doc = "Pause of a follower after an error of a fetch."},
    {.name = "replica.fetch.max.bytes", .type = int32, .fallback = "1048576", .rule = at_least(0),
     .doc = "Bytes per partition that a follower asks for at a time."},
    {.name = "replica.fetch.min.bytes", .type = int32, .importance = high, .fallback = "1",
     .doc = "Bytes that a follower waits for, up to replica.fetch.wait.max.ms."},
    {.name = "replica.fetch.response.max.bytes", .type = int32, .fallback = "10485760",
     .rule = at_least(0),
     .doc = "Bytes that a follower asks for at a time over all partitions."},
    {.name = "replica.fetch.wait.max.ms", .type = int32, .importance = high, .fallback = "500",
     .doc = "How long a follower's fetch waits for data."},
    {.name = "replica.high.watermark.checkpoint.interval.ms", .type = int64, .importance = high,
     .fallback = "5000",
     .doc = "How often high watermarks are written to disk."},
    {.name = "replica.lag.time.max.ms", .type = int64, .importance = high, .fallback = "30000",
     .doc = "A follower that has not caught up for this long is no longer in sync."},
    {.name = "replica.selector.class",
     .doc = "The Java class that sends consumers to a near replica. Arus loads no Java classes."},
    {.name = "replica.socket.receive.buffer.bytes", .type = int32, .importance = high,
     .fallback = "65536",
     .doc = "Receive buffer of the sockets of followers."},
    {.name = "replica.socket.timeout.ms", .type = int32, .importance = high, .fallback = "30000",
     .doc = "How long a follower waits for an answer of its leader."},
};
// clang-format on

}  // namespace

std::span<const ConfigKey> broker_replica_keys() { return broker_replica_keys_table; }

}  // namespace arus::config
