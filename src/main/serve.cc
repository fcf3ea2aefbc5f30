#include "main/serve.h"

#include <fmt/core.h>
#include <sched.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "base/log.h"
#include "broker/broker.h"
#include "config/broker_config.h"
#include "config/properties.h"
#include "env/environment.h"

namespace arus::main_program {
namespace {

constexpr const char* help_text =
    R"(Serves records to Kafka's clients, in the foreground, until SIGTERM or SIGINT.

Usage:
  arus serve --data DIR [--listen HOST:PORT] [OPTION...]
  arus serve FILE.properties [OPTION...]

The first form is one node with everything in DIR, which is made when it is absent. The second
reads a Kafka server.properties. Prints one line with "ready" and the address once it answers.

Options:
  --data DIR                  where records and metadata are kept
  --listen HOST:PORT          where clients connect (127.0.0.1:9092)
  --override KEY=VALUE        puts a setting over the file's; may be repeated
  --metrics-listen HOST:PORT  serves metrics for Prometheus at /metrics (off)
  --cluster-id ID             refuses directories of another cluster; names a new one
  --allow-insecure            serves although settings ask for TLS, SASL or an authorizer that
                              this version does not have: everything is then open to everyone
  --log-level LEVEL           trace, debug, info, warning or error (info)
  --log-format FORMAT         text or json (text)
  -h, --help                  shows this

Exit status: 0 after a clean stop, 1 when it cannot start.
)";

struct ServeOptions {
  std::optional<std::string> properties_file;
  std::optional<std::string> data;
  std::optional<std::string> listen;
  std::optional<std::string> cluster_id;
  std::vector<std::string> overrides;
  bool allow_insecure = false;
  bool help = false;
};

Result<> invalid(std::string message) {
  return fail(ErrorCode::invalid_config, std::move(message));
}

Result<> take_log_level(const std::string& text) {
  constexpr std::pair<const char*, LogLevel> levels[] = {{"trace", LogLevel::trace},
                                                         {"debug", LogLevel::debug},
                                                         {"info", LogLevel::info},
                                                         {"warning", LogLevel::warning},
                                                         {"error", LogLevel::error}};
  for (const auto& [name, level] : levels) {
    if (text != name) continue;
    set_log_level("", level);
    return {};
  }
  return invalid("--log-level takes trace, debug, info, warning or error, not " + text);
}

Result<> take_log_format(const std::string& text) {
  if (text != "text" && text != "json") {
    return invalid("--log-format takes text or json, not " + text);
  }
  set_log_format(text == "json" ? LogFormat::json : LogFormat::text);
  return {};
}

// One option with its value.
Result<> take(ServeOptions& options, const std::string& name, const std::string& value) {
  if (name == "--data") {
    options.data = value;
  } else if (name == "--listen") {
    options.listen = value;
  } else if (name == "--override") {
    options.overrides.push_back(value);
  } else if (name == "--metrics-listen") {
    options.overrides.push_back("arus.metrics.listen=" + value);
  } else if (name == "--cluster-id") {
    options.cluster_id = value;
  } else if (name == "--log-level") {
    return take_log_level(value);
  } else if (name == "--log-format") {
    return take_log_format(value);
  } else {
    return invalid("arus serve has no option " + name);
  }
  return {};
}

Result<ServeOptions> parse_arguments(const std::vector<std::string>& arguments) {
  ServeOptions options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "-h" || argument == "--help") {
      options.help = true;
    } else if (argument == "--allow-insecure") {
      options.allow_insecure = true;
    } else if (!argument.starts_with("-")) {
      if (options.properties_file) return fail(ErrorCode::invalid_config, "Name one file only");
      options.properties_file = argument;
    } else if (const auto equals = argument.find('=');
               equals != std::string::npos && argument.starts_with("--")) {
      ARUS_TRY(take(options, argument.substr(0, equals), argument.substr(equals + 1)));
    } else if (i + 1 < arguments.size()) {
      ARUS_TRY(take(options, argument, arguments[i + 1]));
      ++i;
    } else {
      return fail(ErrorCode::invalid_config, argument + " needs a value");
    }
  }
  return options;
}

