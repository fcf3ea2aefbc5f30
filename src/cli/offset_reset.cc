#include "cli/offset_reset.h"

#include <fmt/core.h>

#include <charconv>

namespace arus::cli {
namespace {

Result<Offset> known(const std::optional<Offset>& fact, const TopicPartition& name,
                     std::string_view what) {
  if (fact) return *fact;
  return fail(
      ErrorCode::unknown_server_error,
      fmt::format("Error getting {} offset of topic partition: {}", what, name.to_string()));
}

// What a strategy wants, before it is kept within the log. A number that overflows is as far out as
// one can be.
Result<std::optional<std::int64_t>> wanted_offset(const ResetStrategy& strategy,
                                                  const TopicPartition& name,
                                                  const ResetFacts& facts) {
  if (strategy.to == ResetTo::offset) return strategy.number;
  if (strategy.to == ResetTo::listed) {
    const auto found = strategy.listed.find(name);
    if (found == strategy.listed.end()) return std::nullopt;
    return found->second.value();
  }
  if (!facts.committed) {
    return fail(ErrorCode::invalid_request,
                fmt::format("Cannot shift offset for partition {} since there is no current "
                            "committed offset",
                            name.to_string()));
  }
  std::int64_t sum = 0;
  if (__builtin_add_overflow(facts.committed->value(), strategy.number, &sum)) {
    sum = strategy.number < 0 ? INT64_MIN : INT64_MAX;
  }
  return sum;
}

Result<Offset> within_log(std::int64_t wanted, const TopicPartition& name, const ResetFacts& facts,
                          ResetPlan& plan) {
  const auto start = known(facts.start, name, "starting");
  if (!start) return start;
  const auto end = known(facts.end, name, "ending");
  if (!end) return end;
  const auto correct = [&](std::string_view side, std::string_view edge, Offset to) {
    plan.corrections.push_back(
        fmt::format("New offset ({}) is {} than {} offset for topic partition {}. Value will be "
                    "set to {}",
                    wanted, side, edge, name.to_string(), to.value()));
    return to;
  };
  if (wanted > end->value()) return correct("higher", "latest", *end);
  if (wanted < start->value()) return correct("lower", "earliest", *start);
  return Offset{wanted};
}

Result<std::optional<Offset>> planned_offset(const ResetStrategy& strategy,
                                             const TopicPartition& name, const ResetFacts& facts,
                                             ResetPlan& plan) {
  switch (strategy.to) {
    case ResetTo::earliest:
      return known(facts.start, name, "starting");
    case ResetTo::latest:
      return known(facts.end, name, "ending");
    case ResetTo::current:
      if (facts.committed) return *facts.committed;
      return known(facts.end, name, "ending");
    case ResetTo::time:
      if (facts.at_time) return *facts.at_time;
      plan.fallbacks.push_back(
          fmt::format("Partition {} from topic {} is empty. Falling back to latest known offset.",
                      name.partition, name.topic));
      return known(facts.end, name, "ending");
    case ResetTo::offset:
    case ResetTo::shift:
    case ResetTo::listed:
      break;
  }
  const auto wanted = wanted_offset(strategy, name, facts);
  if (!wanted) return fail(wanted.error());
  if (!*wanted) return std::nullopt;
  return within_log(**wanted, name, facts, plan);
}

}  // namespace

bool ResetStrategy::needs_start() const {
  return to == ResetTo::earliest || to == ResetTo::offset || to == ResetTo::shift ||
         to == ResetTo::listed;
}
bool ResetStrategy::needs_end() const { return to != ResetTo::earliest; }
bool ResetStrategy::needs_committed() const {
  return to == ResetTo::current || to == ResetTo::shift;
}

Result<ResetPlan> plan_reset(const ResetStrategy& strategy,
                             const std::map<TopicPartition, ResetFacts>& facts) {
  ResetPlan plan;
  for (const auto& [name, known_facts] : facts) {
    const auto offset = planned_offset(strategy, name, known_facts, plan);
    if (!offset) return fail(offset.error());
    if (*offset) plan.offsets.emplace(name, **offset);
  }
  return plan;
}

Result<TopicScope> parse_topic_scope(std::string_view text) {
  TopicScope scope;
  const auto colon = text.find(':');
  scope.topic = text.substr(0, colon);
  if (colon == std::string_view::npos) return scope;
  const std::string_view list = text.substr(colon + 1);
  if (list.empty() || list.find(':') != std::string_view::npos) {
    return fail(ErrorCode::invalid_request,
                fmt::format("Invalid topic arg '{}', expected topic name and partitions", text));
  }
  scope.partitions.emplace();
  for (std::size_t start = 0; start <= list.size();) {
    const auto comma = std::min(list.find(',', start), list.size());
    const std::string_view part = list.substr(start, comma - start);
    std::int32_t partition = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), partition);
    if (error != std::errc{} || end != part.data() + part.size() || partition < 0) {
      return fail(ErrorCode::invalid_request,
                  fmt::format("Invalid partition '{}' specified in topic arg '{}''", part, text));
    }
    scope.partitions->push_back(partition);
    start = comma + 1;
  }
  return scope;
}

}  // namespace arus::cli
