// The one table of every config key: Kafka 4.3.1's and Arus's own.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "config/config_key.h"

namespace arus::config {

// Key to text, as files, records and requests carry it.
using ConfigMap = std::map<std::string, std::string>;

// Nothing for a key that is not in the table.
[[nodiscard]] const ConfigKey* find(std::string_view name, Scope scope);
// All keys of a scope in order of name.
[[nodiscard]] std::span<const ConfigKey* const> keys_of(Scope scope);
// All keys of all scopes.
void for_each(const std::function<void(const ConfigKey&)>& visit);

// The broker key behind a name that may carry "listener.name.<listener>." before it.
[[nodiscard]] const ConfigKey* find_broker_key(std::string_view name);

// What `arus config explain KEY` prints: each scope that has the key, its type, default, values,
// when a change takes effect and what it is for. Empty for an unknown key.
[[nodiscard]] std::string explain(std::string_view name);
// docs/configuration.md: the whole table as a page.
[[nodiscard]] std::string reference_page();

}  // namespace arus::config
