// Keys of a broker about the metadata quorum and the controller.
#include "config/key_tables.h"

namespace arus::config {
namespace {

using namespace words;

// clang-format off: a table reads best with one key's facts together.
constexpr ConfigKey broker_quorum_keys_table[] = {
    {.name = "broker.heartbeat.interval.ms", .type = int32, .fallback = "2000",
     .doc = "How often a broker tells the controller that it is alive."},
    {.name = "broker.session.timeout.ms", .type = int32, .fallback = "9000",
     .doc = "A broker that has not been heard of for this long is fenced."},
    {.name = "controller.listener.names", .type = list, .importance = high, .effect = at_restart,
     .required = true, .rule = nonempty_list,
     .doc = "Which of the listeners belong to the controller. They carry the quorum's traffic "
            "and administration, not records."},
    {.name = "controller.performance.always.log.threshold.ms", .type = int64, .internal = true,
     .fallback = "2000", .rule = at_least(0),
     .doc = "Controller events that take longer than this are logged each time."},
    {.name = "controller.performance.sample.period.ms", .type = int64, .internal = true,
     .fallback = "60000", .rule = at_least(100),
     .doc = "How often the controller logs a summary of its slow events."},
    {.name = "controller.quorum.append.linger.ms", .type = int32, .fallback = "25",
     .rule = at_least(0),
     .doc = "How long the metadata leader collects records before it writes them out. Arus does "
            "not wait: while one flush runs, the next group collects."},
    {.name = "controller.quorum.auto.join.enable", .type = boolean, .importance = low,
     .fallback = "false",
     .doc = "Whether a controller that is not a voter yet asks to become one by itself."},
    {.name = "controller.quorum.bootstrap.servers", .type = list, .importance = high,
     .fallback = "", .rule = bootstrap_servers,
     .doc = "Addresses at which the metadata quorum is looked for at start, where the voters "
            "are kept in the metadata log."},
    {.name = "controller.quorum.election.backoff.max.ms", .type = int32, .importance = high,
     .fallback = "1000", .rule = at_least(0),
     .doc = "Upper bound of the random wait before a candidate that lost an election tries "
            "again."},
    {.name = "controller.quorum.election.timeout.ms", .type = int32, .importance = high,
     .fallback = "1000", .rule = at_least(0),
     .doc = "How long a candidate waits for votes before it begins a new election."},
    {.name = "controller.quorum.fetch.max.bytes", .type = int32, .importance = low,
     .fallback = "1048576", .rule = at_least(1),
     .doc = "Most bytes of records that one fetch of the metadata log returns."},
    {.name = "controller.quorum.fetch.snapshot.max.bytes", .type = int32, .importance = low,
     .fallback = "1048576", .rule = at_least(1),
     .doc = "Most bytes of a metadata snapshot that one request returns."},
    {.name = "controller.quorum.fetch.timeout.ms", .type = int32, .importance = high,
     .fallback = "2000", .rule = at_least(0),
     .doc = "A follower of the metadata quorum that hears nothing from its leader for this long "
            "calls an election; a leader that no majority fetches from steps down."},
    {.name = "controller.quorum.request.timeout.ms", .type = int32, .fallback = "2000",
     .rule = at_least(0),
     .doc = "How long a request between members of the metadata quorum may take."},
    {.name = "controller.quorum.retry.backoff.ms", .type = int32, .importance = low,
     .fallback = "20", .rule = at_least(0),
     .doc = "Pause before a request between members of the metadata quorum is sent again."},
    {.name = "controller.quorum.voters", .type = list, .importance = high, .effect = at_restart,
     .fallback = "", .rule = voters,
     .doc = "The fixed set of controllers, as id@host:port separated by commas. A node that is "
            "alone may leave it out."},
    {.name = "controller.socket.timeout.ms", .type = int32, .fallback = "30000",
     .doc = "How long the broker waits for an answer of the controller."},
    {.name = "initial.broker.registration.timeout.ms", .type = int32, .fallback = "60000",
     .doc = "A broker that cannot register with the controller within this time after its start "
            "gives up."},
    {.name = "internal.metadata.delete.delay.millis", .type = int64, .importance = low,
     .internal = true, .fallback = "60000",
     .doc = "How long replaced files of the metadata log are kept before they are removed."},
    {.name = "internal.metadata.log.segment.bytes", .type = int32, .importance = low,
     .internal = true,
     .doc = "For tests: a size of metadata segments below the usual minimum."},
    {.name = "internal.metadata.max.batch.size.in.bytes", .type = int32, .importance = low,
     .internal = true, .fallback = "8388608",
     .doc = "Largest batch of metadata records."},
    {.name = "leader.imbalance.check.interval.seconds", .type = int64, .importance = high,
     .fallback = "300", .rule = at_least(1),
     .doc = "How often the controller looks for leaders that are not the preferred replica."},
    {.name = "metadata.log.dir", .importance = high, .effect = at_restart,
     .doc = "The directory of the metadata log. Unset, it is the first of the log directories."},
    {.name = "metadata.log.max.record.bytes.between.snapshots", .type = int64, .importance = high,
     .effect = at_restart, .fallback = "20971520", .rule = at_least(1),
     .doc = "After so many bytes of metadata records a new snapshot is written."},
    {.name = "metadata.log.max.snapshot.interval.ms", .type = int64, .importance = high,
     .effect = at_restart, .fallback = "3600000", .rule = at_least(0),
     .doc = "A snapshot of the metadata is written at least this often while there are changes; "
            "0 leaves it to the size."},
    {.name = "metadata.log.segment.bytes", .type = int32, .importance = high, .effect = at_restart,
     .fallback = "1073741824", .rule = at_least(8388608),
     .doc = "A segment of the metadata log is closed before it grows beyond this size."},
    {.name = "metadata.log.segment.ms", .type = int64, .importance = high, .fallback = "604800000",
     .doc = "A segment of the metadata log is closed at this age."},
    {.name = "metadata.max.idle.interval.ms", .type = int32, .importance = low, .fallback = "500",
     .rule = at_least(0),
     .doc = "How often Kafka's controller writes an empty record while nothing happens. A node "
            "that is alone does not need it."},
    {.name = "metadata.max.retention.bytes", .type = int64, .importance = high,
     .effect = at_restart, .fallback = "104857600",
     .doc = "How much of the metadata log and its old snapshots is kept."},
    {.name = "metadata.max.retention.ms", .type = int64, .importance = high, .effect = at_restart,
     .fallback = "604800000",
     .doc = "How long old segments and snapshots of the metadata log are kept."},
    {.name = "unclean.leader.election.enable", .type = boolean, .importance = high,
     .update = cluster_wide, .fallback = "false",
     .doc = "Whether a replica that is not in sync may become leader when nothing else is left, "
            "at the price of lost records."},
    {.name = "unclean.leader.election.interval.ms", .type = int64, .internal = true,
     .fallback = "300000", .rule = at_least(1),
     .doc = "How often the controller looks for partitions that need an unclean election."},
};
// clang-format on

}  // namespace

std::span<const ConfigKey> broker_quorum_keys() { return broker_quorum_keys_table; }

}  // namespace arus::config
