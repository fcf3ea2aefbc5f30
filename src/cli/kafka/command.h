// What Kafka's programs have in common: their names, their help, their way to a cluster.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cli/cli.h"
#include "cli/client_config.h"
#include "cli/console.h"
#include "cli/kafka_options.h"

namespace arus::cli::kafka {

// The version of Kafka whose programs these are like; `--version` prints it.
inline constexpr std::string_view kafka_version = "4.3.1";

// One of Kafka's programs under its own name, without ".sh".
struct Command {
  std::string_view name;
  std::string_view summary;  // one sentence without a full stop
  int (*run)(Console& console, const Arguments& arguments);
};

// All of them, sorted by name.
std::span<const Command> commands();

// Prints what is wrong and the options to standard error; the exit status is 1.
int usage_error(Console& console, std::string_view message, std::span<const OptionSpec> specs);

// The beginning of each program of the joptsimple dialect: parses, and answers --help (to standard
// error with status 1, as Kafka does) and --version. Nothing when the program is to go on; then
// `options` is filled.
std::optional<int> begin(Console& console, const Arguments& arguments,
                         std::span<const OptionSpec> specs, std::string_view summary,
                         ParsedOptions& options);

// Each name of `required` must be given: "Missing required argument "[topic]"".
std::optional<int> check_required(Console& console, std::span<const OptionSpec> specs,
                                  const ParsedOptions& options,
                                  std::initializer_list<std::string_view> required);

// --bootstrap-server (or --bootstrap-controller) and --command-config, or its other name.
Result<client::ClientOptions> cluster_of(const ParsedOptions& options,
                                         std::string_view client_id = "adminclient-1",
                                         std::string_view other_config_option = {});

// Kafka's Java class of an error, such as
// "org.apache.kafka.common.errors.TopicExistsException", which its programs print.
std::string exception_name(ErrorCode code);

// What a broker says beside a code, or, where it says nothing, Kafka's sentence for the code.
std::string message_of(ErrorCode code, const std::optional<std::string>& message);

// An error of a call in Kafka's words: the broker's own sentence where it sent one, else Kafka's
// for the code: "The group is not empty.".
std::string plain_text(const Error& error);
// The same behind its class: "org.apache.kafka.common.errors.GroupNotEmptyException: The group…".
std::string exception_text(const Error& error);

}  // namespace arus::cli::kafka
