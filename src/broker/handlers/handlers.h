// Every API that this broker serves, one line each.
#pragma once

#include <memory>
#include <vector>

#include "net/handler.h"

namespace arus::broker {

using HandlerList = std::vector<std::unique_ptr<net::Handler>>;

[[nodiscard]] HandlerList make_handlers();

// Those that the schema lists for clients, and those it lists for the controller's listener.
[[nodiscard]] std::vector<const net::Handler*> client_handlers(const HandlerList& all);
[[nodiscard]] std::vector<const net::Handler*> controller_handlers(const HandlerList& all);

// One maker for each, defined in the file of that name.
std::unique_ptr<net::Handler> api_versions_handler();
std::unique_ptr<net::Handler> metadata_handler();

}  // namespace arus::broker