Result<config::ConfigMap> read_properties(env::Environment& environment,
                                          const ServeOptions& options) {
  config::ConfigMap properties;
  if (options.properties_file) {
    if (options.data) {
      return fail(ErrorCode::invalid_config, "Use either a properties file or --data");
    }
    const auto text = environment.files().read_file(*options.properties_file, 16 << 20);
    if (!text) return std::unexpected(text.error());
    auto parsed = config::parse_properties(as_text(*text));
    if (!parsed) {
      return fail(parsed.error().code, *options.properties_file + ": " + parsed.error().message);
    }
    properties = std::move(*parsed);
    if (options.listen) properties["listeners"] = "PLAINTEXT://" + *options.listen;
  } else if (options.data) {
    properties = config::standalone_properties(
        *options.data, options.listen ? *options.listen : std::string("127.0.0.1:9092"));
  } else {
    return fail(ErrorCode::invalid_config, "Name a data directory (--data) or a properties file");
  }
  for (const auto& change : options.overrides) {
    ARUS_TRY(config::apply_override(properties, change));
  }
  return properties;
}

// Half the cores, but at least one loop: the others are for writing, decoding and the system.
std::size_t loops_for(const config::BrokerConfig& config) {
  if (config.arus_loops > 0) return static_cast<std::size_t>(config.arus_loops);
  cpu_set_t set;
  CPU_ZERO(&set);
  const int cores = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  return cores <= 2 ? 1 : static_cast<std::size_t>(cores) / 2;
}

int complain(const Error& error) {
  fmt::print(stderr, "arus serve: {}\n", error.message);
  return 1;
}

// The life of the server on loop 0.
class Server {
 public:
  Server(env::RealEnvironment& environment, broker::BrokerOptions options)
      : environment_(environment), options_(std::move(options)) {}

  int run() {
    environment_.on_stop_signal([this] { stop_.set(); });
    environment_.loop(0).post([this] { env::spawn_detached(live()); });
    environment_.run();
    return status_;
  }

 private:
  // Remembers that it was set before anyone waited.
  class Flag {
   public:
    void set() {
      set_ = true;
      event_.notify_all();
    }
    env::Task<void> wait() {
      while (!set_) co_await event_.wait();
    }

   private:
    bool set_ = false;
    env::Event event_;
  };

  env::Task<void> live() {
    auto started = co_await broker::Broker::start(environment_, std::move(options_));
    if (!started) {
      status_ = complain(started.error());
      environment_.stop();
      co_return;
    }
    broker_ = std::move(*started);
    std::string addresses;
    for (const auto& address : broker_->addresses()) {
      if (!addresses.empty()) addresses += ", ";
      addresses += address.to_string();
    }
    fmt::print("arus {} is ready on {} (cluster {})\n", ARUS_VERSION, addresses,
               broker_->cluster_id());
    std::fflush(stdout);
    co_await stop_.wait();
    if (const auto stopped = co_await broker_->stop(); !stopped) {
      status_ = complain(stopped.error());
    }
    broker_.reset();
    environment_.stop();
  }

  env::RealEnvironment& environment_;
  broker::BrokerOptions options_;
  std::unique_ptr<broker::Broker> broker_;
  Flag stop_;
  int status_ = 0;
};

Result<broker::BrokerOptions> prepare(const ServeOptions& options) {
  const auto files = env::make_real_environment({.loops = 1, .pool_threads = 1});
  auto properties = read_properties(*files, options);
  if (!properties) return std::unexpected(std::move(properties).error());
  if (const auto key = config::find_insecure_key(*properties); key && !options.allow_insecure) {
    return fail(ErrorCode::invalid_config,
                fmt::format("{}: {} (--allow-insecure serves all the same, open to everyone)",
                            key->key, key->reason));
  }
  auto config = config::BrokerConfig::make(std::move(*properties));
  if (!config) return std::unexpected(std::move(config).error());
  return broker::BrokerOptions{
      .config = std::make_shared<const config::BrokerConfig>(std::move(*config)),
      .cluster_id = options.cluster_id,
      .allow_insecure = options.allow_insecure};
}

}  // namespace

int serve(const std::vector<std::string>& arguments) {
  const auto options = parse_arguments(arguments);
  if (!options) return complain(options.error());
  if (options->help) {
    fmt::print("{}", help_text);
    return 0;
  }
  auto prepared = prepare(*options);
  if (!prepared) return complain(prepared.error());
  env::raise_descriptor_limit();
  const auto environment =
      env::make_real_environment({.loops = loops_for(*prepared->config), .pool_threads = 2});
  return Server(*environment, std::move(*prepared)).run();
}

}  // namespace arus::main_program
