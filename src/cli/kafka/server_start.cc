#include "cli/kafka/server_start.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace arus::cli::kafka {
namespace {

struct Start {
  bool daemon = false;
  std::string name = "kafkaServer";
  Arguments serve;
};

Start parse(const Arguments& arguments) {
  Start start;
  std::size_t i = 0;
  // Options of Kafka's launcher come first.
  for (; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word == "-daemon") {
      start.daemon = true;
    } else if (word == "-name" && i + 1 < arguments.size()) {
      start.name = arguments[++i];
    } else if (word != "-loggc") {
      break;
    }
  }
  start.serve.assign(arguments.begin() + static_cast<std::ptrdiff_t>(i), arguments.end());
  return start;
}

// Replaces the standard streams of this process; false when the file cannot be opened.
bool redirect(const std::string& path) {
  const int input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int output = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (input < 0 || output < 0) return false;
  return ::dup2(input, STDIN_FILENO) >= 0 && ::dup2(output, STDOUT_FILENO) >= 0 &&
         ::dup2(output, STDERR_FILENO) >= 0;
}

}  // namespace

int server_start(Console& console, const Arguments& arguments, const Supplied& supplied) {
  const Start start = parse(arguments);
  if (start.serve.empty()) {
    console.err(
        "USAGE: kafka-server-start.sh [-daemon] server.properties "
        "[--override property=value]*\n");
    return 1;
  }
  if (!start.daemon) return supplied.serve(start.serve);
  const char* from_environment = std::getenv("LOG_DIR");
  const std::string directory = from_environment == nullptr ? "logs" : from_environment;
  static_cast<void>(::mkdir(directory.c_str(), 0755));  // there already, or opening will tell
  const std::string path = directory + "/" + start.name + ".out";
  console.flush();
  // Before any thread is made: a fork keeps only the calling one.
  const pid_t child = ::fork();
  if (child < 0) {
    console.print_error("The server cannot be started: {}\n", std::strerror(errno));
    return 1;
  }
  if (child > 0) return 0;
  ::setsid();
  if (!redirect(path)) {
    console.print_error("{} cannot be written: {}\n", path, std::strerror(errno));
    ::_exit(1);
  }
  ::_exit(supplied.serve(start.serve));
}

}  // namespace arus::cli::kafka
