// A client's connection to the node: opened again after it broke, and so on.
#pragma once

#include <memory>

#include "client/connection.h"
#include "env/simulated.h"

namespace arus::simulation {

// For one request, longer than a node is down.
inline constexpr env::Duration patience = env::seconds(40);

// Requests are sent in the order of ask(); each is sent once. Owner: the clients' loop; close() is
// awaited before it is destroyed.
class Caller {
 public:
  Caller(env::Environment& environment, env::Address address)
      : environment_(environment), address_(std::move(address)) {}

  // Opens a connection where there is none. False when there cannot be one now.
  env::Task<bool> connect();
  // Counts connections, from 1 on.
  [[nodiscard]] std::uint64_t connection() const { return opened_; }
  // On the connection of connect(); an error when it breaks.
  template <class Request>
  env::Task<Result<typename Request::Response>> ask(Request request, env::Duration longest,
                                                    std::int16_t highest = INT16_MAX) {
    if (!open()) co_return fail(ErrorCode::network_exception, "not connected");
    const auto connection = connection_;
    co_return co_await connection->ask(std::move(request), environment_.clock().now() + longest,
                                       highest);
  }
  // Whoever awaits an answer gets an error.
  env::Task<void> close();
  [[nodiscard]] bool open() const { return connection_ != nullptr && !connection_->closed(); }

 private:
  env::Environment& environment_;
  const env::Address address_;
  std::shared_ptr<client::Connection> connection_;
  std::uint64_t opened_ = 0;
};

}  // namespace arus::simulation
