#include "config/describe.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/assert.h"
#include "base/log.h"
#include "config/lookup.h"

namespace arus::config {
namespace {

// Broker keys that stand in for each other, in the order in which they count.
std::vector<std::string> broker_names(const std::string& name) {
  if (name == "log.roll.ms" || name == "log.roll.hours") return {"log.roll.ms", "log.roll.hours"};
  if (name == "log.roll.jitter.ms" || name == "log.roll.jitter.hours") {
    return {"log.roll.jitter.ms", "log.roll.jitter.hours"};
  }
  if (name == "log.flush.interval.ms") return {name, "log.flush.scheduler.interval.ms"};
  if (name == "log.retention.ms" || name == "log.retention.minutes" ||
      name == "log.retention.hours") {
    return {"log.retention.ms", "log.retention.minutes", "log.retention.hours"};
  }
  return {name};
}

void add_from(const ConfigMap* layer, const std::vector<std::string>& names, Source source,
              std::vector<DescribedSynonym>& synonyms) {
  if (layer == nullptr) return;
  for (const std::string& name : names) {
    const auto found = layer->find(name);
    if (found != layer->end()) synonyms.push_back({name, found->second, source});
  }
}

// Everywhere that the broker key gets a value from, strongest first, defaults last. What comes
// before the first entry of that very name is left out, as Kafka does.
std::vector<DescribedSynonym> broker_synonyms(const std::string& name, const Layers& layers,
                                              bool sensitive) {
  const std::vector<std::string> names = broker_names(name);
  std::vector<DescribedSynonym> synonyms;
  add_from(layers.dynamic_broker, names, Source::dynamic_broker, synonyms);
  add_from(layers.dynamic_default, names, Source::dynamic_default_broker, synonyms);
  add_from(layers.static_broker, names, Source::static_broker, synonyms);
  for (const std::string& other : names) {
    const ConfigKey* key = find(other, Scope::broker);
    if (key == nullptr || !key->default_text()) continue;
    synonyms.push_back({other, to_text(default_value(*key)), Source::fallback});
  }
  const auto first = std::ranges::find(synonyms, name, &DescribedSynonym::name);
  synonyms.erase(synonyms.begin(), first);
  if (sensitive) {
    for (DescribedSynonym& synonym : synonyms) synonym.value.reset();
  }
  return synonyms;
}

DescribedConfig with_key(const ConfigKey& key, const Value& value) {
  DescribedConfig config;
  config.name = key.name;
  config.type = key.type;
  config.sensitive = key.sensitive();
  config.documentation = key.doc;
  if (!config.sensitive) config.value = to_text(value);
  return config;
}

// The source is that of the strongest synonym.
void set_synonyms(DescribedConfig& config, std::vector<DescribedSynonym> synonyms) {
  config.source = synonyms.empty() ? Source::fallback : synonyms.front().source;
  config.is_default = config.source == Source::fallback;
  config.synonyms = std::move(synonyms);
}

bool is_set(const ConfigMap* layer, std::string_view name) {
  return layer != nullptr && layer->contains(std::string(name));
}

// Dynamic layers without what may not be set there, so that it is not shown as if it counted.
ConfigMap dynamic_part(const ConfigMap* layer, bool of_one_broker) {
  ConfigMap part;
  if (layer == nullptr) return part;
  for (const auto& [name, value] : *layer) {
    if (parse_stored_arus_key(name)) continue;
    const ConfigKey* key = find(name, Scope::broker);
    if (key != nullptr && key->update == Update::read_only) continue;
    if (key != nullptr && key->update == Update::per_broker && !of_one_broker) continue;
    part.emplace(name, value);
  }
  return part;
}

DescribedConfig describe_broker_key(const std::string& name, const Layers& layers) {
  const ConfigKey* key = find(name, Scope::broker);
  const ConfigKey* prefixed = key ? key : find_broker_key(name);
  DescribedConfig config;
  if (key != nullptr) {
    config = with_key(*key, broker_value(*key, layers));
  } else {
    config.name = name;
    config.type = prefixed ? prefixed->type : Type::unknown;
    config.sensitive = prefixed == nullptr || prefixed->sensitive();
    if (prefixed) config.documentation = prefixed->doc;
  }
  config.read_only = key == nullptr || key->update == Update::read_only;
  set_synonyms(config, broker_synonyms(name, layers, config.sensitive));
  if (key == nullptr && !config.sensitive && !config.synonyms.empty()) {
    config.value = config.synonyms.front().value;
  }
  return config;
}

// One key of a topic or group: its override, then where it would come from.
DescribedConfig describe_inheriting(const ConfigKey& key, const Layers& layers, Source own,
                                    bool own_default_is_a_synonym) {
  DescribedConfig config = with_key(key, effective_value(key, layers));
  std::vector<DescribedSynonym> synonyms;
  if (is_set(layers.overrides, key.name)) {
    synonyms.push_back({config.name, config.value, own});
  }
  if (!key.synonyms.front().broker_key.empty()) {
    const std::string broker_key(key.synonyms.front().broker_key);
    std::ranges::move(broker_synonyms(broker_key, layers, config.sensitive),
                      std::back_inserter(synonyms));
  } else if (own_default_is_a_synonym && key.default_text()) {
    synonyms.push_back({config.name, to_text(default_value(key)), Source::fallback});
  }
  set_synonyms(config, std::move(synonyms));
  return config;
}

}  // namespace

std::string_view source_name(Source source) {
  constexpr std::array<std::string_view, 9> names{"UNKNOWN",
                                                  "DYNAMIC_TOPIC_CONFIG",
                                                  "DYNAMIC_BROKER_CONFIG",
                                                  "DYNAMIC_DEFAULT_BROKER_CONFIG",
                                                  "STATIC_BROKER_CONFIG",
                                                  "DEFAULT_CONFIG",
                                                  "DYNAMIC_BROKER_LOGGER_CONFIG",
                                                  "DYNAMIC_CLIENT_METRICS_CONFIG",
                                                  "DYNAMIC_GROUP_CONFIG"};
  const auto index = static_cast<std::size_t>(source);
  return index < names.size() ? names[index] : names[0];
}

std::vector<DescribedConfig> describe_topic(const Layers& layers) {
  std::vector<DescribedConfig> configs;
  for (const ConfigKey* key : keys_of(Scope::topic)) {
    if (key->internal && !is_set(layers.overrides, key->name)) continue;
    configs.push_back(describe_inheriting(*key, layers, Source::topic, false));
  }
  return configs;
}

std::vector<DescribedConfig> describe_broker(const Layers& layers) {
  const ConfigMap dynamic_broker = dynamic_part(layers.dynamic_broker, true);
  const ConfigMap dynamic_default = dynamic_part(layers.dynamic_default, false);
  const Layers counting{nullptr, &dynamic_broker, &dynamic_default, layers.static_broker};
  std::set<std::string> names;
  for (const ConfigKey* key : keys_of(Scope::broker)) {
    if (!key->internal) names.emplace(key->name);
  }
  for (const ConfigMap* layer : {&dynamic_broker, &dynamic_default, layers.static_broker}) {
    if (layer == nullptr) continue;
    for (const auto& [name, value] : *layer) names.insert(name);
  }
  std::vector<DescribedConfig> configs;
  for (const std::string& name : names) configs.push_back(describe_broker_key(name, counting));
  return configs;
}

std::vector<DescribedConfig> describe_broker_defaults(const ConfigMap& dynamic_default) {
  const ConfigMap counting = dynamic_part(&dynamic_default, false);
  std::vector<DescribedConfig> configs;
  for (const auto& [name, value] : counting) {
    DescribedConfig config = describe_broker_key(name, {.dynamic_default = &counting});
    std::erase_if(config.synonyms, [](const DescribedSynonym& synonym) {
      return synonym.source != Source::dynamic_default_broker;
    });
    configs.push_back(std::move(config));
  }
  return configs;
}

std::vector<DescribedConfig> describe_group(const Layers& layers) {
  std::vector<DescribedConfig> configs;
  for (const ConfigKey* key : keys_of(Scope::group)) {
    configs.push_back(describe_inheriting(*key, layers, Source::group, true));
  }
  return configs;
}

std::vector<DescribedConfig> describe_client_metrics(const ConfigMap& overrides) {
  const Layers layers{.overrides = &overrides};
  std::vector<DescribedConfig> configs;
  for (const ConfigKey* key : keys_of(Scope::client_metrics)) {
    configs.push_back(describe_inheriting(*key, layers, Source::client_metrics, false));
  }
  return configs;
}

std::string_view kafka_level_name(int level) {
  constexpr std::array<std::string_view, 6> names{"TRACE", "DEBUG", "INFO",
                                                  "WARN",  "ERROR", "FATAL"};
  const auto index = static_cast<std::size_t>(level);
  return index < names.size() ? names[index] : std::string_view{};
}

std::vector<DescribedConfig> describe_loggers() {
  std::vector<DescribedConfig> configs;
  const auto add = [&](const std::string& name, std::string_view component) {
    DescribedConfig config;
    config.name = name;
    config.value = kafka_level_name(static_cast<int>(log_level(component)));
    config.source = Source::dynamic_broker_logger;
    configs.push_back(std::move(config));
  };
  for (const std::string& component : log_components()) add(component, component);
  add("root", "");
  std::ranges::sort(configs, {}, &DescribedConfig::name);
  return configs;
}

}  // namespace arus::config
