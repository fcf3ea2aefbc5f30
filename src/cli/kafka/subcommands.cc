#include "cli/kafka/subcommands.h"

#include <fmt/core.h>

namespace arus::cli::kafka {
namespace {

constexpr OptionSpec help_spec{"help", Takes::nothing, "", "Print this.", "h"};

std::string choices_of(const Program& program) {
  std::string choices;
  for (const auto& command : program.commands) {
    choices += fmt::format("{}{}", choices.empty() ? "" : ",", command.name);
  }
  return choices;
}

std::string usage_of(const Program& program, const Subcommand* command) {
  if (command == nullptr) {
    return fmt::format("usage: {} [-h] {{{}}} ...\n", program.name, choices_of(program));
  }
  std::string usage = fmt::format("usage: {} {} [-h]", program.name, command->name);
  for (const auto& spec : command->specs) {
    usage += spec.takes == Takes::nothing
                 ? fmt::format(" [--{}]", spec.name)
                 : fmt::format(" [--{} <{}>]", spec.name, spec.placeholder);
  }
  return usage + "\n";
}

std::string help_of(const Program& program, const Subcommand* command) {
  std::string help = usage_of(program, command) + "\n";
  std::vector<OptionSpec> specs{help_spec};
  if (command != nullptr) {
    help += fmt::format("{}\n\n", command->summary);
    specs.insert(specs.end(), command->specs.begin(), command->specs.end());
  } else {
    help += fmt::format("{}\n\n", program.summary);
    for (const auto& each : program.commands) {
      help += fmt::format("  {:<22} {}\n", each.name, each.summary);
    }
    help += "\n";
  }
  specs.insert(specs.end(), program.globals.begin(), program.globals.end());
  return help + describe_options(specs);
}

// Where the command's name stands: the first word that is neither an option nor the value of one.
std::optional<std::size_t> find_command(const Program& program,
                                        std::span<const std::string> arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (!word.starts_with('-')) return i;
    if (word.find('=') != std::string::npos) continue;
    const std::string_view name = std::string_view(word).substr(word.starts_with("--") ? 2 : 1);
    for (const auto& spec : program.globals) {
      if (spec.takes != Takes::nothing && (spec.name == name || spec.alias == name)) ++i;
    }
  }
  return std::nullopt;
}

}  // namespace

int subcommand_error(Console& console, const Program& program, const Subcommand* command,
                     std::string_view message) {
  console.print_error("{}{}: error: {}\n", usage_of(program, command), program.name, message);
  return 1;
}

Asked parse_subcommand(Console& console, const Program& program,
                       std::span<const std::string> arguments) {
  Asked asked;
  const auto at = find_command(program, arguments);
  if (!at) {
    for (const auto& word : arguments) {
      if (word != "-h" && word != "--help") continue;
      console.out(help_of(program, nullptr));
      asked.status = program.help_status;
      return asked;
    }
    asked.status = subcommand_error(console, program, nullptr, "too few arguments");
    return asked;
  }
  const auto found = std::ranges::find(program.commands, arguments[*at], &Subcommand::name);
  if (found == program.commands.end()) {
    std::string choices;
    for (const auto& command : program.commands) {
      choices += fmt::format("{}'{}'", choices.empty() ? "" : ", ", command.name);
    }
    asked.status = subcommand_error(
        console, program, nullptr,
        fmt::format("invalid choice: '{}' (choose from {})", arguments[*at], choices));
    return asked;
  }
  std::vector<OptionSpec> specs{help_spec};
  specs.insert(specs.end(), program.globals.begin(), program.globals.end());
  specs.insert(specs.end(), found->specs.begin(), found->specs.end());
  std::vector<std::string> rest(arguments.begin(), arguments.end());
  rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(*at));
  auto options = parse_options(specs, rest, Dialect::argparse);
  if (options && options->has("help")) {
    console.out(help_of(program, &*found));
    asked.status = program.help_status;
    return asked;
  }
  std::string wrong;
  if (!options) {
    wrong = options.error().message;
  } else if (!options->rest().empty()) {
    wrong = fmt::format("unrecognized arguments: '{}'", options->rest().front());
  } else {
    for (const auto& name : split_list(found->required, ' ')) {
      if (options->has(name)) continue;
      const auto spec = std::ranges::find(specs, name, &OptionSpec::name);
      wrong = fmt::format("argument --{}{} is required", name,
                          spec->alias.empty() ? "" : fmt::format("/-{}", spec->alias));
      break;
    }
  }
  if (!wrong.empty()) {
    asked.status = subcommand_error(console, program, &*found, wrong);
    return asked;
  }
  asked.command = &*found;
  asked.options = std::move(*options);
  return asked;
}

}  // namespace arus::cli::kafka
