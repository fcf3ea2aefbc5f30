#include <dirent.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>

#include "cli/kafka/command.h"
#include "cli/kafka/programs.h"
#include "config/properties.h"

namespace arus::cli::kafka {
namespace {

constexpr OptionSpec server_stop_specs[] = {
    {"help", Takes::nothing, "", "Print this."},
    {"node-id", Takes::value, "id", "Only the server of this node."},
    {"pid", Takes::value, "pid", "Only this process. Not in Kafka's program."},
    {"process-role", Takes::value, "role", "Only servers of this role: broker or controller."},
};

// A running `arus serve` of this user.
struct Server {
  pid_t pid = 0;
  config::ConfigMap properties;  // as its command line gives them, files read
};

std::string read_small_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

// What the arguments of `serve` say about the node. A file that is gone says nothing.
config::ConfigMap properties_of(pid_t pid, const std::vector<std::string>& words) {
  config::ConfigMap properties{{"process.roles", "broker,controller"}, {"node.id", "1"}};
  for (std::size_t i = 2; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--override" && i + 1 < words.size()) {
      static_cast<void>(config::apply_override(properties, words[++i]));
    } else if (word.starts_with("--override=")) {
      static_cast<void>(config::apply_override(properties, std::string_view(word).substr(11)));
    } else if (word == "--data" || word == "--listen") {
      ++i;
    } else if (!word.starts_with('-')) {
      const std::string path =
          word.starts_with('/') ? word : fmt::format("/proc/{}/cwd/{}", pid, word);
      if (auto read = config::parse_properties(read_small_file(path))) {
        for (auto& [key, value] : *read) properties[key] = value;
      }
    }
  }
  return properties;
}

std::optional<Server> server_of(pid_t pid) {
  struct stat status{};
  const std::string directory = fmt::format("/proc/{}", pid);
  if (::stat(directory.c_str(), &status) != 0 || status.st_uid != ::geteuid()) return std::nullopt;
  std::vector<std::string> words;
  std::istringstream line{read_small_file(directory + "/cmdline")};
  for (std::string word; std::getline(line, word, '\0');) words.push_back(word);
  if (words.size() < 2 || base_name(words[0]) != "arus") return std::nullopt;
  if (words[1] != "serve" && words[1] != "kafka-server-start") return std::nullopt;
  return Server{pid, properties_of(pid, words)};
}

std::vector<Server> running_servers() {
  std::vector<Server> servers;
  DIR* directory = ::opendir("/proc");
  if (directory == nullptr) return servers;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc{} || end != name.data() + name.size() || pid == ::getpid()) continue;
    if (auto server = server_of(pid)) servers.push_back(std::move(*server));
  }
  ::closedir(directory);
  return servers;
}

}  // namespace

int server_stop(Console& console, const Arguments& arguments) {
  const auto options = parse_options(server_stop_specs, arguments);
  if (!options) return usage_error(console, options.error().message, server_stop_specs);
  if (options->has("help")) {
    return usage_error(console, "This tool asks servers of this user on this machine to stop.",
                       server_stop_specs);
  }
  const auto pid = options->number("pid", 1, INT32_MAX);
  if (!pid) return usage_error(console, pid.error().message, server_stop_specs);
  bool stopped = false;
  for (const auto& server : running_servers()) {
    if (*pid && **pid != server.pid) continue;
    if (const auto id = options->value("node-id"); id && server.properties.at("node.id") != *id) {
      continue;
    }
    if (const auto role = options->value("process-role")) {
      const auto roles = split_list(server.properties.at("process.roles"));
      if (std::ranges::find(roles, *role) == roles.end()) continue;
    }
    if (::kill(server.pid, SIGTERM) == 0) {
      stopped = true;
    } else {
      console.print_error("Process {} cannot be stopped: {}\n", server.pid, std::strerror(errno));
    }
  }
  if (stopped) return 0;
  console.out(
      options->has("process-role") ? fmt::format("No kafka server to stop with process.roles={}\n",
                                                 *options->value("process-role"))
      : options->has("node-id")
          ? fmt::format("No kafka server to stop with node.id={}\n", *options->value("node-id"))
          : "No kafka server to stop\n");
  return 1;
}

}  // namespace arus::cli::kafka
