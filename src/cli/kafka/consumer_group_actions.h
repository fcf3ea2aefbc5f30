// What kafka-consumer-groups does, once its options are read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/console.h"
#include "cli/group_view.h"
#include "cli/kafka_options.h"
#include "cli/offset_csv.h"

namespace arus::cli::kafka {

inline constexpr std::int64_t default_group_timeout_ms = 5000;

// Where a reset goes, and what it is about.
struct ResetOrder {
  ResetStrategy strategy;
  std::optional<std::int64_t> ago_ms;  // the strategy's time counts back from when it runs
  std::optional<GroupOffsets> file;    // the strategy's list, for each group
  ResetScope scope;
};
Result<ResetOrder> reset_order(const ParsedOptions& options);

struct GroupProgram {
  const ParsedOptions& options;
  std::span<const OptionSpec> specs;  // for the help that errors come with
  std::vector<std::string> states;    // of --list --state
  std::vector<std::string> types;     // of --list --type
  ResetOrder reset;
};

env::Task<int> run_consumer_groups(Session session, Console& console, const GroupProgram& program);

// What Kafka's program prints when something went wrong; gives 0, as it does.
int group_command_failed(Console& console, std::string_view why);

// Groups of consumers: of protocol type "consumer", or none but offsets; sorted.
env::Task<Result<std::vector<client::ListedGroup>>> list_consumer_groups(
    client::Cluster& cluster, std::vector<std::string> states, std::vector<std::string> types);

// --reset-offsets, for these groups. Messages of its errors are whole, as Kafka prints them.
// INVALID_REQUEST is what is wrong with the options.
env::Task<Result<>> reset_groups(client::Cluster& cluster, Console& console,
                                 const GroupProgram& program, std::vector<std::string> groups);

}  // namespace arus::cli::kafka
