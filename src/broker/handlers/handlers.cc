#include "broker/handlers/handlers.h"

#include "protocol/api_key.h"

namespace arus::broker {

HandlerList make_handlers() {
  HandlerList all;
  all.push_back(api_versions_handler());
  all.push_back(metadata_handler());
  return all;
}

std::vector<const net::Handler*> client_handlers(const HandlerList& all) {
  std::vector<const net::Handler*> some;
  for (const auto& handler : all) {
    if (protocol::api_info(handler->key())->on_broker) some.push_back(handler.get());
  }
  return some;
}

std::vector<const net::Handler*> controller_handlers(const HandlerList& all) {
  std::vector<const net::Handler*> some;
  for (const auto& handler : all) {
    if (protocol::api_info(handler->key())->on_controller) some.push_back(handler.get());
  }
  return some;
}

}  // namespace arus::broker
