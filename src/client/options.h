// What every client says once: whom to ask, how long to wait, how much to hold.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "env/socket.h"
#include "env/time.h"

namespace arus::client {

// Limits that are no options: a broker that exceeds them is not believed.
inline constexpr std::size_t max_brokers = 100'000;
inline constexpr std::size_t max_queued_requests = 256;  // per connection, written but unanswered
inline constexpr std::size_t max_bootstrap_addresses = 64;

struct ClientOptions {
  std::vector<env::Address> bootstrap;  // at least one; tried in order until one answers
  std::string client_id = "arus";
  env::Duration connect_timeout = env::seconds(10);
  // From sending a request to its whole answer; the connection is closed when it passes.
  env::Duration request_timeout = env::seconds(30);
  // A call with its retries, where the caller gives no deadline of its own.
  env::Duration call_timeout = env::seconds(60);
  env::Duration retry_backoff = env::milliseconds(100);  // doubles at each try, up to:
  env::Duration retry_backoff_max = env::seconds(1);
  env::Duration metadata_max_age = env::seconds(300);
  // A longer answer closes the connection. Memory grows as bytes arrive, not as they are claimed.
  std::size_t max_response_bytes = std::size_t{256} << 20;
};

// "host:port,host:port", "[::1]:9092"; the port may be left out where `default_port` is not 0.
// An error names the part that is no address.
Result<std::vector<env::Address>> parse_bootstrap(std::string_view text,
                                                  std::uint16_t default_port = 0);

}  // namespace arus::client
