// Arus's own keys of a broker.
#include "config/key_tables.h"

namespace arus::config {
namespace {

using namespace words;

// clang-format off: a table reads best with one key's facts together.
constexpr ConfigKey broker_arus_keys_table[] = {
    {.name = "arus.batch.validation", .update = cluster_wide, .effect = at_once,
     .fallback = "full", .rule = one_of("full, header"),
     .doc = "How closely produced batches are checked. `full` also decompresses each batch once "
            "and checks its records; `header` trusts producers and checks header, checksum and "
            "counts."},
    {.name = "arus.disk.reserve.bytes", .type = int64, .effect = at_restart,
     .fallback = "268435456", .rule = at_least(0),
     .doc = "Space on the disk of each log directory that records of clients do not get, so that "
            "deleting, retention, checkpoints and a restart work on a full disk; of a small disk "
            "a twentieth. Below it producers get KAFKA_STORAGE_ERROR until there is space. 0: no "
            "reserve."},
    {.name = "arus.durability", .importance = high, .update = cluster_wide, .effect = at_once,
     .fallback = "synced", .rule = one_of("synced, page-cache"),
     .doc = "Whether an acknowledged record is on stable storage (synced) or in the operating "
            "system's page cache (page-cache, as in Kafka). Internal topics are always synced."},
    {.name = "arus.loops", .type = int32, .effect = at_restart, .fallback = "0",
     .rule = between(0, 1024),
     .doc = "Event loops, each with a thread, that share connections and partitions; 0 is one "
            "on up to two cores, else half the cores."},
    {.name = "arus.memory.answer.bytes", .type = int64, .effect = at_restart,
     .fallback = "268435456", .rule = at_least(1048576),
     .doc = "Share of the memory budget for answers that clients have not taken yet."},
    {.name = "arus.memory.cache.bytes", .type = int64, .fallback = "33554432", .rule = at_least(0),
     .doc = "Newest record batches that are kept in memory for readers at the end of their "
            "partitions."},
    {.name = "arus.memory.compaction.bytes", .type = int64, .effect = at_restart,
     .fallback = "134217728", .rule = at_least(1048576),
     .doc = "Share of the memory budget for compacting logs."},
    {.name = "arus.memory.connection.answer.bytes", .type = int64, .fallback = "4194304",
     .rule = at_least(65536),
     .doc = "Unsent answers that one connection may have before nothing more is read from it."},
    {.name = "arus.memory.decompression.bytes", .type = int64, .fallback = "134217728",
     .rule = at_least(1048576),
     .doc = "Share of the memory budget for batches that are being decompressed or "
            "recompressed."},
    {.name = "arus.memory.request.bytes", .type = int64, .effect = at_restart,
     .fallback = "268435456", .rule = at_least(1048576),
     .doc = "Share of the memory budget for requests that are read but not answered. When it is "
            "used up, sockets are not read."},
    {.name = "arus.memory.writer.bytes", .type = int64, .effect = at_restart,
     .fallback = "67108864", .rule = at_least(1048576),
     .doc = "Bytes that may wait for the writer of one log directory. When it is used up, "
            "appends are refused with REQUEST_TIMED_OUT."},
    {.name = "arus.metrics.listen", .effect = at_restart,
     .doc = "Address, as host:port, at which Prometheus finds the metrics at /metrics. Not set, "
            "there is no such endpoint."},
    {.name = "arus.scrub.bytes.per.second", .type = int64, .update = cluster_wide,
     .effect = at_once, .fallback = "8388608", .rule = at_least(0),
     .doc = "How fast, after each start, the checksums of stored batches are compared in the "
            "background, once; 0 leaves it to readers."},
    {.name = "arus.send.timeout.ms", .type = int64, .effect = at_restart, .fallback = "30000",
     .rule = at_least(1),
     .doc = "A connection that takes no byte of its answers for this long is closed."},
};
// clang-format on

}  // namespace

std::span<const ConfigKey> broker_arus_keys() { return broker_arus_keys_table; }

}  // namespace arus::config
