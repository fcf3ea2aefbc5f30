#include "config/config_table.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "config/key_tables.h"

namespace arus::config {
namespace {

constexpr std::size_t scope_count = 7;

// The parts of the table as one, by scope. Built at the first use, never changed.
class Table {
 public:
  static const Table& instance() {
    static const Table table;
    return table;
  }

  [[nodiscard]] const ConfigKey* find(std::string_view name, Scope scope) const {
    const auto& keys = by_scope_[static_cast<std::size_t>(scope)];
    const auto found = std::ranges::lower_bound(keys, name, {}, &ConfigKey::name);
    return found != keys.end() && (*found)->name == name ? *found : nullptr;
  }
  [[nodiscard]] std::span<const ConfigKey* const> keys_of(Scope scope) const {
    return by_scope_[static_cast<std::size_t>(scope)];
  }

 private:
  Table() {
    for (const auto part :
         {broker_arus_keys(), broker_group_keys(), broker_log_keys(), broker_network_keys(),
          broker_node_keys(), broker_quorum_keys(), broker_quota_keys(), broker_remote_keys(),
          broker_replica_keys(), broker_sasl_keys(), broker_security_keys(),
          broker_transaction_keys(), topic_keys(), group_keys(), client_keys()}) {
      for (const ConfigKey& key : part) {
        by_scope_[static_cast<std::size_t>(key.scope)].push_back(&key);
      }
    }
    for (auto& keys : by_scope_) {
      std::ranges::sort(keys, {}, &ConfigKey::name);
      const auto same = std::ranges::adjacent_find(keys, {}, &ConfigKey::name);
      ARUS_ASSERT(same == keys.end());
    }
  }

  std::array<std::vector<const ConfigKey*>, scope_count> by_scope_;
};

}  // namespace

const ConfigKey* find(std::string_view name, Scope scope) {
  return Table::instance().find(name, scope);
}

std::span<const ConfigKey* const> keys_of(Scope scope) { return Table::instance().keys_of(scope); }

void for_each(const std::function<void(const ConfigKey&)>& visit) {
  for (std::size_t scope = 0; scope < scope_count; ++scope) {
    for (const ConfigKey* key : keys_of(static_cast<Scope>(scope))) visit(*key);
  }
}

const ConfigKey* find_broker_key(std::string_view name) {
  if (const ConfigKey* key = find(name, Scope::broker)) return key;
  constexpr std::string_view prefix = "listener.name.";
  if (!name.starts_with(prefix)) return nullptr;
  name.remove_prefix(prefix.size());
  // Listener names have no dots, but SASL keys have a mechanism before them.
  for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
    name.remove_prefix(dot + 1);
    if (const ConfigKey* key = find(name, Scope::broker)) return key;
  }
  return nullptr;
}

}  // namespace arus::config
