// Keys of a broker about transactions and idempotent producers.
#include "config/key_tables.h"

namespace arus::config {
namespace {

using namespace words;

// clang-format off: a table reads best with one key's facts together.
constexpr ConfigKey broker_transaction_keys_table[] = {
    {.name = "add.partitions.to.txn.retry.backoff.max.ms", .type = int32, .importance = high,
     .effect = at_restart, .fallback = "100", .rule = at_least(0),
     .doc = "The broker stops retrying to add a partition to a transaction once this much time "
            "has gone by."},
    {.name = "add.partitions.to.txn.retry.backoff.ms", .type = int32, .importance = high,
     .fallback = "20", .rule = at_least(1),
     .doc = "Pause between two tries to add a partition to a transaction while the previous one "
            "is still completing."},
    {.name = "producer.id.expiration.check.interval.ms", .type = int32, .importance = low,
     .internal = true, .fallback = "600000", .rule = at_least(1),
     .doc = "How often idle producer ids are looked for."},
    {.name = "producer.id.expiration.ms", .type = int32, .importance = low, .update = cluster_wide,
     .fallback = "86400000", .rule = at_least(1),
     .doc = "A partition forgets an idempotent producer that has written nothing for this long."},
    {.name = "transaction.abort.timed.out.transaction.cleanup.interval.ms", .type = int32,
     .importance = low, .effect = at_restart, .fallback = "10000", .rule = at_least(1),
     .doc = "How often transactions that took too long are looked for."},
    {.name = "transaction.max.timeout.ms", .type = int32, .importance = high, .effect = at_restart,
     .fallback = "900000",
     .rule = at_least(1),
     .doc = "Longest transaction timeout that a producer may ask for."},
    {.name = "transaction.partition.verification.enable", .type = boolean, .importance = low,
     .update = cluster_wide, .effect = at_once, .fallback = "true",
     .doc = "Whether an append of a transaction is checked against the coordinator before it is "
            "taken."},
    {.name = "transaction.remove.expired.transaction.cleanup.interval.ms", .type = int32,
     .importance = low, .effect = at_restart, .fallback = "3600000", .rule = at_least(1),
     .doc = "How often unused transactional ids are looked for."},
    {.name = "transaction.state.log.load.buffer.size", .type = int32, .importance = high,
     .fallback = "5242880", .rule = at_least(1),
     .doc = "How many bytes of the transaction topic are read at a time when a coordinator "
            "starts."},
    {.name = "transaction.state.log.min.isr", .type = int32, .importance = high, .fallback = "2",
     .rule = at_least(1),
     .doc = "min.insync.replicas of the transaction topic."},
    {.name = "transaction.state.log.num.partitions", .type = int32, .importance = high,
     .fallback = "50", .rule = at_least(1),
     .doc = "Partitions of the transaction topic."},
    {.name = "transaction.state.log.replication.factor", .type = int16, .importance = high,
     .fallback = "3", .rule = at_least(1),
     .doc = "Replicas of the transaction topic."},
    {.name = "transaction.state.log.segment.bytes", .type = int32, .importance = high,
     .effect = at_restart, .fallback = "104857600", .rule = at_least(1),
     .doc = "Segment size of the transaction topic."},
    {.name = "transaction.two.phase.commit.enable", .type = boolean, .importance = low,
     .fallback = "false",
     .doc = "Whether producers may take part in two-phase commits that never time out."},
    {.name = "transactional.id.expiration.ms", .type = int32, .importance = high,
     .effect = at_restart, .fallback = "604800000", .rule = at_least(1),
     .doc = "A transactional id that is not used for this long is forgotten."},
};
// clang-format on

}  // namespace

std::span<const ConfigKey> broker_transaction_keys() { return broker_transaction_keys_table; }

}  // namespace arus::config
