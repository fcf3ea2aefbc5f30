#include "cli/cli.h"

#include "base/log.h"
#include "cli/console.h"
#include "cli/kafka/command.h"
#include "cli/kafka/server_start.h"
#include "cli/own.h"

namespace arus::cli {

int run(int argc, char** argv, const Supplied& supplied) {
  const Arguments words(argv + std::min(argc, 1), argv + argc);
  Console console;
  if (!words.empty()) {
    const Arguments rest(words.begin() + 1, words.end());
    if (words.front() == "serve") return supplied.serve(rest);
    if (words.front() == "kafka-server-start") {
      return kafka::server_start(console, rest, supplied);
    }
    set_log_level("", LogLevel::warning);
    for (const auto& command : kafka::commands()) {
      if (command.name == words.front()) return command.run(console, rest);
    }
  }
  return run_own(console, words);
}

}  // namespace arus::cli
