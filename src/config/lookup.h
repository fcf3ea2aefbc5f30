// Finds the value of a key through the layers.
#pragma once

#include "config/config_key.h"
#include "config/topic_config.h"

namespace arus::config {

// The text that holds a key of the broker scope, strongest layer first, defaults not looked at.
// Dynamic layers count only for keys that may be set there. A text that does not parse is passed
// over.
[[nodiscard]] std::optional<Value> set_broker_value(const ConfigKey& key, const Layers& layers);
// The same, and the default where nothing is set; monostate where there is none.
[[nodiscard]] Value broker_value(const ConfigKey& key, const Layers& layers);
// The key must be in the table.
[[nodiscard]] Value broker_value(std::string_view name, const Layers& layers);
// What a topic's or group's key is without an override: the first broker synonym that has a value,
// or the key's own default.
[[nodiscard]] Value inherited_value(const ConfigKey& key, const Layers& layers);
// The override where it parses, else the inherited value.
[[nodiscard]] Value effective_value(const ConfigKey& key, const Layers& layers);
[[nodiscard]] Value default_value(const ConfigKey& key);

}  // namespace arus::config
