// Keys of a broker about topics and the files of their logs.
#include "config/key_tables.h"

namespace arus::config {
namespace {

using namespace words;

// clang-format off: a table reads best with one key's facts together.
constexpr ConfigKey broker_log_keys_table[] = {
    {.name = "auto.create.topics.enable", .type = boolean, .importance = high,
     .effect = at_restart, .fallback = "true",
     .doc = "Whether asking for the metadata of a topic that does not exist creates it, with "
            "num.partitions and default.replication.factor."},
    {.name = "compression.gzip.level", .type = int32, .update = cluster_wide, .effect = at_once,
     .fallback = "-1", .rule = gzip_level,
     .doc = "Level that batches are recompressed with where compression.type is gzip; -1 is the "
            "library's own default."},
    {.name = "compression.lz4.level", .type = int32, .update = cluster_wide, .effect = at_once,
     .fallback = "9", .rule = between(1, 17),
     .doc = "Level that batches are recompressed with where compression.type is lz4."},
    {.name = "compression.type", .importance = high, .update = cluster_wide, .effect = at_once,
     .fallback = "producer", .rule = one_of("uncompressed, zstd, lz4, snappy, gzip, producer"),
     .doc = "What batches are compressed with on disk. `producer` keeps each batch as it came; "
            "any other value recompresses batches of another codec."},
    {.name = "compression.zstd.level", .type = int32, .update = cluster_wide, .effect = at_once,
     .fallback = "3", .rule = between(-131072, 22),
     .doc = "Level that batches are recompressed with where compression.type is zstd."},
    {.name = "cordoned.log.dirs", .type = list, .update = per_broker, .fallback = "",
     .rule = any_list,
     .doc = "Log directories that get no new partitions; * stands for all of them."},
    {.name = "create.topic.policy.class.name", .type = class_name, .importance = low,
     .doc = "A Java class that may veto new topics. Arus loads no Java classes."},
    {.name = "delete.records.purgatory.purge.interval.requests", .type = int32, .fallback = "1",
     .doc = "After how many finished DeleteRecords requests Kafka tidies its waiting list. Arus "
            "removes each at once."},
    {.name = "delete.topic.enable", .type = boolean, .importance = high, .effect = at_restart,
     .fallback = "true",
     .doc = "Whether topics may be deleted; when false, DeleteTopics is refused."},
    {.name = "log.cleaner.backoff.ms", .type = int64, .update = cluster_wide, .effect = at_once,
     .fallback = "15000", .rule = at_least(0),
     .doc = "How long the cleaner rests when there is nothing to compact."},
    {.name = "log.cleaner.dedupe.buffer.size", .type = int64, .update = cluster_wide,
     .effect = at_once, .fallback = "134217728",
     .doc = "Memory for the key maps of all loops together; arus.memory.compaction.bytes bounds "
            "it too."},
    {.name = "log.cleaner.delete.retention.ms", .type = int64, .update = cluster_wide,
     .effect = at_once, .fallback = "86400000", .rule = at_least(0),
     .doc = "How long tombstones stay readable in compacted topics."},
    {.name = "log.cleaner.enable", .type = boolean, .effect = at_restart, .fallback = "true",
     .doc = "Whether the cleaner runs. Without it compacted topics, such as those of offsets, "
            "grow for ever."},
    {.name = "log.cleaner.io.buffer.load.factor", .type = float64, .update = cluster_wide,
     .effect = at_once, .fallback = "0.9",
     .doc = "How full the cleaner's key map may become."},
    {.name = "log.cleaner.io.buffer.size", .type = int32, .update = cluster_wide,
     .fallback = "524288", .rule = at_least(0),
     .doc = "Memory for the read and write buffers of Kafka's cleaner threads. Arus uses less "
            "than 1 MiB and one batch on each loop."},
    {.name = "log.cleaner.io.max.bytes.per.second", .type = float64, .update = cluster_wide,
     .effect = at_once, .fallback = "1.7976931348623157E308",
     .doc = "Bytes per second that the cleaner may read and write."},
    {.name = "log.cleaner.max.compaction.lag.ms", .type = int64, .update = cluster_wide,
     .effect = at_once, .fallback = "9223372036854775807", .rule = at_least(1),
     .doc = "A record of a compacted topic is never left uncompacted for longer than this."},
    {.name = "log.cleaner.min.cleanable.ratio", .type = float64, .update = cluster_wide,
     .effect = at_once, .fallback = "0.5", .rule = share_up_to(1),
     .doc = "A log is compacted once this share of it has not been compacted yet."},
    {.name = "log.cleaner.min.compaction.lag.ms", .type = int64, .update = cluster_wide,
     .effect = at_once, .fallback = "0", .rule = at_least(0),
     .doc = "A record is not compacted before it is this old."},
    {.name = "log.cleaner.threads", .type = int32, .update = cluster_wide, .fallback = "1",
     .rule = at_least(0),
     .doc = "Threads that compact logs in Kafka. Arus compacts one log at a time on each loop, on "
            "its pool."},
    {.name = "log.cleanup.policy", .type = list, .update = cluster_wide, .effect = at_once,
     .fallback = "delete", .rule = list_of("compact, delete"),
     .doc = "What is done with old segments: delete, compact, both, or nothing when empty. A "
            "compacted topic refuses records without a key."},
    {.name = "log.dir", .type = list, .importance = high, .effect = at_restart,
     .fallback = "/tmp/kafka-logs", .rule = nonempty_list,
     .doc = "The data directory where log.dirs is not given."},
    {.name = "log.dir.failure.timeout.ms", .type = int64, .importance = low, .fallback = "30000",
     .rule = at_least(1),
     .doc = "A broker that cannot tell the controller of a failed log directory within this "
            "time stops."},
    {.name = "log.dirs", .type = list, .importance = high, .effect = at_restart,
     .rule = nonempty_list,
     .doc = "The data directories, separated by commas. Each is locked, stamped and written to "
            "independently."},
    {.name = "log.flush.interval.messages", .type = int64, .importance = high,
     .update = cluster_wide, .fallback = "9223372036854775807", .rule = at_least(1),
     .doc = "Under arus.durability=page-cache: a partition is flushed after so many records. "
            "Under synced every append is flushed."},
    {.name = "log.flush.interval.ms", .type = int64, .importance = high, .update = cluster_wide,
     .doc = "Under arus.durability=page-cache: a record is flushed after at most this time. "
            "Under synced every append is flushed."},
    {.name = "log.flush.offset.checkpoint.interval.ms", .type = int32, .importance = high,
     .fallback = "60000", .rule = at_least(0),
     .doc = "How often recovery points are written, from which a start after a crash begins to "
            "check."},
    {.name = "log.flush.scheduler.interval.ms", .type = int64, .importance = high,
     .fallback = "9223372036854775807",
     .doc = "How often Kafka looks for logs that are due to be flushed."},
    {.name = "log.flush.start.offset.checkpoint.interval.ms", .type = int32, .importance = high,
     .fallback = "60000", .rule = at_least(0),
     .doc = "How often log start offsets are written."},
    {.name = "log.index.interval.bytes", .type = int32, .update = cluster_wide,
     .effect = at_next_segment, .fallback = "4096", .rule = at_least(0),
     .doc = "A segment gets an index entry after about this many bytes of records."},
    {.name = "log.index.size.max.bytes", .type = int32, .update = cluster_wide,
     .effect = at_next_segment, .fallback = "10485760", .rule = at_least(4),
     .doc = "Largest size of one index file; a full index closes its segment."},
    {.name = "log.initial.task.delay.ms", .type = int64, .importance = low,
     .effect = at_restart, .internal = true, .fallback = "30000", .rule = at_least(0),
     .doc = "How long after the start the periodic chores of logs begin."},
    {.name = "log.message.timestamp.after.max.ms", .type = int64, .update = cluster_wide,
     .effect = at_once, .fallback = "3600000", .rule = at_least(0),
     .doc = "A record whose timestamp lies further in the future than this is refused; for "
            "CreateTime only."},
    {.name = "log.message.timestamp.before.max.ms", .type = int64, .update = cluster_wide,
     .effect = at_once, .fallback = "9223372036854775807", .rule = at_least(0),
     .doc = "A record whose timestamp lies further in the past than this is refused; for "
            "CreateTime only."},
    {.name = "log.message.timestamp.type", .update = cluster_wide, .effect = at_once,
     .fallback = "CreateTime", .rule = one_of("CreateTime, LogAppendTime"),
     .doc = "Whether records keep the producer's time or get the broker's."},
    {.name = "log.preallocate", .type = boolean, .update = cluster_wide, .fallback = "false",
     .doc = "Whether the file of a new segment is given its full size at once."},
    {.name = "log.retention.bytes", .type = int64, .importance = high, .update = cluster_wide,
     .effect = at_once, .fallback = "-1",
     .doc = "A partition that grows beyond this loses its oldest segments; -1 is no limit."},
    {.name = "log.retention.check.interval.ms", .type = int64, .effect = at_restart,
     .fallback = "300000", .rule = at_least(1),
     .doc = "How often logs are looked at for segments that may be deleted."},
    {.name = "log.retention.hours", .type = int32, .importance = high, .effect = at_restart,
     .fallback = "168",
     .doc = "How many hours records are kept where neither log.retention.minutes nor "
            "log.retention.ms is set."},
    {.name = "log.retention.minutes", .type = int32, .importance = high, .effect = at_restart,
     .doc = "How many minutes records are kept where log.retention.ms is not set."},
    {.name = "log.retention.ms", .type = int64, .importance = high, .update = cluster_wide,
     .effect = at_once,
     .doc = "How long records are kept; -1 is for ever. Unset, log.retention.minutes and then "
            "log.retention.hours count."},
    {.name = "log.roll.hours", .type = int32, .importance = high, .effect = at_next_segment,
     .fallback = "168", .rule = at_least(1),
     .doc = "A segment is closed after so many hours where log.roll.ms is not set."},
    {.name = "log.roll.jitter.hours", .type = int32, .importance = high, .effect = at_next_segment,
     .fallback = "0", .rule = at_least(0),
     .doc = "Random hours taken off the age at which a segment is closed where "
            "log.roll.jitter.ms is not set."},
    {.name = "log.roll.jitter.ms", .type = int64, .importance = high, .update = cluster_wide,
     .effect = at_next_segment,
     .doc = "Random time taken off the age at which a segment is closed, so that not all close "
            "at once."},
    {.name = "log.roll.ms", .type = int64, .importance = high, .update = cluster_wide,
     .effect = at_next_segment,
     .doc = "A segment is closed at this age, measured by the timestamps of its records. Unset, "
            "log.roll.hours counts."},
    {.name = "log.segment.bytes", .type = int32, .importance = high, .update = cluster_wide,
     .effect = at_next_segment, .fallback = "1073741824", .rule = at_least(1048576),
     .doc = "A segment is closed before it grows beyond this size."},
    {.name = "log.segment.delete.delay.ms", .type = int64, .importance = high,
     .update = cluster_wide, .effect = at_once, .fallback = "60000", .rule = at_least(0),
     .doc = "How long the files of a deleted partition or segment are kept under another name "
            "before they are removed."},
    {.name = "message.max.bytes", .type = int32, .importance = high, .update = cluster_wide,
     .effect = at_once, .fallback = "1048588", .rule = at_least(0),
     .doc = "Largest record batch that is accepted, after compression."},
    {.name = "num.partitions", .type = int32, .effect = at_restart, .fallback = "1",
     .rule = at_least(1),
     .doc = "Partitions of a topic for which nobody says how many, automatic creation included."},
    {.name = "num.recovery.threads.per.data.dir", .type = int32, .importance = high,
     .update = cluster_wide, .fallback = "2", .rule = at_least(1),
     .doc = "Threads per directory that check logs after a crash in Kafka. Arus recovers on its "
            "pool."},
};
// clang-format on

}  // namespace

std::span<const ConfigKey> broker_log_keys() { return broker_log_keys_table; }

}  // namespace arus::config
