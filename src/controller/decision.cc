#include "controller/decision.h"

#include <fmt/core.h>

#include <charconv>

#include "protocol/features.h"

namespace arus::controller {

config::Layers broker_layers(const DecisionContext& context) {
  using metadata::ConfigResourceType;
  return {
      .dynamic_broker = &context.image.configs(
          {ConfigResourceType::broker, std::to_string(context.self.value())}),
      .dynamic_default = &context.image.configs({ConfigResourceType::broker, {}}),
      .static_broker = &context.settings.broker_configs,
  };
}

std::int32_t min_insync_replicas(const DecisionContext& context, const std::string& topic) {
  constexpr const char* key = "min.insync.replicas";
  using metadata::ConfigResourceType;
  const auto read = [&](const metadata::ConfigResource& resource) -> std::int32_t {
    const auto& values = context.image.configs(resource);
    const auto found = values.find(key);
    if (found == values.end()) return 0;
    std::int32_t number = 0;
    const std::string& text = found->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} ? number : 0;
  };
  if (const auto own = read({ConfigResourceType::topic, topic}); own > 0) return own;
  if (const auto all = read({ConfigResourceType::broker, {}}); all > 0) return all;
  return context.settings.min_insync_replicas;
}

bool elr_enabled(const metadata::MetadataImage& image) {
  return image.feature_level(protocol::elr_version_feature).value_or(0) >= 1;
}

Result<> validate_topic_name(const std::string& name) {
  constexpr std::size_t max_bytes = 249;
  const auto bad = [](std::string why) {
    return fail(ErrorCode::invalid_topic_exception, "Topic name is invalid: " + why);
  };
  if (name.empty()) return bad("the empty string is not allowed");
  if (name == "." || name == "..") return bad("'" + name + "' is not allowed");
  if (name.size() > max_bytes) {
    return bad(fmt::format("the length of '{}' is longer than the max allowed length {}", name,
                           max_bytes));
  }
  for (const char c : name) {
    const bool legal = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '-';
    if (!legal) {
      return bad("'" + name +
                 "' contains one or more characters other than ASCII alphanumerics, '.', '_' and "
                 "'-'");
    }
  }
  return {};
}

protocol::ConfigRecord config_record(const metadata::ConfigResource& resource, std::string key,
                                     std::optional<std::string> value) {
  protocol::ConfigRecord record;
  record.resource_type = static_cast<std::int8_t>(resource.type);
  record.resource_name = resource.name;
  record.name = std::move(key);
  record.value = std::move(value);
  return record;
}

}  // namespace arus::controller
