#include "broker/broker.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "broker/handlers/handlers.h"
#include "broker/node_directories.h"

namespace arus::broker {
namespace {

const LogComponent broker_log{"broker"};
constexpr std::size_t connection_descriptor_percent = 60;
constexpr env::Duration drain_patience = env::seconds(5);

bool names_controller(const config::BrokerConfig& config, const std::string& listener) {
  return std::ranges::find(config.controller_listener_names, listener) !=
         config.controller_listener_names.end();
}

// What other nodes and clients are told; a listener on all interfaces is reached by this host.
std::string reachable_host(const std::string& host) {
  return host.empty() || host == "0.0.0.0" || host == "::" ? std::string("localhost") : host;
}

metadata::Endpoint endpoint_of(const config::ListenerAddress& address) {
  return {.listener = address.name,
          .host = reachable_host(address.host),
          .port = address.port,
          .security_protocol = static_cast<std::int16_t>(address.protocol)};
}

controller::ControllerSettings controller_settings(const config::BrokerConfig& config) {
  controller::ControllerSettings settings;
  settings.default_partitions = config.num_partitions;
  settings.default_replication_factor =
      static_cast<std::int16_t>(config.default_replication_factor);
  settings.delete_topics = config.delete_topic_enable;
  settings.min_insync_replicas = static_cast<std::int32_t>(config.integer("min.insync.replicas"));
  settings.unclean_leader_election = config.flag("unclean.leader.election.enable");
  settings.has_authorizer = config.authorizer_enabled;
  settings.snapshot_bytes = config.metadata_log_max_record_bytes_between_snapshots;
  settings.snapshot_interval_ms = config.metadata_log_max_snapshot_interval_ms;
  settings.log_retention_bytes = config.metadata_max_retention_bytes;
  settings.log_retention_ms = config.metadata_max_retention_ms;
  settings.segment_bytes = config.metadata_log_segment_bytes;
  settings.broker_configs = config.properties;
  return settings;
}

}  // namespace

Broker::Broker(env::Environment& environment, BrokerOptions options)
    : environment_(environment), options_(std::move(options)), config_(*options_.config) {
  if (!options_.descriptors) options_.descriptors = env::raise_descriptor_limit();
}

Broker::~Broker() = default;

env::Task<Result<std::unique_ptr<Broker>>> Broker::start(env::Environment& environment,
                                                         BrokerOptions options) {
  std::unique_ptr<Broker> broker(new Broker(environment, std::move(options)));
  if (auto begun = co_await broker->begin(); !begun) {
    // What was started is taken down again; the reason to tell is the first one.
    static_cast<void>(co_await broker->stop());
    co_return std::unexpected(std::move(begun).error());
  }
  co_return broker;
}

env::Task<Result<>> Broker::begin() {
  ARUS_CO_TRY(check_roles());
  ARUS_CO_TRY(bind());
  ARUS_CO_TRY(co_await open_directories());
  ARUS_CO_TRY(co_await start_quorum());
  ARUS_CO_TRY(check_protection());
  ARUS_CO_TRY(co_await start_partitions());
  ARUS_CO_TRY(co_await join());
  co_await start_loops();
  accept();
  ARUS_CO_TRY(serve_metrics());
  co_return Result<>{};
}

Result<> Broker::check_roles() const {
  if (!config_.is_broker || !config_.is_controller) {
    return fail(ErrorCode::invalid_config,
                "process.roles must be broker,controller: this version serves as one node alone");
  }
  const bool others = std::ranges::any_of(
      config_.quorum_voters, [&](const auto& voter) { return voter.id != config_.node_id; });
  if (others) {
    return fail(ErrorCode::invalid_config,
                "controller.quorum.voters names other nodes: this version serves as one node "
                "alone");
  }
  return {};
}

// Ports come first, so that a second start on the same port touches no file.
Result<> Broker::bind() {
  for (const auto& address : config_.listeners) {
    auto listener =
        environment_.listen(environment_.loop(0), {.host = address.host, .port = address.port},
                            config_.socket_listen_backlog_size);
    if (!listener) {
      return fail({.code = listener.error().code,
                   .message = fmt::format("Cannot listen on {}: {}", address.to_string(),
                                          listener.error().message),
                   .os_error = listener.error().os_error});
    }
    Bound bound{.address = address, .listener = std::move(*listener)};
    bound.address.port = bound.listener->local().port;
    bound.controller = names_controller(config_, address.name);
    bound_.push_back(std::move(bound));
  }
  return {};
}

env::Task<Result<>> Broker::open_directories() {
  std::vector<raft::VoterEndpoint> endpoints;
  for (const auto& endpoint : controller_endpoints()) {
    endpoints.push_back({endpoint.listener, endpoint.host, endpoint.port});
  }
  auto opened = co_await env::run_on(environment_.pool(), [&] {
    return open_node_directories(
        environment_, config_, endpoints, options_.cluster_id,
        {.options = options_.directory, .descriptors = *options_.descriptors});
  });
  if (!opened) co_return std::unexpected(std::move(opened).error());
  cluster_id_ = std::move(opened->cluster_id);
  metadata_directory_id_ = opened->metadata_directory_id;
  directories_ = std::move(opened->log_directories);
  metadata_only_ = std::move(opened->metadata_only);
  failed_directories_ = std::move(opened->failed);
  co_return Result<>{};
}

std::vector<metadata::Endpoint> Broker::controller_endpoints() const {
  std::vector<metadata::Endpoint> endpoints;
  for (const auto& bound : bound_) {
    if (bound.controller) endpoints.push_back(endpoint_of(bound.address));
  }
  if (endpoints.empty()) {
    const std::string name = config_.controller_listener_names.empty()
                                 ? std::string("CONTROLLER")
                                 : config_.controller_listener_names.front();
    metadata::Endpoint endpoint = endpoint_of(bound_.front().address);
    endpoint.listener = name;
    endpoint.port = static_cast<std::uint16_t>(endpoint.port + 1);
    endpoints.push_back(std::move(endpoint));
  }
  return endpoints;
}

env::Task<Result<>> Broker::start_quorum() {
  controller::QuorumOptions options;
  options.node_id = config_.node_id;
  options.cluster_id = cluster_id_;
  options.metadata_directory = config_.metadata_log_dir;
  options.directory_id = metadata_directory_id_;
  for (const auto& voter : config_.quorum_voters) {
    raft::Voter member;
    member.id = voter.id.value();
    const auto endpoints = controller_endpoints();
    member.endpoints.push_back({endpoints.front().listener, voter.host, voter.port});
    options.static_voters.push_back(std::move(member));
  }
  options.controller_endpoints = controller_endpoints();
  options.settings = controller_settings(config_);
  options.on_storage_failure = [this](const Error& error) {
    broker_log.error("the metadata log has failed, nothing can be changed until a restart: {}",
                     error.message);
    if (disk_watch_) disk_watch_->metadata_failed(error);
  };
  auto quorum = co_await controller::QuorumNode::start(environment_, std::move(options));
  if (!quorum) co_return std::unexpected(std::move(quorum).error());
  quorum_ = std::move(*quorum);
  co_return Result<>{};
}

// Settings that were changed while the node ran may ask for protection, too.
Result<> Broker::check_protection() const {
  const auto image = quorum_->images().current();
  const auto resource = [](std::string name) {
    return metadata::ConfigResource{metadata::ConfigResourceType::broker, std::move(name)};
  };
  config::ConfigMap effective = image->configs(resource(std::to_string(config_.node_id.value())));
  effective.insert(image->configs(resource("")).begin(), image->configs(resource("")).end());
  effective.insert(config_.properties.begin(), config_.properties.end());
  const auto key = config::find_insecure_key(effective);
  if (!key || options_.allow_insecure) return {};
  return fail(ErrorCode::invalid_config,
              fmt::format("{}: {} (--allow-insecure serves all the same, open to everyone)",
                          key->key, key->reason));
}

env::Task<Result<>> Broker::start_partitions() {
  // A clean stop is claimed only where every directory has its marker, with the same epoch.
  previous_epoch_ = directories_.front()->clean_shutdown_epoch();
  for (const auto& directory : directories_) {
    if (directory->clean_shutdown_epoch() != previous_epoch_) previous_epoch_.reset();
  }
  if (!failed_directories_.empty()) previous_epoch_.reset();
  partitions_ = std::make_unique<replication::PartitionTable>(
      environment_,
      replication::PartitionSettings{
          .node_id = config_.node_id,
          .static_config = config_.properties,
          .decompression_bytes = static_cast<std::size_t>(
              std::max<std::int64_t>(config_.memory.decompression_bytes, 0)),
          .upkeep = {.initial_delay_ms = config_.integer("log.initial.task.delay.ms"),
                     .retention_check_interval_ms = config_.log_retention_check_interval_ms,
                     .compaction_bytes = static_cast<std::size_t>(
                         std::max<std::int64_t>(config_.memory.compaction_bytes, 0)),
                     .metrics = &metrics_},
          .assigner = this},
      std::move(directories_), quorum_->images(), std::move(failed_directories_));
  disk_watch_ = std::make_unique<DiskWatch>(
      metrics_, partitions_->directories(), *quorum_,
      metadata_only_ ? metadata_only_.get()
                     : partitions_->directories().with_id(metadata_directory_id_),
      gate_);
  // What is where comes from the disk, whatever the metadata was told.
  std::vector<controller::DirectoryAssignment> found;
  for (const auto& [partition, directory] : partitions_->unassigned()) {
    found.push_back({partition, directory});
  }
  ARUS_CO_TRY(co_await quorum_->assign_directories(std::move(found)));
  co_return co_await partitions_->start();
}

env::Task<Result<>> Broker::assign_directory(TopicIdPartition partition, Uuid directory) {
  co_return co_await env::call(environment_.loop(0),
                               [this, &partition, &directory] [[clang::coro_wrapper]] {
                                 return quorum_->assign_directories({{partition, directory}});
                               });
}

env::Task<Result<>> Broker::join() {
  controller::BrokerSelf self;
  std::vector<config::ListenerAddress> advertised = config_.advertised_listeners;
  if (advertised.empty()) {
    for (const auto& bound : bound_) {
      if (!bound.controller) advertised.push_back(bound.address);
    }
  }
  // Other brokers use the inter-broker listener, which is told first.
  const auto inter_broker = std::ranges::find(advertised, config_.inter_broker_listener_name,
                                              &config::ListenerAddress::name);
  if (inter_broker != advertised.end()) {
    std::rotate(advertised.begin(), inter_broker, inter_broker + 1);
  }
  for (const auto& address : advertised) self.endpoints.push_back(endpoint_of(address));
  self.rack = config_.rack;
  self.directories = disk_watch_->online();
  self.previous_broker_epoch = previous_epoch_;
  ARUS_CO_TRY(co_await quorum_->register_broker(std::move(self)));
  broker_epoch_ = quorum_->broker_epoch();
  partitions_->set_registration(
      {.incarnation_id = quorum_->incarnation_id(), .broker_epoch = broker_epoch_});
  co_return co_await quorum_->unfence();
}

env::Task<void> Broker::start_loops() {
  coordinators_ = std::make_unique<Coordinators>(CoordinatorsParts{.environment = environment_,
                                                                   .config = config_,
                                                                   .partitions = *partitions_,
                                                                   .images = quorum_->images()});
  services_ = std::make_unique<Services>(ServiceParts{.environment = environment_,
                                                      .config = options_.config,
                                                      .controller = quorum_->api(),
                                                      .images = quorum_->images(),
                                                      .partitions = *partitions_,
                                                      .groups = coordinators_->groups(),
                                                      .transactions = coordinators_->transactions(),
                                                      .metrics = metrics_,
                                                      .cluster_id = cluster_id_,
                                                      .broker_epoch = broker_epoch_});
  for (std::size_t i = 0; i < services_->loop_count(); ++i) {
    LoopServices* const loop = &services_->on(i);
    co_await env::call(environment_.loop(i), [loop] { loop->start(); });
  }
  co_await coordinators_->start(*services_);
}

void Broker::accept() {
  handlers_ = make_handlers();
  pipeline_ = std::make_unique<net::Pipeline>(client_handlers(handlers_), *services_, metrics_);
  controller_pipeline_ =
      std::make_unique<net::Pipeline>(controller_handlers(handlers_), *services_, metrics_);
  std::vector<net::ConnectionSet*> sets;
  for (std::size_t i = 0; i < services_->loop_count(); ++i) {
    sets.push_back(&services_->on(i).connections());
  }
  net::ConnectionLimits limits = sets.front()->limits();
  // The other descriptors are for files, and a reserve.
  const auto share =
      static_cast<std::int64_t>(*options_.descriptors * connection_descriptor_percent / 100);
  limits.max_connections = static_cast<std::int32_t>(
      std::min<std::int64_t>(limits.max_connections, std::max<std::int64_t>(share, 1)));
  for (auto& bound : bound_) {
    net::Pipeline& pipeline = bound.controller ? *controller_pipeline_ : *pipeline_;
    acceptors_.push_back(std::make_unique<net::Acceptor>(
        bound.address.name, std::move(bound.listener), sets, pipeline, connection_count_, limits));
    env::spawn(gate_, acceptors_.back()->run());
  }
}

Result<> Broker::serve_metrics() {
  if (!config_.arus_metrics_listen) return {};
  const env::Address address{.host = config_.arus_metrics_listen->host,
                             .port = config_.arus_metrics_listen->port};
  auto listener = environment_.listen(environment_.loop(0), address, 16);
  if (!listener) {
    return fail({.code = listener.error().code,
                 .message = fmt::format("Cannot listen on {} for metrics: {}", address.to_string(),
                                        listener.error().message),
                 .os_error = listener.error().os_error});
  }
  metrics_endpoint_ = std::make_unique<MetricsEndpoint>(std::move(*listener), metrics_);
  env::spawn(gate_, metrics_endpoint_->run());
  return {};
}

std::vector<env::Address> Broker::addresses() const {
  std::vector<env::Address> all;
  for (std::size_t i = 0; i < acceptors_.size(); ++i) {
    if (!bound_[i].controller) all.push_back(acceptors_[i]->local());
  }
  return all;
}

// Requests that wait for a coordinator may wait for minutes: it lets go of them before connections
// are given time to send what they have.
env::Task<void> Broker::stop_clients() {
  for (const auto& acceptor : acceptors_) acceptor->close();
  if (metrics_endpoint_) metrics_endpoint_->close();
  co_await gate_.close();
  if (!services_) co_return;
  co_await coordinators_->stop();
  for (std::size_t i = 0; i < services_->loop_count(); ++i) {
    LoopServices* const loop = &services_->on(i);
    co_await env::call(environment_.loop(i), [loop] [[clang::coro_wrapper]] {
      return loop->connections().drain(env::Loop::current()->now() + drain_patience);
    });
    co_await env::call(environment_.loop(i),
                       [loop] [[clang::coro_wrapper]] { return loop->producer_ids().stop(); });
    co_await env::call(environment_.loop(i), [loop] { loop->stop(); });
  }
}

env::Task<Result<>> Broker::stop() {
  Result<> outcome;
  const auto note = [&outcome](Result<> step) {
    if (!step && outcome) outcome = std::move(step);
  };
  if (disk_watch_) disk_watch_->stop();
  co_await stop_clients();
  const bool joined = broker_epoch_ >= 0;
  if (joined) note(co_await quorum_->leave());
  if (partitions_) co_await partitions_->stop();
  if (quorum_) note(co_await quorum_->stop());
  if (joined && outcome) {
    for (const auto& directory : partitions_->directories().all()) {
      note(co_await directory->close(broker_epoch_));
    }
  }
  services_.reset();
  coordinators_.reset();
  disk_watch_.reset();
  partitions_.reset();
  quorum_.reset();
  co_return outcome;
}

}  // namespace arus::broker
