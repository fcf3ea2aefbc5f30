#include "broker/services.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"
#include "broker/coordinators.h"

namespace arus::broker {
namespace {

const LogComponent settings_log{"broker.settings"};

security::Authorizer make_authorizer(const config::BrokerConfig& config) {
  if (!config.authorizer_enabled) return {};
  return {std::set<std::string>(config.super_users.begin(), config.super_users.end()),
          config.allow_everyone_if_no_acl_found};
}

net::ConnectionLimits limits_of(const config::BrokerConfig& config) {
  return {.request_max_bytes = config.socket_request_max_bytes,
          .connections_max_idle_ms = config.connections_max_idle_ms,
          .send_timeout_ms = config.arus_send_timeout_ms,
          .max_connections = config.max_connections,
          .max_connections_per_ip = config.max_connections_per_ip};
}

std::size_t share_of(std::int64_t bytes, std::size_t loops) {
  return static_cast<std::size_t>(std::max<std::int64_t>(bytes, 1)) / loops;
}

bool concerns_brokers(const metadata::MetadataDelta& delta) {
  return std::ranges::any_of(delta.changed_configs, [](const auto& resource) {
    return resource.type == metadata::ConfigResourceType::broker;
  });
}

}  // namespace

LoopServices::LoopServices(Services& services, env::Loop& loop, net::NetworkMetrics& metrics)
    : services_(services),
      loop_(loop),
      config_(services.shared_static_config()),
      budget_(share_of(config_->memory.request_bytes, services.environment().loop_count()),
              share_of(config_->memory.answer_bytes, services.environment().loop_count())),
      connections_(loop, limits_of(*config_), budget_, metrics),
      fetch_sessions_(services.environment().random(),
                      static_cast<std::size_t>(
                          std::max(config_->max_incremental_fetch_session_cache_slots, 0)) /
                          services.environment().loop_count()) {}

LoopServices::~LoopServices() { ARUS_ASSERT(!started_); }

void LoopServices::start() {
  started_ = true;
  services_.images().subscribe(*this);
  recompute(*services_.image());
}

void LoopServices::stop() {
  if (!started_) return;
  started_ = false;
  services_.images().unsubscribe(*this);
}

void LoopServices::on_image(const metadata::ImagePointer& image,
                            const metadata::MetadataDelta& delta) {
  if (concerns_brokers(delta)) recompute(*image);
}

void LoopServices::recompute(const metadata::MetadataImage& image) {
  const auto resource = [](std::string name) {
    return metadata::ConfigResource{metadata::ConfigResourceType::broker, std::move(name)};
  };
  std::vector<std::string> ignored;
  const auto& own = image.configs(resource(std::to_string(services_.node_id().value())));
  config_ = std::make_shared<const config::BrokerConfig>(
      services_.static_config().with_dynamic(image.configs(resource("")), own, &ignored));
  if (loop_.index() == 0) {
    for (const auto& key : ignored) {
      settings_log.warning("the dynamic setting {} does not hold and is ignored", key);
    }
  }
  connections_.set_limits(limits_of(*config_));
  configure_coordinators_here(services_, *config_);
}

Services::Services(ServiceParts parts)
    : parts_(std::move(parts)),
      authorizer_(make_authorizer(*parts_.config)),
      network_metrics_(std::make_unique<net::NetworkMetrics>(parts_.metrics)) {
  for (std::size_t i = 0; i < parts_.environment.loop_count(); ++i) {
    loops_.push_back(
        std::make_unique<LoopServices>(*this, parts_.environment.loop(i), *network_metrics_));
  }
}

Services::~Services() = default;

}  // namespace arus::broker
