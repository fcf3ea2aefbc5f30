// TCP.
#pragma once

#include "env/real/loop.h"
#include "env/socket.h"
#include "env/worker.h"

namespace arus::env {

Result<std::unique_ptr<Listener>> listen_on(RealLoop& owner, const Address& address, int backlog);
// On the current loop. Names are resolved on the pool.
Task<Result<std::unique_ptr<Socket>>> connect_to(Pool& pool, Address address, TimePoint deadline);

}  // namespace arus::env
