#include "config/lookup.h"

#include "base/assert.h"

namespace arus::config {
namespace {

std::optional<Value> value_in(const ConfigMap* layer, const ConfigKey& key) {
  if (layer == nullptr) return std::nullopt;
  const auto found = layer->find(std::string(key.name));
  if (found == layer->end()) return std::nullopt;
  auto value = key.parse(found->second);
  if (!value) return std::nullopt;
  return *std::move(value);
}

}  // namespace

Value default_value(const ConfigKey& key) {
  const auto text = key.default_text();
  if (!text) return std::monostate{};
  auto value = key.parse(*text);
  ARUS_ASSERT(value);  // a test parses every default
  return *std::move(value);
}

std::optional<Value> set_broker_value(const ConfigKey& key, const Layers& layers) {
  if (key.update != Update::read_only) {
    if (auto value = value_in(layers.dynamic_broker, key)) return value;
  }
  if (key.update == Update::cluster_wide) {
    if (auto value = value_in(layers.dynamic_default, key)) return value;
  }
  return value_in(layers.static_broker, key);
}

Value broker_value(const ConfigKey& key, const Layers& layers) {
  if (auto value = set_broker_value(key, layers)) return *std::move(value);
  return default_value(key);
}

Value broker_value(std::string_view name, const Layers& layers) {
  const ConfigKey* key = find(name, Scope::broker);
  ARUS_ASSERT(key != nullptr);
  return broker_value(*key, layers);
}

Value inherited_value(const ConfigKey& key, const Layers& layers) {
  for (const Synonym& synonym : key.synonyms) {
    if (synonym.broker_key.empty()) break;
    Value value = broker_value(synonym.broker_key, layers);
    if (std::holds_alternative<std::monostate>(value)) continue;
    if (auto* number = std::get_if<std::int64_t>(&value); number != nullptr) {
      // Only INT keys have a factor, so that this cannot overflow. All that is negative means
      // "no limit".
      if (synonym.factor != 1) *number = *number < 0 ? -1 : *number * synonym.factor;
    }
    return value;
  }
  return default_value(key);
}

Value effective_value(const ConfigKey& key, const Layers& layers) {
  if (auto value = value_in(layers.overrides, key)) return *std::move(value);
  return inherited_value(key, layers);
}

}  // namespace arus::config
