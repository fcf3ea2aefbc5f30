// What a broker's handler is given with each request.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "broker/services.h"
#include "net/context.h"

namespace arus::broker {

// For requests of the controller that say no time of their own.
inline constexpr std::int32_t default_timeout_ms = 30'000;

// Where a client finds a broker.
struct BrokerAddress {
  std::string host;
  std::uint16_t port = 0;
};

// The facts of the request (net::Context) and the node. Handlers run on the connection's loop;
// image() is that loop's, and moves whenever they wait.
class Context final : public net::Context {
 public:
  explicit Context(net::Call call)
      : net::Context(std::move(call)),
        services_(static_cast<const Services&>(*net::Context::call().rules)) {}

  [[nodiscard]] const Services& services() const { return services_; }
  [[nodiscard]] env::Environment& environment() const { return services_.environment(); }
  [[nodiscard]] env::TimePoint now() const { return env::Loop::current()->now(); }
  [[nodiscard]] metadata::ImagePointer image() const { return services_.image(); }
  [[nodiscard]] controller::ControllerApi& controller() const { return services_.controller(); }
  [[nodiscard]] replication::PartitionTable& partitions() const { return services_.partitions(); }
  [[nodiscard]] GroupCoordinator& groups() const { return services_.groups(); }
  [[nodiscard]] TransactionCoordinator& transactions() const { return services_.transactions(); }
  [[nodiscard]] LoopServices& loop() const { return services_.here(); }
  [[nodiscard]] const std::shared_ptr<const config::BrokerConfig>& config() const {
    return services_.here().config();
  }
  [[nodiscard]] BrokerId node_id() const { return services_.node_id(); }

  // Whether the request came in where controllers are asked, not brokers.
  [[nodiscard]] bool on_controller_listener() const;

  // On whose behalf the controller is asked; `timeout_ms` as the request says.
  [[nodiscard]] controller::CallerContext caller(std::int32_t timeout_ms) const {
    return {.principal = principal(),
            .client_host = host(),
            .deadline = received() + env::milliseconds(std::max(timeout_ms, 0))};
  }

  // The address of a broker on the listener that this client uses; this node itself, where it
  // advertises nothing, is where the client found it. Nothing where it has no such listener.
  [[nodiscard]] std::optional<BrokerAddress> address_of(const metadata::BrokerImage& broker) const;

 private:
  const Services& services_;
};

}  // namespace arus::broker
