#include <fmt/core.h>

#include <algorithm>

#include "base/joined.h"
#include "cli/kafka/command.h"
#include "cli/kafka/consumer_group_actions.h"
#include "cli/kafka/group_tables.h"
#include "cli/kafka/programs.h"
#include "cli/pattern.h"

namespace arus::cli::kafka {
namespace {

constexpr OptionSpec consumer_groups_specs[] = {
    {"all-groups", Takes::nothing, "", "All consumer groups."},
    {"all-topics", Takes::nothing, "", "With --reset-offsets: all topics with offsets."},
    {"bootstrap-server", Takes::value, "host:port",
     "Brokers to ask first. REQUIRED but for --validate-regex."},
    {"by-duration", Takes::value, "PnDTnHnMnS", "Reset to offsets of so long ago."},
    {"command-config", Takes::value, "file", "Properties for the client."},
    {"delete", Takes::nothing, "", "Delete groups that have no members, with their offsets."},
    {"delete-offsets", Takes::nothing, "", "Delete a group's offsets of topics."},
    {"describe", Takes::nothing, "", "Show groups: offsets and lag, members or state."},
    {"dry-run", Takes::nothing, "", "With --reset-offsets: show the plan only (the default)."},
    {"execute", Takes::nothing, "", "With --reset-offsets: do it."},
    {"export", Takes::nothing, "", "With --reset-offsets: print the plan as CSV."},
    {"from-file", Takes::value, "file", "Reset to the offsets of a CSV file."},
    {"group", Takes::value, "group", "A group.", {}, true},
    {"help", Takes::nothing, "", "Print this."},
    {"list", Takes::nothing, "", "List consumer groups."},
    {"members", Takes::nothing, "", "With --describe: the members."},
    {"offsets", Takes::nothing, "", "With --describe: offsets and lag (the default)."},
    {"reset-offsets", Takes::nothing, "",
     "Change the offsets of groups without members. Say what with --topic, --all-topics or "
     "--from-file and how with one of --to-earliest, --to-latest, --to-current, --to-offset, "
     "--shift-by, --to-datetime, --by-duration, --from-file."},
    {"shift-by", Takes::value, "number", "Reset by so many records, backwards if negative."},
    {"state", Takes::optional_value, "states",
     "With --describe: the state. With --list: also states, and only these."},
    {"timeout", Takes::value, "ms", "How long calls may take (5000)."},
    {"to-current", Takes::nothing, "", "Reset to the offsets committed now."},
    {"to-datetime", Takes::value, "YYYY-MM-DDThh:mm:ss.sss", "Reset to offsets of a moment."},
    {"to-earliest", Takes::nothing, "", "Reset to the first offsets."},
    {"to-latest", Takes::nothing, "", "Reset to the ends."},
    {"to-offset", Takes::value, "offset", "Reset to this offset."},
    {"topic",
     Takes::value,
     "topic[:0,1]",
     "A topic or some of its partitions, for --reset-offsets and --delete-offsets.",
     {},
     true},
    {"type", Takes::optional_value, "types", "With --list: also types, and only these."},
    {"validate-regex", Takes::value, "regex", "Say whether RE2 takes the expression."},
    {"verbose", Takes::nothing, "", "With --describe: more."},
    {"version", Takes::nothing, "", "Print the version."},
};

constexpr std::string_view actions[] = {"list",          "describe",       "delete",
                                        "reset-offsets", "delete-offsets", "validate-regex"};
constexpr std::string_view scenarios[] = {"to-offset",   "shift-by",  "to-datetime", "by-duration",
                                          "to-earliest", "to-latest", "to-current",  "from-file"};

bool has_groups(const ParsedOptions& options) {
  return options.has("group") || options.has("all-groups");
}

std::string cannot_be_with(std::string_view option, std::string_view other) {
  return fmt::format("Option \"[{}]\" can't be used with option \"[{}]\"", option, other);
}

std::optional<std::string> misplaced_in_describe(const ParsedOptions& options) {
  if (!has_groups(options)) {
    return "Option [describe] takes one of these options: [group], [all-groups]";
  }
  const int kinds = (options.has("members") ? 1 : 0) + (options.has("offsets") ? 1 : 0) +
                    (options.has("state") ? 1 : 0);
  if (kinds > 1) {
    return "Option [describe] takes at most one of these options: [members], [offsets], [state]";
  }
  if (options.has("state") && options.value("state")) {
    return "Option [describe] does not take a value for [state]";
  }
  return std::nullopt;
}

std::optional<std::string> misplaced_in_reset(const ParsedOptions& options) {
  if (options.has("dry-run") && options.has("execute")) {
    return "Option [reset-offsets] only accepts one of [execute] and [dry-run]";
  }
  if (!has_groups(options)) {
    return "Option [reset-offsets] takes one of these options: [group], [all-groups]";
  }
  std::string_view chosen;
  for (const std::string_view scenario : scenarios) {
    if (!options.has(scenario)) continue;
    if (!chosen.empty()) return cannot_be_with(chosen, scenario);
    chosen = scenario;
  }
  if (chosen.empty()) {
    return fmt::format("Option '[reset-offsets]' requires one of the following scenarios: [[{}]]",
                       joined(scenarios, "], ["));
  }
  if (!options.has("topic") && !options.has("all-topics") && chosen != "from-file") {
    return "One of the reset scopes should be defined: --all-topics, --topic.";
  }
  return std::nullopt;
}

// What does not fit together, in Kafka's words.
std::optional<std::string> misplaced(const ParsedOptions& options) {
  if (options.has("describe")) {
    if (auto wrong = misplaced_in_describe(options)) return wrong;
  }
  if (options.has("delete") && !has_groups(options)) {
    return "Option [delete] takes one of these options: [group], [all-groups]";
  }
  if (options.has("delete") && options.has("topic")) {
    return "The consumer does not support topic-specific offset deletion from a consumer group.";
  }
  if (options.has("delete-offsets") && (!options.has("group") || !options.has("topic"))) {
    return "Option [delete-offsets] takes the following options: [group], [topic]";
  }
  if (options.has("reset-offsets")) {
    if (auto wrong = misplaced_in_reset(options)) return wrong;
  }
  if (options.has("group") && options.has("all-groups")) {
    return cannot_be_with("group", "all-groups");
  }
  if (options.has("group") && options.has("list")) return cannot_be_with("group", "list");
  for (const std::string_view action : {"list", "describe"}) {
    if (options.has("topic") && options.has(action)) return cannot_be_with("topic", action);
  }
  return std::nullopt;
}

// Options that Kafka's parser knows only beside an action.
std::optional<std::string> unavailable(const ParsedOptions& options) {
  const bool describe = options.has("describe");
  const bool list = options.has("list");
  const auto wrong = [](std::string_view option) {
    return fmt::format("Option(s) [{}] are unavailable given other options on the command line",
                       option);
  };
  for (const std::string_view option : {"members", "verbose", "offsets"}) {
    if (options.has(option) && !describe) return wrong(option);
  }
  if (options.has("state") && !describe && !list) return wrong("state");
  if (options.has("type") && !list) return wrong("type");
  return std::nullopt;
}

// Values of a list such as "stable, Empty", each by its full name; the error lists what there is.
Result<std::vector<std::string>> words_of(std::string_view what, std::string_view text,
                                          std::span<const std::string_view> known,
                                          std::string (*name_of)(std::string_view)) {
  std::vector<std::string> words;
  for (const auto& part : split_list(text)) {
    const std::string word = name_of(part);
    if (std::ranges::find(known, word) == known.end()) {
      const std::string listed = what == "type" ? "types" : std::string(what);
      return fail(ErrorCode::invalid_request, fmt::format("Invalid {} list '{}'. Valid {}s are: {}",
                                                          listed, text, what, joined(known, ", ")));
    }
    words.push_back(word);
  }
  return words;
}

int validate_regex(Console& console, const std::string& text) {
  if (const auto complaint = regex_complaint(text)) {
    console.print("The regular expression `{}` is invalid: {}.\n", text, *complaint);
  } else {
    console.print("The regular expression `{}` is valid.\n", text);
  }
  return 0;
}

// What can be said before anybody is asked.
Result<GroupProgram> consumer_groups_program(const ParsedOptions& options) {
  constexpr std::string_view states[] = {"Assigning", "CompletingRebalance", "Dead",
                                         "Empty",     "PreparingRebalance",  "Reconciling",
                                         "Stable"};
  constexpr std::string_view types[] = {"Classic", "Consumer"};
  GroupProgram program{options, consumer_groups_specs, {}, {}, {}};
  auto state_words = words_of("state", options.value_or("state", ""), states, group_state_text);
  if (!state_words) return fail(std::move(state_words).error());
  program.states = std::move(*state_words);
  auto type_words = words_of("type", options.value_or("type", ""), types, group_type_text);
  if (!type_words) return fail(std::move(type_words).error());
  program.types = std::move(*type_words);
  if (!options.has("reset-offsets")) return program;
  auto order = reset_order(options);
  if (!order) return fail(std::move(order).error());
  program.reset = std::move(*order);
  return program;
}

}  // namespace

int consumer_groups(Console& console, const Arguments& arguments) {
  ParsedOptions options;
  if (const auto status =
          begin(console, arguments, consumer_groups_specs,
                "This tool helps to list all consumer groups, describe a consumer group, delete "
                "consumer group info, or reset consumer group offsets.",
                options)) {
    return *status;
  }
  if (const auto message = unavailable(options))
    return usage_error(console, *message, consumer_groups_specs);
  if (!options.has("validate-regex")) {
    if (const auto status =
            check_required(console, consumer_groups_specs, options, {"bootstrap-server"})) {
      return *status;
    }
  }
  if (options.has("reset-offsets") && !options.has("dry-run") && !options.has("execute")) {
    console.err(
        "WARN: No action will be performed as the --execute option is missing. In version 5.0, "
        "this command will require either --dry-run or --execute to be specified. You should add "
        "the --dry-run option explicitly if you are scripting this command and want to keep the "
        "current default behavior without prompting.\n");
  }
  if (const auto message = misplaced(options))
    return usage_error(console, *message, consumer_groups_specs);
  const auto given = [&](std::string_view action) { return options.has(action); };
  if (std::ranges::count_if(actions, given) != 1) {
    return usage_error(console,
                       "Command must include exactly one action: --list, --describe, --delete, "
                       "--reset-offsets, --delete-offsets, --validate-regex",
                       consumer_groups_specs);
  }
  if (const auto regex = options.value("validate-regex")) return validate_regex(console, *regex);
  const auto timeout = options.number("timeout", 1, INT32_MAX);
  if (!timeout) return usage_error(console, timeout.error().message, consumer_groups_specs);
  auto program = consumer_groups_program(options);
  if (!program && program.error().code != ErrorCode::invalid_request) {
    return group_command_failed(console, program.error().message);
  }
  if (!program) return usage_error(console, program.error().message, consumer_groups_specs);
  auto client = cluster_of(options);
  if (!client) return usage_error(console, client.error().message, consumer_groups_specs);
  client->call_timeout = env::milliseconds(timeout->value_or(default_group_timeout_ms));
  return run_session(*client, run_consumer_groups, console, *program);
}

}  // namespace arus::cli::kafka
