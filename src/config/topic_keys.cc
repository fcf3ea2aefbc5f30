// Keys of a topic.
#include "config/key_tables.h"

namespace arus::config {
namespace {

using namespace words;

// clang-format off: a table reads best with one key's facts together.
constexpr ConfigKey topic_keys_table[] = {
    {.name = "arus.batch.validation", .scope = topic, .update = cluster_wide, .effect = at_once,
     .fallback = "full", .rule = one_of("full, header"), .synonyms = {{{"arus.batch.validation"}}},
     .doc = "How closely produced batches are checked. `full` also decompresses each batch once "
            "and checks its records; `header` trusts producers and checks header, checksum and "
            "counts."},
    {.name = "arus.durability", .scope = topic, .importance = high, .update = cluster_wide,
     .effect = at_once, .fallback = "synced", .rule = one_of("synced, page-cache"),
     .synonyms = {{{"arus.durability"}}},
     .doc = "Whether an acknowledged record is on stable storage (synced) or in the operating "
            "system's page cache (page-cache, as in Kafka)."},
    {.name = "cleanup.policy", .scope = topic, .type = list, .update = cluster_wide,
     .effect = at_once, .fallback = "delete", .rule = list_of("compact, delete"),
     .synonyms = {{{"log.cleanup.policy"}}},
     .doc = "What is done with old segments of this topic: delete, compact, both, or nothing "
            "when empty. A compacted topic refuses records without a key."},
    {.name = "compression.gzip.level", .scope = topic, .type = int32, .update = cluster_wide,
     .effect = at_once, .fallback = "-1", .rule = gzip_level,
     .synonyms = {{{"compression.gzip.level"}}},
     .doc = "Level that batches are recompressed with where compression.type is gzip; -1 is the "
            "library's own default."},
    {.name = "compression.lz4.level", .scope = topic, .type = int32, .update = cluster_wide,
     .effect = at_once, .fallback = "9", .rule = between(1, 17),
     .synonyms = {{{"compression.lz4.level"}}},
     .doc = "Level that batches are recompressed with where compression.type is lz4."},
    {.name = "compression.type", .scope = topic, .update = cluster_wide, .effect = at_once,
     .fallback = "producer", .rule = one_of("uncompressed, zstd, lz4, snappy, gzip, producer"),
     .synonyms = {{{"compression.type"}}},
     .doc = "What batches of this topic are compressed with on disk. `producer` keeps each "
            "batch as it came; any other value recompresses batches of another codec."},
    {.name = "compression.zstd.level", .scope = topic, .type = int32, .update = cluster_wide,
     .effect = at_once, .fallback = "3", .rule = between(-131072, 22),
     .synonyms = {{{"compression.zstd.level"}}},
     .doc = "Level that batches are recompressed with where compression.type is zstd."},
    {.name = "delete.retention.ms", .scope = topic, .type = int64, .update = cluster_wide,
     .effect = at_once, .fallback = "86400000", .rule = at_least(0),
     .synonyms = {{{"log.cleaner.delete.retention.ms"}}},
     .doc = "How long tombstones stay readable when the topic is compacted."},
    {.name = "file.delete.delay.ms", .scope = topic, .type = int64, .update = cluster_wide,
     .effect = at_once, .fallback = "60000", .rule = at_least(0),
     .synonyms = {{{"log.segment.delete.delay.ms"}}},
     .doc = "How long the files of a deleted partition or segment are kept under another name "
            "before they are removed."},
    {.name = "flush.messages", .scope = topic, .type = int64, .update = cluster_wide,
     .fallback = "9223372036854775807", .rule = at_least(1),
     .synonyms = {{{"log.flush.interval.messages"}}},
     .doc = "Under arus.durability=page-cache: a partition is flushed after so many records. "
            "Under synced every append is flushed."},
    {.name = "flush.ms", .scope = topic, .type = int64, .update = cluster_wide,
     .fallback = "9223372036854775807", .rule = at_least(0),
     .synonyms = {{{"log.flush.interval.ms"}, {"log.flush.scheduler.interval.ms"}}},
     .doc = "Under arus.durability=page-cache: a record is flushed after at most this time. "
            "Under synced every append is flushed."},
    {.name = "follower.replication.throttled.replicas", .scope = topic, .type = list,
     .update = cluster_wide, .fallback = "", .rule = throttled_replicas,
     .doc = "Replicas whose followers are held to the replication quota, as partition:broker "
            "pairs, or * for all."},
    {.name = "index.interval.bytes", .scope = topic, .type = int32, .update = cluster_wide,
     .effect = at_next_segment, .fallback = "4096", .rule = at_least(0),
     .synonyms = {{{"log.index.interval.bytes"}}},
     .doc = "A segment gets an index entry after about this many bytes of records. Smaller "
            "makes reads more exact and indexes larger."},
    {.name = "internal.segment.bytes", .scope = topic, .type = int32, .update = cluster_wide,
     .effect = at_next_segment, .internal = true,
     .doc = "For tests: a segment size below the minimum of segment.bytes."},
    {.name = "leader.replication.throttled.replicas", .scope = topic, .type = list,
     .update = cluster_wide, .fallback = "", .rule = throttled_replicas,
     .doc = "Replicas whose leaders are held to the replication quota, as partition:broker "
            "pairs, or * for all."},
    {.name = "local.retention.bytes", .scope = topic, .type = int64, .update = cluster_wide,
     .fallback = "-2", .rule = at_least(-2), .synonyms = {{{"log.local.retention.bytes"}}},
     .doc = "How much of a partition stays on the local disk when the rest is in tiered "
            "storage; -2 means as retention.bytes says."},
    {.name = "local.retention.ms", .scope = topic, .type = int64, .update = cluster_wide,
     .fallback = "-2", .rule = at_least(-2), .synonyms = {{{"log.local.retention.ms"}}},
     .doc = "How long records stay on the local disk when they are in tiered storage; -2 means "
            "as retention.ms says."},
    {.name = "max.compaction.lag.ms", .scope = topic, .type = int64, .update = cluster_wide,
     .effect = at_once, .fallback = "9223372036854775807", .rule = at_least(1),
     .synonyms = {{{"log.cleaner.max.compaction.lag.ms"}}},
     .doc = "A record is never left uncompacted for longer than this."},
    {.name = "max.message.bytes", .scope = topic, .type = int32, .update = cluster_wide,
     .effect = at_once, .fallback = "1048588", .rule = at_least(0),
     .synonyms = {{{"message.max.bytes"}}},
     .doc = "Largest record batch that is accepted, after compression."},
    {.name = "message.timestamp.after.max.ms", .scope = topic, .type = int64,
     .update = cluster_wide, .effect = at_once, .fallback = "3600000", .rule = at_least(0),
     .synonyms = {{{"log.message.timestamp.after.max.ms"}}},
     .doc = "A record whose timestamp lies further in the future than this is refused; for "
            "CreateTime only."},
    {.name = "message.timestamp.before.max.ms", .scope = topic, .type = int64,
     .update = cluster_wide, .effect = at_once, .fallback = "9223372036854775807",
     .rule = at_least(0), .synonyms = {{{"log.message.timestamp.before.max.ms"}}},
     .doc = "A record whose timestamp lies further in the past than this is refused; for "
            "CreateTime only."},
    {.name = "message.timestamp.type", .scope = topic, .update = cluster_wide, .effect = at_once,
     .fallback = "CreateTime", .rule = one_of("CreateTime, LogAppendTime"),
     .synonyms = {{{"log.message.timestamp.type"}}},
     .doc = "Whether records keep the producer's time (CreateTime) or get the broker's "
            "(LogAppendTime)."},
    {.name = "min.cleanable.dirty.ratio", .scope = topic, .type = float64, .update = cluster_wide,
     .effect = at_once, .fallback = "0.5", .rule = share_up_to(1),
     .synonyms = {{{"log.cleaner.min.cleanable.ratio"}}},
     .doc = "The log is compacted once this share of it has not been compacted yet."},
    {.name = "min.compaction.lag.ms", .scope = topic, .type = int64, .update = cluster_wide,
     .effect = at_once, .fallback = "0", .rule = at_least(0),
     .synonyms = {{{"log.cleaner.min.compaction.lag.ms"}}},
     .doc = "A record is not compacted before it is this old."},
    {.name = "min.insync.replicas", .scope = topic, .type = int32, .update = cluster_wide,
     .effect = at_once, .fallback = "1", .rule = at_least(1),
     .synonyms = {{{"min.insync.replicas"}}},
     .doc = "A produce request with acks=all is refused while fewer replicas than this are in "
            "sync. No more is asked for than there are replicas."},
    {.name = "preallocate", .scope = topic, .type = boolean, .update = cluster_wide,
     .fallback = "false", .synonyms = {{{"log.preallocate"}}},
     .doc = "Whether the file of a new segment is given its full size at once."},
    {.name = "remote.log.copy.disable", .scope = topic, .type = boolean, .update = cluster_wide,
     .fallback = "false",
     .doc = "Whether tiered storage of this topic is only read from and no longer written to."},
    {.name = "remote.log.delete.on.disable", .scope = topic, .type = boolean,
     .update = cluster_wide, .fallback = "false",
     .doc = "Whether what is in tiered storage is deleted when it is switched off for this "
            "topic."},
    {.name = "remote.storage.enable", .scope = topic, .type = boolean, .update = cluster_wide,
     .fallback = "false",
     .doc = "Whether this topic uses tiered storage."},
    {.name = "retention.bytes", .scope = topic, .type = int64, .update = cluster_wide,
     .effect = at_once, .fallback = "-1", .synonyms = {{{"log.retention.bytes"}}},
     .doc = "A partition that grows beyond this loses its oldest segments; -1 is no limit."},
    {.name = "retention.ms", .scope = topic, .type = int64, .update = cluster_wide,
     .effect = at_once, .fallback = "604800000", .rule = at_least(-1),
     .synonyms = {{{"log.retention.ms"},
                   {"log.retention.minutes", 60'000},
                   {"log.retention.hours", 3'600'000}}},
     .doc = "How long records are kept; -1 is for ever."},
    {.name = "segment.bytes", .scope = topic, .type = int32, .update = cluster_wide,
     .effect = at_next_segment, .fallback = "1073741824", .rule = at_least(1048576),
     .synonyms = {{{"log.segment.bytes"}}},
     .doc = "A segment is closed before it grows beyond this size. Retention and compaction "
            "work on whole closed segments."},
    {.name = "segment.index.bytes", .scope = topic, .type = int32, .update = cluster_wide,
     .effect = at_next_segment, .fallback = "10485760", .rule = at_least(4),
     .synonyms = {{{"log.index.size.max.bytes"}}},
     .doc = "Largest size of one index file; a full index closes its segment."},
    {.name = "segment.jitter.ms", .scope = topic, .type = int64, .update = cluster_wide,
     .effect = at_next_segment, .fallback = "0", .rule = at_least(0),
     .synonyms = {{{"log.roll.jitter.ms"}, {"log.roll.jitter.hours", 3'600'000}}},
     .doc = "Random time taken off segment.ms, so that not all segments close at once."},
    {.name = "segment.ms", .scope = topic, .type = int64, .update = cluster_wide,
     .effect = at_next_segment, .fallback = "604800000", .rule = at_least(1),
     .synonyms = {{{"log.roll.ms"}, {"log.roll.hours", 3'600'000}}},
     .doc = "A segment is closed at this age, measured by the timestamps of its records, even "
            "when it is not full."},
    {.name = "unclean.leader.election.enable", .scope = topic, .type = boolean,
     .update = cluster_wide, .fallback = "false",
     .synonyms = {{{"unclean.leader.election.enable"}}},
     .doc = "Whether a replica that is not in sync may become leader when nothing else is left, "
            "at the price of lost records."},
};
// clang-format on

}  // namespace

std::span<const ConfigKey> topic_keys() { return topic_keys_table; }

}  // namespace arus::config
