// Keys of a broker about the node as a whole.
#include "config/key_tables.h"

namespace arus::config {
namespace {

using namespace words;

// clang-format off: a table reads best with one key's facts together.
constexpr ConfigKey broker_node_keys_table[] = {
    {.name = "alter.config.policy.class.name", .type = class_name, .importance = low,
     .doc = "A Java class that may veto changes of configuration. Arus loads no Java classes."},
    {.name = "background.threads", .type = int32, .importance = high, .update = cluster_wide,
     .fallback = "10", .rule = at_least(1),
     .doc = "Threads for background chores. Arus has one pool for all of them, sized by the "
            "number of cores."},
    {.name = "broker.id", .type = int32, .importance = high, .effect = at_restart,
     .fallback = "-1",
     .doc = "The older name of node.id; both must agree where both are given."},
    {.name = "broker.rack", .effect = at_restart,
     .doc = "The rack, zone or building this broker stands in. It is told to clients and "
            "spreads replicas."},
    {.name = "config.providers", .type = list, .importance = low, .update = cluster_wide,
     .fallback = "", .rule = any_list,
     .doc = "Names of Java classes that fill in placeholders of this file. Arus knows none."},
    {.name = "kafka.metrics.polling.interval.secs", .type = int32, .importance = low,
     .fallback = "10", .rule = at_least(1),
     .doc = "How often Kafka's own metric reporters are called. Arus is asked by Prometheus "
            "instead."},
    {.name = "kafka.metrics.reporters", .type = list, .importance = low, .fallback = "",
     .rule = any_list,
     .doc = "Java classes that report metrics. Arus loads no Java classes; see "
            "arus.metrics.listen."},
    {.name = "metric.reporters", .type = list, .importance = low, .update = cluster_wide,
     .fallback = "org.apache.kafka.common.metrics.JmxReporter", .rule = any_list,
     .doc = "Java classes that report metrics. Arus loads no Java classes; see "
            "arus.metrics.listen."},
    {.name = "metrics.num.samples", .type = int32, .importance = low, .fallback = "2",
     .rule = at_least(1),
     .doc = "How many samples Kafka's own metrics are computed from."},
    {.name = "metrics.recording.level", .importance = low, .fallback = "INFO",
     .doc = "How detailed Kafka's own metrics are."},
    {.name = "metrics.sample.window.ms", .type = int64, .importance = low, .fallback = "30000",
     .rule = at_least(1),
     .doc = "How long one sample of Kafka's own metrics lasts."},
    {.name = "node.id", .type = int32, .importance = high, .effect = at_restart, .required = true,
     .rule = at_least(0),
     .doc = "The number of this node, unique in the cluster."},
    {.name = "process.roles", .type = list, .importance = high, .effect = at_restart,
     .required = true, .rule = nonempty_list_of("broker, controller"),
     .doc = "What this node is: broker, controller, or both."},
    {.name = "server.max.startup.time.ms", .type = int64, .internal = true,
     .fallback = "9223372036854775807", .rule = at_least(0),
     .doc = "A node that has not finished starting within this time gives up."},
    {.name = "telemetry.max.bytes", .type = int32, .importance = low, .fallback = "1048576",
     .rule = at_least(1),
     .doc = "Largest batch of metrics that a client may push."},
    {.name = "unstable.api.versions.enable", .type = boolean, .importance = high, .internal = true,
     .fallback = "false",
     .doc = "Whether API versions that are still being developed are offered."},
    {.name = "unstable.feature.versions.enable", .type = boolean, .importance = high,
     .internal = true, .fallback = "false",
     .doc = "Whether feature levels that are still being developed may be set."},
};
// clang-format on

}  // namespace

std::span<const ConfigKey> broker_node_keys() { return broker_node_keys_table; }

}  // namespace arus::config
