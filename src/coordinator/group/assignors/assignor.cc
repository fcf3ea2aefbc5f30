#include "coordinator/group/assignors/assignor.h"

namespace arus::coordinator {
namespace {

constexpr std::string_view uniform_name = "uniform";
constexpr std::string_view range_name = "range";
constexpr std::string_view class_prefix = "org.apache.kafka.coordinator.group.assignor.";

}  // namespace

std::string_view assignor_name(std::string_view configured) {
  if (!configured.starts_with(class_prefix)) return configured;
  const std::string_view name = configured.substr(class_prefix.size());
  if (name == "UniformAssignor") return uniform_name;
  if (name == "RangeAssignor") return range_name;
  return configured;
}

Assignor find_assignor(std::string_view name) {
  const std::string_view known = assignor_name(name);
  if (known == uniform_name) return assign_uniformly;
  if (known == range_name) return assign_ranges;
  return nullptr;
}

}  // namespace arus::coordinator
