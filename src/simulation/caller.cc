#include "simulation/caller.h"

namespace arus::simulation {

env::Task<bool> Caller::connect() {
  if (open()) co_return true;
  co_await close();
  const auto deadline = environment_.clock().now() + env::seconds(2);
  auto opened = co_await client::Connection::open(environment_, address_, {}, deadline);
  if (!opened) co_return false;
  connection_ = std::move(*opened);
  ++opened_;
  co_return true;
}

env::Task<void> Caller::close() {
  if (connection_ == nullptr) co_return;
  const auto connection = std::exchange(connection_, nullptr);
  co_await connection->shut();
}

}  // namespace arus::simulation
