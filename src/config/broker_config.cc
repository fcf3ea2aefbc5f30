#include "config/broker_config.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <set>

#include "base/assert.h"
#include "base/joined.h"
#include "config/lookup.h"
#include "config/text.h"

namespace arus::config {
namespace {

std::unexpected<Error> invalid(std::string message) {
  return fail(ErrorCode::invalid_config, std::move(message));
}

// Either name of the node's number stands for both.
Result<> unify_node_id(ConfigMap& properties) {
  const auto node = properties.find("node.id");
  const auto broker = properties.find("broker.id");
  if (node == properties.end() && broker != properties.end()) {
    const std::string id = broker->second;
    properties["node.id"] = id;
  } else if (node != properties.end() && broker == properties.end()) {
    const std::string id = node->second;
    properties["broker.id"] = id;
  } else if (node != properties.end() && trimmed(node->second) != trimmed(broker->second)) {
    return invalid("You must set `node.id` to the same value as `broker.id`.");
  }
  return {};
}

Result<> check_static_values(const ConfigMap& properties) {
  for (const ConfigKey* key : keys_of(Scope::broker)) {
    const auto found = properties.find(std::string(key->name));
    if (found != properties.end()) {
      ARUS_TRY(key->parse(found->second));
    } else if (key->required) {
      return invalid(fmt::format(
          "Missing required configuration \"{}\" which has no default value.", key->name));
    }
  }
  return {};
}

// The protocol of each listener name. Where the map is left to its default, a controller's
// listener that it does not know speaks PLAINTEXT, unless something asks for TLS or SASL.
Result<ProtocolMap> effective_protocols(const BrokerConfig& config) {
  const Layers layers = config.layers();
  const ConfigKey* key = find("listener.security.protocol.map", Scope::broker);
  ARUS_ASSERT(key != nullptr);
  const auto set = set_broker_value(*key, layers);
  auto protocols = parse_protocol_map(std::get<std::string>(set.value_or(default_value(*key))));
  if (!protocols || set) return protocols;
  const auto is_protected = [&](std::string_view name) {
    const auto found = protocols->find(to_upper(name));
    return found != protocols->end() && found->second != SecurityProtocol::plaintext;
  };
  const List listeners = config.list("listeners");
  if (std::ranges::any_of(config.controller_listener_names, is_protected) ||
      std::ranges::any_of(listeners, [&](const std::string& listener) {
        return is_protected(std::string_view(listener).substr(0, listener.find("://")));
      })) {
    return protocols;
  }
  for (const std::string& name : config.controller_listener_names) {
    protocols->emplace(name, SecurityProtocol::plaintext);
  }
  return protocols;
}

bool is_ipv6(std::string_view host) { return host.contains(':'); }
bool is_ipv4(std::string_view host) {
  return !host.empty() && std::ranges::all_of(host, [](char c) { return is_digit(c) || c == '.'; });
}

Result<> check_distinct(const std::vector<ListenerAddress>& listeners, std::string_view text) {
  std::set<std::string> names;
  for (const ListenerAddress& listener : listeners) {
    if (!names.insert(listener.name).second) {
      return invalid(fmt::format("Each listener must have a different name, listeners: {}", text));
    }
    for (const ListenerAddress& other : listeners) {
      if (&other == &listener || other.port != listener.port || listener.port == 0) continue;
      const bool both_families = (is_ipv4(listener.host) && is_ipv6(other.host)) ||
                                 (is_ipv6(listener.host) && is_ipv4(other.host));
      // Kafka allows one port on two families only; one on two addresses is as good.
      const bool two_addresses =
          !listener.host.empty() && !other.host.empty() && listener.host != other.host;
      if (both_families || two_addresses) continue;
      return invalid(fmt::format("Each listener must have a different port, listeners: {}", text));
    }
  }
  return {};
}

Result<> check_advertised(const BrokerConfig& config) {
  for (const ListenerAddress& advertised : config.advertised_listeners) {
    if (advertised.host == "0.0.0.0" || advertised.host == "::") {
      return invalid(
          "advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable "
          "IP address.");
    }
    const bool bound = std::ranges::any_of(config.listeners, [&](const ListenerAddress& listener) {
      return listener.name == advertised.name;
    });
    if (bound) continue;
    std::vector<std::string> names;
    for (const ListenerAddress& listener : config.listeners) names.push_back(listener.name);
    return invalid(fmt::format(
        "advertised.listeners listener names must be equal to or a subset of the ones defined in "
        "listeners. Found {}. The valid options based on the current configuration are {}",
        advertised.name, joined(names, ",")));
  }
  return {};
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

Result<> fill_listeners(BrokerConfig& config) {
  for (std::string& name : config.controller_listener_names) name = to_upper(name);
  auto protocols = effective_protocols(config);
  if (!protocols) return fail(protocols.error());
  config.protocols = *std::move(protocols);
  const std::string text = joined(config.list("listeners"), ",");
  auto listeners = parse_listeners(text, config.protocols);
  if (!listeners) return fail(listeners.error());
  config.listeners = *std::move(listeners);
  ARUS_TRY(check_distinct(config.listeners, text));
  config.advertised_listeners.clear();
  if (const auto advertised = config.text("advertised.listeners")) {
    auto parsed = parse_listeners(*advertised, config.protocols);
    if (!parsed) return fail(parsed.error());
    config.advertised_listeners = *std::move(parsed);
    ARUS_TRY(check_advertised(config));
  }
  return {};
}

Result<> check_roles(BrokerConfig& config) {
  std::vector<std::string> clients;
  for (const ListenerAddress& listener : config.listeners) {
    if (!contains(config.controller_listener_names, listener.name)) {
      clients.push_back(listener.name);
    }
  }
  if (!config.is_broker && !clients.empty()) {
    return invalid(
        "The listeners config must only contain KRaft controller listeners from "
        "controller.listener.names when process.roles=controller");
  }
  if (config.is_broker && clients.empty()) {
    return invalid(
        "There must be at least one broker advertised listener. Perhaps all listeners appear in "
        "controller.listener.names?");
  }
  const auto named = config.text("inter.broker.listener.name");
  if (named) {
    config.inter_broker_listener_name = to_upper(*named);
    if (config.is_broker && !contains(clients, config.inter_broker_listener_name)) {
      return invalid(fmt::format(
          "inter.broker.listener.name must be a listener name defined in advertised.listeners. The "
          "valid options based on currently configured listeners are {}",
          joined(clients, ",")));
    }
  } else {
    const std::string protocol = *config.text("security.inter.broker.protocol");
    config.inter_broker_listener_name =
        contains(clients, protocol) || clients.empty() ? protocol : clients.front();
  }
  return {};
}

Result<> fill_quorum(BrokerConfig& config) {
  config.quorum_voters.clear();
  for (const std::string& entry : config.list("controller.quorum.voters")) {
    const std::size_t at = entry.find('@');
    std::int64_t id = 0;
    const auto address = parse_host_port(std::string_view(entry).substr(at + 1));
    if (!read_integer(std::string_view(entry).substr(0, at), id) || id < 0 ||
        id > std::numeric_limits<std::int32_t>::max() || !address) {
      return invalid(fmt::format(
          "Invalid configuration value for controller.quorum.voters. Each entry should be in the "
          "form `{{id}}@{{host}}:{{port}}`, which '{}' is not",
          entry));
    }
    config.quorum_voters.push_back(
        {BrokerId{static_cast<std::int32_t>(id)}, address->host, address->port});
  }
  const auto& voters = config.quorum_voters;
  if (voters.empty()) return {};
  const bool is_voter = std::ranges::find(voters, config.node_id, &QuorumVoter::id) != voters.end();
  if (is_voter == config.is_controller) return {};
  std::vector<std::string> ids;
  for (const QuorumVoter& voter : voters) ids.push_back(std::to_string(voter.id.value()));
  return invalid(fmt::format(
      "If process.roles contains {}, the node id {} must {}be included in the set of voters "
      "controller.quorum.voters=Set({})",
      config.is_controller ? "the 'controller' role" : "just the 'broker' role",
      config.node_id.value(), config.is_controller ? "" : "not ", joined(ids, ", ")));
}

Result<> fill_connections(BrokerConfig& config) {
  config.max_connections_per_ip_overrides.clear();
  for (const std::string& entry : split_list(*config.text("max.connections.per.ip.overrides"))) {
    const std::size_t colon = entry.rfind(':');
    std::int64_t count = -1;
    if (colon == std::string::npos || colon == 0 ||
        !read_integer(trimmed(std::string_view(entry).substr(colon + 1)), count) || count < 0 ||
        count > std::numeric_limits<std::int32_t>::max()) {
      return invalid(
          fmt::format("max.connections.per.ip.overrides: '{}' is not address:count", entry));
    }
    config.max_connections_per_ip_overrides[entry.substr(0, colon)] =
        static_cast<std::int32_t>(count);
  }
  if (config.max_connections_per_ip == 0 && config.max_connections_per_ip_overrides.empty()) {
    return invalid(
        "max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides "
        "property is set.");
  }
  if (config.queued_max_request_bytes > 0 &&
      config.queued_max_request_bytes < config.socket_request_max_bytes) {
    return invalid("queued.max.request.bytes must be larger or equal to socket.request.max.bytes");
  }
  config.arus_metrics_listen.reset();
  if (const auto listen = config.text("arus.metrics.listen")) {
    auto address = parse_host_port(*listen);
    if (!address) return invalid("arus.metrics.listen: " + address.error().message);
    config.arus_metrics_listen = *std::move(address);
  }
  return {};
}

Result<> fill_security(BrokerConfig& config) {
  config.authorizer_enabled = !config.text("authorizer.class.name").value_or("").empty();
  config.super_users.clear();
  for (const std::string_view user : split(config.text("super.users").value_or(""), ';')) {
    if (trimmed(user).empty()) continue;
    if (!user.contains(':')) {
      return invalid(fmt::format("super.users: '{}' is not Type:name", trimmed(user)));
    }
    config.super_users.emplace_back(trimmed(user));
  }
  config.allow_everyone_if_no_acl_found =
      to_lower(trimmed(config.text("allow.everyone.if.no.acl.found").value_or(""))) == "true";
  return {};
}

Result<> check_times(const Layers& layers) {
  const auto below = [&](std::string_view name, std::int64_t least) {
    const Value value = broker_value(name, layers);
    const auto* number = std::get_if<std::int64_t>(&value);
    return number != nullptr && *number < least;
  };
  if (below("log.roll.ms", 1)) return invalid("log.roll.ms must be greater than or equal to 1");
  if (below("log.roll.jitter.ms", 0)) {
    return invalid("log.roll.jitter.ms must be greater than or equal to 0");
  }
  for (const char* name : {"log.retention.ms", "log.retention.minutes", "log.retention.hours"}) {
    const Value value = broker_value(name, layers);
    if (value == Value(std::int64_t{0})) {
      return invalid("log.retention.ms must be unlimited (-1) or, greater than or equal to 1");
    }
  }
  return {};
}

// Fills fields with the effective values of keys; the table is trusted to give the right type.
struct FieldReader {
  const BrokerConfig& config;
  template <class Field>
  void operator()(std::string_view key, Field& field) const {
    if constexpr (std::is_same_v<Field, bool>) {
      field = config.flag(key);
    } else {
      field = static_cast<Field>(config.integer(key));
    }
  }
};

void fill_limits(BrokerConfig& c) {
  const FieldReader read{c};
  read("socket.request.max.bytes", c.socket_request_max_bytes);
  read("socket.listen.backlog.size", c.socket_listen_backlog_size);
  read("socket.send.buffer.bytes", c.socket_send_buffer_bytes);
  read("socket.receive.buffer.bytes", c.socket_receive_buffer_bytes);
  read("connections.max.idle.ms", c.connections_max_idle_ms);
  read("max.connections", c.max_connections);
  read("max.connections.per.ip", c.max_connections_per_ip);
  read("max.connection.creation.rate", c.max_connection_creation_rate);
  read("queued.max.requests", c.queued_max_requests);
  read("queued.max.request.bytes", c.queued_max_request_bytes);
  read("fetch.max.bytes", c.fetch_max_bytes);
  read("max.incremental.fetch.session.cache.slots", c.max_incremental_fetch_session_cache_slots);
  read("max.request.partition.size.limit", c.max_request_partition_size_limit);
  read("request.timeout.ms", c.request_timeout_ms);
  read("arus.loops", c.arus_loops);
  read("arus.send.timeout.ms", c.arus_send_timeout_ms);
  read("arus.memory.request.bytes", c.memory.request_bytes);
  read("arus.memory.answer.bytes", c.memory.answer_bytes);
  read("arus.memory.writer.bytes", c.memory.writer_bytes);
  read("arus.memory.decompression.bytes", c.memory.decompression_bytes);
  read("arus.memory.compaction.bytes", c.memory.compaction_bytes);
  read("arus.memory.connection.answer.bytes", c.memory.connection_answer_bytes);
  read("arus.memory.cache.bytes", c.memory.fetch_cache_bytes);
  if (c.queued_max_request_bytes > 0) c.memory.request_bytes = c.queued_max_request_bytes;
}

void fill_topics(BrokerConfig& c) {
  const FieldReader read{c};
  read("num.partitions", c.num_partitions);
  read("default.replication.factor", c.default_replication_factor);
  read("auto.create.topics.enable", c.auto_create_topics_enable);
  read("delete.topic.enable", c.delete_topic_enable);
  read("offsets.topic.num.partitions", c.offsets_topic_num_partitions);
  read("offsets.topic.replication.factor", c.offsets_topic_replication_factor);
  read("transaction.state.log.num.partitions", c.transaction_state_log_num_partitions);
  read("transaction.state.log.replication.factor", c.transaction_state_log_replication_factor);
  read("producer.id.expiration.ms", c.producer_id_expiration_ms);
  read("producer.id.expiration.check.interval.ms", c.producer_id_expiration_check_interval_ms);
  read("log.retention.check.interval.ms", c.log_retention_check_interval_ms);
  read("log.flush.offset.checkpoint.interval.ms", c.log_flush_offset_checkpoint_interval_ms);
  read("metadata.log.max.record.bytes.between.snapshots",
       c.metadata_log_max_record_bytes_between_snapshots);
  read("metadata.log.max.snapshot.interval.ms", c.metadata_log_max_snapshot_interval_ms);
  read("metadata.log.segment.bytes", c.metadata_log_segment_bytes);
  read("metadata.log.segment.ms", c.metadata_log_segment_ms);
  read("metadata.max.retention.bytes", c.metadata_max_retention_bytes);
  read("metadata.max.retention.ms", c.metadata_max_retention_ms);
  read("unstable.api.versions.enable", c.unstable_api_versions_enable);
}

}  // namespace

Result<BrokerConfig> BrokerConfig::make(ConfigMap properties) {
  BrokerConfig config;
  ARUS_TRY(unify_node_id(properties));
  ARUS_TRY(check_static_values(properties));
  config.properties = std::move(properties);
  ARUS_TRY(config.fill());
  return config;
}

BrokerConfig BrokerConfig::with_dynamic(const ConfigMap& of_all_brokers,
                                        const ConfigMap& of_this_broker,
                                        std::vector<std::string>* ignored) const {
  BrokerConfig config = *this;
  config.dynamic_default.clear();
  config.dynamic_broker.clear();
  const auto ignore = [&](const std::string& name) {
    if (ignored != nullptr) ignored->push_back(name);
  };
  const auto add = [&](ConfigMap& layer, const ConfigMap& values, bool of_one_broker) {
    for (const auto& [name, value] : values) {
      if (parse_stored_arus_key(name)) continue;  // a topic's
      const ConfigKey* key = find(name, Scope::broker);
      const bool dynamic = key == nullptr || key->update == Update::cluster_wide ||
                           (of_one_broker && key->update == Update::per_broker);
      if (!dynamic || (key != nullptr && !key->parse(value))) {
        ignore(name);
        continue;
      }
      layer[name] = value;
      BrokerConfig tried = config;
      if (tried.fill()) continue;  // some values are good alone, but not beside the others
      layer.erase(name);
      ignore(name);
    }
  };
  add(config.dynamic_default, of_all_brokers, false);
  add(config.dynamic_broker, of_this_broker, true);
  const auto filled = config.fill();
  ARUS_ASSERT(filled);
  return config;
}

std::optional<std::string> BrokerConfig::text(std::string_view key) const {
  if (const ConfigKey* known = find(key, Scope::broker)) {
    return to_text(broker_value(*known, layers()));
  }
  const auto found = properties.find(std::string(key));
  if (found == properties.end()) return std::nullopt;
  return found->second;
}

std::int64_t BrokerConfig::integer(std::string_view key) const {
  const Value value = broker_value(key, layers());
  ARUS_ASSERT(std::holds_alternative<std::int64_t>(value));
  return std::get<std::int64_t>(value);
}

bool BrokerConfig::flag(std::string_view key) const {
  const Value value = broker_value(key, layers());
  ARUS_ASSERT(std::holds_alternative<bool>(value));
  return std::get<bool>(value);
}

std::vector<std::string> BrokerConfig::list(std::string_view key) const {
  Value value = broker_value(key, layers());
  auto* found = std::get_if<List>(&value);
  return found ? std::move(*found) : List{};
}

Result<> BrokerConfig::fill() {
  node_id = BrokerId{static_cast<std::int32_t>(integer("node.id"))};
  rack = text("broker.rack");
  const List roles = list("process.roles");
  is_broker = contains(roles, "broker");
  is_controller = contains(roles, "controller");
  controller_listener_names = list("controller.listener.names");
  log_dirs = list("log.dirs");
  if (log_dirs.empty()) log_dirs = list("log.dir");
  metadata_log_dir = text("metadata.log.dir").value_or(log_dirs.front());
  fill_limits(*this);
  fill_topics(*this);
  ARUS_TRY(fill_listeners(*this));
  ARUS_TRY(check_roles(*this));
  ARUS_TRY(fill_quorum(*this));
  ARUS_TRY(fill_connections(*this));
  ARUS_TRY(fill_security(*this));
  return check_times(layers());
}

ConfigMap standalone_properties(std::string_view data, std::string_view listen) {
  const std::string listener =
      listen.contains("://") ? std::string(listen) : "PLAINTEXT://" + std::string(listen);
  return {
      {"process.roles", "broker,controller"},
      {"node.id", "1"},
      {"listeners", listener},
      {"controller.listener.names", "CONTROLLER"},
      {"log.dirs", std::string(data)},
      // What one node alone can keep.
      {"offsets.topic.replication.factor", "1"},
      {"transaction.state.log.replication.factor", "1"},
      {"transaction.state.log.min.isr", "1"},
      {"share.coordinator.state.topic.replication.factor", "1"},
      {"share.coordinator.state.topic.min.isr", "1"},
  };
}

}  // namespace arus::config
