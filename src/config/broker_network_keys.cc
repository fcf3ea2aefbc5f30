// Keys of a broker about listeners, connections and requests.
#include "config/key_tables.h"

namespace arus::config {
namespace {

using namespace words;

// clang-format off: a table reads best with one key's facts together.
constexpr ConfigKey broker_network_keys_table[] = {
    {.name = "advertised.listeners", .type = list, .importance = high, .effect = at_restart,
     .rule = nonempty_list,
     .doc = "The addresses that clients are told to connect to. Without it Arus tells each "
            "client the address that it came in on."},
    {.name = "connections.max.idle.ms", .type = int64, .effect = at_restart, .fallback = "600000",
     .doc = "A connection that has been silent for this long is closed."},
    {.name = "early.start.listeners", .type = list, .importance = high, .rule = any_list,
     .doc = "Listeners that open before the node has finished starting, because its authorizer "
            "needs them."},
    {.name = "fetch.max.bytes", .type = int32, .effect = at_restart, .fallback = "57671680",
     .rule = at_least(1024),
     .doc = "Most bytes of records in one answer to a fetch, whatever the client asks for."},
    {.name = "fetch.purgatory.purge.interval.requests", .type = int32, .fallback = "1000",
     .doc = "After how many finished fetches Kafka tidies its waiting list. Arus removes each "
            "at once."},
    {.name = "inter.broker.listener.name", .effect = at_restart,
     .doc = "The listener that brokers use among themselves."},
    {.name = "listener.security.protocol.map", .importance = low, .update = per_broker,
     .effect = at_restart,
     .fallback = "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT",
     .doc = "Which security protocol each listener name speaks, as NAME:PROTOCOL separated by "
            "commas. Arus serves PLAINTEXT only."},
    {.name = "listeners", .type = list, .importance = high, .update = per_broker,
     .effect = at_restart, .fallback = "PLAINTEXT://:9092", .rule = nonempty_list,
     .doc = "The addresses to listen on, as NAME://host:port separated by commas. An empty host "
            "is every interface."},
    {.name = "max.connection.creation.rate", .type = int32, .update = cluster_wide,
     .fallback = "2147483647", .rule = at_least(0),
     .doc = "New connections per second that the broker accepts."},
    {.name = "max.connections", .type = int32, .update = cluster_wide, .effect = at_once,
     .fallback = "2147483647", .rule = at_least(0),
     .doc = "Most connections that the broker holds open at one time."},
    {.name = "max.connections.per.ip", .type = int32, .update = cluster_wide, .effect = at_once,
     .fallback = "2147483647", .rule = at_least(0),
     .doc = "Most connections from one address; 0 only where max.connections.per.ip.overrides "
            "names exceptions."},
    {.name = "max.connections.per.ip.overrides", .update = cluster_wide, .fallback = "",
     .doc = "Exceptions to max.connections.per.ip, as address:count separated by commas."},
    {.name = "max.incremental.fetch.session.cache.slots", .type = int32, .effect = at_restart,
     .fallback = "1000", .rule = at_least(0),
     .doc = "Most incremental fetch sessions that are kept; beyond it clients fetch without a "
            "session."},
    {.name = "max.request.partition.size.limit", .type = int32, .effect = at_restart,
     .fallback = "2000", .rule = at_least(1),
     .doc = "Most partitions that one answer to DescribeTopicPartitions lists."},
    {.name = "num.io.threads", .type = int32, .importance = high, .update = cluster_wide,
     .fallback = "8", .rule = at_least(1),
     .doc = "Threads that handle requests in Kafka. Arus handles them on its event loops: see "
            "arus.loops."},
    {.name = "num.network.threads", .type = int32, .importance = high, .update = cluster_wide,
     .fallback = "3", .rule = at_least(1),
     .doc = "Threads that serve sockets in Kafka. Arus serves them on its event loops: see "
            "arus.loops."},
    {.name = "producer.purgatory.purge.interval.requests", .type = int32, .fallback = "1000",
     .doc = "After how many finished produce requests Kafka tidies its waiting list. Arus "
            "removes each at once."},
    {.name = "queued.max.request.bytes", .type = int64, .effect = at_restart, .fallback = "-1",
     .doc = "Most bytes of requests that are read but not answered, for the whole process; -1 "
            "is arus.memory.request.bytes."},
    {.name = "queued.max.requests", .type = int32, .importance = high, .fallback = "500",
     .rule = at_least(1),
     .doc = "Most requests that are read but not handled yet, over the whole node. Arus limits "
            "them for each connection, and all of them by arus.memory.request.bytes."},
    {.name = "request.timeout.ms", .type = int32, .importance = high, .fallback = "30000",
     .doc = "How long a request of this node to another may take."},
    {.name = "socket.connection.setup.timeout.max.ms", .type = int64, .fallback = "30000",
     .doc = "Longest time that setting up a connection to another node may take after repeated "
            "failures."},
    {.name = "socket.connection.setup.timeout.ms", .type = int64, .fallback = "10000",
     .doc = "How long setting up a connection to another node may take at first."},
    {.name = "socket.listen.backlog.size", .type = int32, .effect = at_restart, .fallback = "50",
     .rule = at_least(1),
     .doc = "Connections that the operating system holds ready before they are accepted."},
    {.name = "socket.receive.buffer.bytes", .type = int32, .importance = high,
     .fallback = "102400",
     .doc = "SO_RCVBUF of accepted connections; -1 leaves it to the operating system. Arus "
            "always leaves it, because the system's own tuning is faster."},
    {.name = "socket.request.max.bytes", .type = int32, .importance = high, .effect = at_restart,
     .fallback = "104857600", .rule = at_least(1),
     .doc = "Largest request that is read; a connection that announces a larger one is closed."},
    {.name = "socket.send.buffer.bytes", .type = int32, .importance = high, .fallback = "102400",
     .doc = "SO_SNDBUF of accepted connections; -1 leaves it to the operating system. Arus "
            "always leaves it, because the system's own tuning is faster."},
};
// clang-format on

}  // namespace

std::span<const ConfigKey> broker_network_keys() { return broker_network_keys_table; }

}  // namespace arus::config
