// Programs of Kafka that have commands of their own: kafka-storage format, kafka-features upgrade.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "cli/console.h"
#include "cli/kafka_options.h"

namespace arus::cli::kafka {

struct Subcommand {
  std::string_view name;
  std::string_view summary;
  std::span<const OptionSpec> specs;
  std::string_view required = {};  // names of options that must be given, separated by blanks
};

struct Program {
  std::string_view name;  // "kafka-storage"
  std::string_view summary;
  std::span<const OptionSpec> globals;  // options that stand before the command (or behind it)
  std::span<const Subcommand> commands;
  int help_status = 0;
};

// Options of programs that ask brokers or controllers.
inline constexpr OptionSpec cluster_options[] = {
    {"bootstrap-server", Takes::value, "host:port", "Brokers to ask."},
    {"bootstrap-controller", Takes::value, "host:port", "Controllers to ask."},
    {"command-config", Takes::value, "file", "Properties for the client."},
};

// What was asked for, or, when nothing is left to do, the exit status; then help or the error has
// been printed.
struct Asked {
  const Subcommand* command = nullptr;
  ParsedOptions options;
  int status = 0;
};
Asked parse_subcommand(Console& console, const Program& program,
                       std::span<const std::string> arguments);

// "kafka-storage: error: …" behind the usage; gives status 1.
int subcommand_error(Console& console, const Program& program, const Subcommand* command,
                     std::string_view message);

}  // namespace arus::cli::kafka
