#include "cli/kafka/group_tables.h"

#include <fmt/core.h>

#include <algorithm>

namespace arus::cli::kafka {
namespace {

constexpr std::size_t narrow = 15;
constexpr std::string_view no_value = "-";

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

std::string named(std::span<const std::string_view> names, std::string_view text) {
  for (const std::string_view name : names) {
    if (same_word(name, text)) return std::string(name);
  }
  return "Unknown";
}

template <class Number>
std::string or_missing(const std::optional<Number>& number) {
  return number ? fmt::format("{}", *number) : std::string(no_value);
}

std::string or_missing(const std::optional<Offset>& offset) {
  return offset ? fmt::format("{}", offset->value()) : std::string(no_value);
}

std::string epoch_text(std::int32_t epoch) {
  return epoch < 0 ? std::string(no_value) : std::to_string(epoch);
}

// Grows a column to what it has to hold.
void widen(std::size_t& width, std::string_view text) { width = std::max(width, text.size()); }

}  // namespace

std::string group_type_text(std::string_view type) {
  constexpr std::string_view names[] = {"Consumer", "Classic", "Share", "Streams"};
  return named(names, type);
}

std::string group_state_text(std::string_view state) {
  constexpr std::string_view names[] = {
      "PreparingRebalance", "CompletingRebalance", "Stable",  "Dead", "Empty",
      "Assigning",          "Reconciling",         "NotReady"};
  return named(names, state);
}

std::string listing_table(std::span<const client::ListedGroup> groups, bool types, bool states) {
  std::size_t width = narrow;
  for (const auto& group : groups) widen(width, group.id);
  width += 10;
  const auto line = [&](std::string_view id, std::string_view type, std::string_view state) {
    std::string text = fmt::format("{:<{}}", id, width);
    if (types) text += fmt::format(" {:<20}", type);
    if (states) text += fmt::format(" {:<20}", state);
    return text + "\n";
  };
  std::string text = line("GROUP", "TYPE", "STATE");
  for (const auto& group : groups) {
    text += line(group.id, group_type_text(group.type), group_state_text(group.state));
  }
  return text;
}

std::string all_groups_table(std::span<const client::ListedGroup> groups) {
  std::size_t width = 20;
  for (const auto& group : groups) {
    widen(width, group.id);
    widen(width, group.protocol_type);
  }
  std::string text =
      fmt::format("{:<{}} {:<{}} {:<{}}\n", "GROUP", width, "TYPE", width, "PROTOCOL", width);
  for (const auto& group : groups) {
    text += fmt::format("{:<{}} {:<{}} {:<{}} \n", group.id, width,
                        group.type.empty() ? "" : group_type_text(group.type), width,
                        group.protocol_type, width);
  }
  return text;
}

std::string offsets_table(std::string_view group, std::span<const GroupPartitionView> partitions,
                          bool verbose) {
  std::size_t groups = std::max(narrow, group.size());
  std::size_t topics = narrow;
  std::size_t members = narrow;
  std::size_t hosts = narrow;
  for (const auto& partition : partitions) {
    widen(topics, partition.name.topic);
    if (partition.member == nullptr) continue;
    widen(members, partition.member->id);
    widen(hosts, partition.member->client_host);
  }
  const auto line = [&](std::string_view id, std::string_view topic, std::string_view partition,
                        std::string_view leader_epoch, std::string_view current,
                        std::string_view end, std::string_view lag, std::string_view member,
                        std::string_view host, std::string_view client) {
    const std::string epoch = verbose ? fmt::format(" {:<15}", leader_epoch) : "";
    return fmt::format("\n{:<{}} {:<{}} {:<10}{} {:<15} {:<15} {:<15} {:<{}} {:<{}} {}", id, groups,
                       topic, topics, partition, epoch, current, end, lag, member, members, host,
                       hosts, client);
  };
  std::string text = line("GROUP", "TOPIC", "PARTITION", "LEADER-EPOCH", "CURRENT-OFFSET",
                          "LOG-END-OFFSET", "LAG", "CONSUMER-ID", "HOST", "CLIENT-ID");
  for (const auto& partition : partitions) {
    const client::GroupMember* member = partition.member;
    text += line(group, partition.name.topic, std::to_string(partition.name.partition),
                 epoch_text(partition.leader_epoch.value()), or_missing(partition.committed),
                 or_missing(partition.end), or_missing(partition.lag()),
                 member == nullptr ? no_value : std::string_view(member->id),
                 member == nullptr ? no_value : std::string_view(member->client_host),
                 member == nullptr ? no_value : std::string_view(member->client_id));
  }
  return text + "\n";
}

std::string assignment_text(std::span<const TopicPartition> partitions) {
  if (partitions.empty()) return std::string(no_value);
  std::vector<TopicPartition> sorted(partitions.begin(), partitions.end());
  std::ranges::sort(sorted);
  std::string text;
  const std::string* topic = nullptr;
  for (const auto& name : sorted) {
    if (topic != nullptr && *topic == name.topic) {
      text += fmt::format(",{}", name.partition);
    } else {
      text += fmt::format("{}{}:{}", topic == nullptr ? "" : ";", name.topic, name.partition);
    }
    topic = &name.topic;
  }
  return text;
}

std::string members_table(const client::GroupDescription& group, bool verbose) {
  std::size_t groups = std::max(narrow, group.id.size());
  std::size_t ids = narrow;
  std::size_t instances = 17;
  std::size_t hosts = narrow;
  std::size_t clients = narrow;
  std::size_t currents = 20;
  std::size_t targets = 20;
  bool with_instances = false;
  bool has_classic = false;
  bool has_upgraded = false;
  for (const auto& member : group.members) {
    widen(ids, member.id);
    widen(instances, member.instance_id.value_or(""));
    widen(hosts, member.client_host);
    widen(clients, member.client_id);
    widen(currents, assignment_text(member.assignment));
    widen(targets, assignment_text(member.target_assignment));
    with_instances |= !member.instance_id.value_or("").empty();
    if (!group.classic && member.classic) (*member.classic ? has_classic : has_upgraded) = true;
  }
  const bool migrating = has_classic && has_upgraded;
  struct Row {
    std::string_view group, id, instance, host, client;
    std::string partitions, epoch, current, target_epoch, target, upgraded;
  };
  const auto line = [&](const Row& row) {
    std::string text = fmt::format("{:<{}} {:<{}} ", row.group, groups, row.id, ids);
    if (with_instances) text += fmt::format("{:<{}} ", row.instance, instances);
    text +=
        fmt::format("{:<{}} {:<{}} {:<15} ", row.host, hosts, row.client, clients, row.partitions);
    if (!verbose) return text + "\n";
    text += fmt::format("{:<15} {:<{}} {:<15} {:<{}}", row.epoch, row.current, currents,
                        row.target_epoch, row.target, targets);
    if (migrating) text += " " + row.upgraded;
    return text + "\n";
  };
  std::string text = "\n" + line({"GROUP", "CONSUMER-ID", "GROUP-INSTANCE-ID", "HOST", "CLIENT-ID",
                                  "#PARTITIONS", "CURRENT-EPOCH", "CURRENT-ASSIGNMENT",
                                  "TARGET-EPOCH", "TARGET-ASSIGNMENT", "UPGRADED"});
  for (const auto& member : group.members) {
    text +=
        line({group.id, member.id, member.instance_id ? std::string_view(*member.instance_id) : "",
              member.client_host, member.client_id, std::to_string(member.assignment.size()),
              group.classic ? std::string(no_value) : epoch_text(member.epoch),
              assignment_text(member.assignment),
              group.classic ? std::string(no_value) : epoch_text(group.assignment_epoch),
              assignment_text(member.target_assignment),
              !member.classic   ? std::string(no_value)
              : *member.classic ? "false"
                                : "true"});
  }
  return text;
}

std::string state_table(const client::GroupDescription& group, bool verbose) {
  const std::string coordinator =
      fmt::format("{}:{}  ({})", group.coordinator.address.host, group.coordinator.address.port,
                  group.coordinator.id.value());
  const std::size_t coordinators = std::max<std::size_t>(25, coordinator.size());
  const std::size_t groups = std::max(narrow, group.id.size());
  const auto line = [&](std::string_view id, std::string_view where, std::string_view strategy,
                        std::string_view state, std::string_view epoch,
                        std::string_view assignment_epoch, std::string_view members) {
    std::string text = fmt::format("\n{:<{}} {:<{}} {:<20} {:<20} ", id, groups, where,
                                   coordinators, strategy, state);
    if (verbose) text += fmt::format("{:<15} {:<25} ", epoch, assignment_epoch);
    return text + std::string(members);
  };
  return line("GROUP", "COORDINATOR (ID)", "ASSIGNMENT-STRATEGY", "STATE", "GROUP-EPOCH",
              "TARGET-ASSIGNMENT-EPOCH", "#MEMBERS") +
         line(group.id, coordinator, group.assignor.empty() ? no_value : group.assignor,
              group_state_text(group.state), epoch_text(group.group_epoch),
              epoch_text(group.assignment_epoch), std::to_string(group.members.size())) +
         "\n";
}

std::string reset_table(const std::map<std::string, ResetPlan>& plans) {
  if (plans.empty()) return "\n";
  std::size_t groups = narrow;
  std::size_t topics = narrow;
  for (const auto& [group, plan] : plans) {
    widen(groups, group);
    for (const auto& [name, offset] : plan.offsets) widen(topics, name.topic);
  }
  std::string text = fmt::format("\n{:<{}} {:<{}} {:<10} {}", "GROUP", groups, "TOPIC", topics,
                                 "PARTITION", "NEW-OFFSET");
  for (const auto& [group, plan] : plans) {
    for (const auto& [name, offset] : plan.offsets) {
      text += fmt::format("\n{:<{}} {:<{}} {:<10} {}", group, groups, name.topic, topics,
                          name.partition, offset.value());
    }
  }
  return text + "\n";
}

}  // namespace arus::cli::kafka
