#include "cli/storage_format.h"

#include <fmt/core.h>

#include <charconv>

#include "cli/feature_text.h"
#include "cli/kafka_options.h"
#include "config/properties.h"
#include "protocol/features.h"
#include "protocol/record_codec.h"
#include "raft/format.h"

namespace arus::cli {
namespace {

constexpr std::string_view host_where_none_is_named = "localhost";

std::string metadata_directory_of(const config::BrokerConfig& config) {
  return config.metadata_log_dir.empty() ? config.log_dirs.front() : config.metadata_log_dir;
}

// Where others reach this node's controller: the advertised address, else the one it binds.
std::vector<raft::VoterEndpoint> controller_endpoints(const config::BrokerConfig& config) {
  std::vector<raft::VoterEndpoint> endpoints;
  for (const auto& name : config.controller_listener_names) {
    const config::ListenerAddress* address = nullptr;
    for (const auto* list : {&config.listeners, &config.advertised_listeners}) {
      for (const auto& listener : *list) {
        if (listener.name == name) address = &listener;
      }
    }
    if (address == nullptr) continue;
    endpoints.push_back(
        {address->name,
         address->host.empty() ? std::string(host_where_none_is_named) : address->host,
         address->port});
  }
  if (endpoints.empty() && !config.listeners.empty()) {
    // Without a listener of its own the controller is named beside the first one, as at a start.
    const auto& first = config.listeners.front();
    endpoints.push_back({config.controller_listener_names.empty()
                             ? std::string("CONTROLLER")
                             : config.controller_listener_names.front(),
                         first.host.empty() ? std::string(host_where_none_is_named) : first.host,
                         static_cast<std::uint16_t>(first.port + 1)});
  }
  return endpoints;
}

// "id@host:port:directory-id", several separated by commas.
Result<std::vector<raft::Voter>> parse_controllers(const std::string& text,
                                                   const config::BrokerConfig& config) {
  std::vector<raft::Voter> voters;
  for (const auto& part : split_list(text)) {
    const auto refuse = [&](std::string_view why) {
      return fail(ErrorCode::invalid_config,
                  fmt::format("Error parsing dynamic voter string {}: {}", part, why));
    };
    const auto at = part.find('@');
    const auto last = part.rfind(':');
    if (at == std::string::npos || last == std::string::npos || last < at) {
      return refuse("it is not id@host:port:directory-id");
    }
    raft::Voter voter;
    const auto [end, error] = std::from_chars(part.data(), part.data() + at, voter.id);
    if (error != std::errc{} || end != part.data() + at || voter.id < 0) {
      return refuse("the node id is no number");
    }
    const auto id = Uuid::parse(std::string_view(part).substr(last + 1));
    const auto address =
        config::parse_host_port(std::string_view(part).substr(at + 1, last - at - 1));
    if (!id || !address || config.controller_listener_names.empty()) {
      return refuse(!id ? "the directory id is no UUID" : "the address is no host:port");
    }
    voter.directory_id = *id;
    voter.endpoints.push_back(
        {config.controller_listener_names.front(), address->host, address->port});
    voter.max_kraft_version = 1;
    voters.push_back(std::move(voter));
  }
  if (voters.empty()) {
    return fail(ErrorCode::invalid_config, "No initial controllers were given");
  }
  return voters;
}

Result<raft::QuorumKind> quorum_kind(const FormatRequest& request,
                                     const config::BrokerConfig& config) {
  const auto refuse = [](std::string message) {
    return fail(ErrorCode::invalid_config, std::move(message));
  };
  const bool flag =
      request.standalone || request.initial_controllers || request.no_initial_controllers;
  if (!config.quorum_voters.empty()) {
    if (!flag) return raft::QuorumKind::static_voters;
    return refuse(
        "You cannot specify controller.quorum.voters and format the node with "
        "--initial-controllers, --standalone, or --no-initial-controllers. If you want "
        "to use dynamic quorum, please remove controller.quorum.voters and specify "
        "controller.quorum.bootstrap.servers instead.");
  }
  if (config.is_controller && !flag) {
    return refuse(
        "Because controller.quorum.voters is not set on this controller, you must "
        "specify one of the following: --standalone, --initial-controllers, or "
        "--no-initial-controllers.");
  }
  if (!config.is_controller && (request.standalone || request.initial_controllers)) {
    return refuse("You can only use --standalone and --initial-controllers on a controller.");
  }
  if (request.standalone) return raft::QuorumKind::standalone;
  if (request.initial_controllers) return raft::QuorumKind::initial_voters;
  return raft::QuorumKind::joining;
}

Result<raft::FormatOptions> format_options(env::Random& random, const FormatRequest& request,
                                           const config::BrokerConfig& config) {
  raft::FormatOptions options;
  options.cluster_id = request.cluster_id;
  options.node_id = config.node_id.value();
  options.directories = config.log_dirs;
  options.metadata_directory = metadata_directory_of(config);
  if (std::ranges::find(options.directories, options.metadata_directory) ==
      options.directories.end()) {
    options.directories.push_back(options.metadata_directory);
  }
  std::ranges::sort(options.directories);
  options.ignore_formatted = request.ignore_formatted;
  const auto kind = quorum_kind(request, config);
  if (!kind) return fail(kind.error());
  options.quorum = *kind;
  options.endpoints = controller_endpoints(config);
  if (request.initial_controllers) {
    auto voters = parse_controllers(*request.initial_controllers, config);
    if (!voters) return fail(std::move(voters).error());
    options.initial_voters = std::move(*voters);
  }
  if (!request.release_version.empty()) {
    const auto level = parse_metadata_version(request.release_version);
    if (!level) return fail(level.error());
    options.metadata_version = *level;
  }
  for (const auto& text : request.features) {
    const auto parsed = parse_feature_level(text);
    if (!parsed) return fail(parsed.error());
    if (parsed->feature == protocol::metadata_version_feature) {
      if (options.metadata_version != 0) {
        return fail(ErrorCode::invalid_config,
                    "Use --release-version instead of --feature metadata.version=X to avoid "
                    "ambiguity.");
      }
      options.metadata_version = parsed->level;
      continue;
    }
    options.features[parsed->feature] = parsed->level;
  }
  for (const auto& text : request.scram) {
    auto scram = raft::parse_bootstrap_scram(text, random);
    if (!scram) return fail(std::move(scram).error());
    options.scram.push_back(std::move(*scram));
  }
  return options;
}

// What the bootstrap records say; secrets are left out.
Result<std::string> bootstrap_text(const raft::FormatOptions& options, std::int16_t level) {
  const auto values = raft::bootstrap_records(options);
  if (!values) return fail(values.error());
  std::string records;
  for (const auto& value : *values) {
    const auto decoded = protocol::decode_metadata_record(value);
    if (!decoded) return fail(decoded.error());
    std::string text;
    if (const auto* feature = std::get_if<protocol::FeatureLevelRecord>(&decoded->record)) {
      text = fmt::format("FeatureLevelRecord(name='{}', featureLevel={})", feature->name,
                         feature->feature_level);
    } else if (const auto* scram =
                   std::get_if<protocol::UserScramCredentialRecord>(&decoded->record)) {
      text = fmt::format("UserScramCredentialRecord(name='{}', mechanism={}, iterations={})",
                         scram->name, scram->mechanism, scram->iterations);
    } else {
      text = std::string(protocol::record_name(decoded->record));
    }
    records += fmt::format("{}ApiMessageAndVersion({} at version {})", records.empty() ? "" : ", ",
                           text, decoded->version);
  }
  return fmt::format(
      "Bootstrap metadata: BootstrapMetadata(records=[{}], metadataVersionLevel={}, "
      "source=format command)\n",
      records, level);
}

}  // namespace

Result<> format_directories(env::Environment& environment, Console& console,
                            const FormatRequest& request) {
  auto config = config::BrokerConfig::make(request.properties);
  if (!config) return fail(std::move(config).error());
  if (request.cluster_id.empty()) {
    return fail(ErrorCode::invalid_config, "Cluster ID string is empty");
  }
  auto options = format_options(environment.random(), request, *config);
  if (!options) return fail(std::move(options).error());
  const std::int16_t level =
      options->metadata_version == 0 ? raft::newest_metadata_version : options->metadata_version;
  const auto text = bootstrap_text(*options, level);
  if (!text) return fail(text.error());
  auto formatted = raft::format(environment, *options);
  if (!formatted) return fail(std::move(formatted).error());
  if (formatted->written.empty()) {
    console.out("All of the log directories are already formatted.\n");
    return {};
  }
  console.out(*text);
  const bool dynamic = options->quorum == raft::QuorumKind::standalone ||
                       options->quorum == raft::QuorumKind::initial_voters;
  for (const auto& directory : formatted->written) {
    const std::string_view kind = directory != options->metadata_directory ? "data directory"
                                  : dynamic ? "dynamic metadata voter directory"
                                            : "metadata directory";
    console.print("Formatting {} {} with {} {}.\n", kind, directory,
                  protocol::metadata_version_feature,
                  level_text(protocol::metadata_version_feature, level));
  }
  return {};
}

int print_directory_info(env::Environment& environment, Console& console,
                         const config::BrokerConfig& config) {
  std::vector<std::string> directories = config.log_dirs;
  const std::string metadata = metadata_directory_of(config);
  if (std::ranges::find(directories, metadata) == directories.end()) {
    directories.push_back(metadata);
  }
  std::ranges::sort(directories);
  std::vector<std::string> found;
  std::vector<std::string> problems;
  std::optional<config::ConfigMap> stamp;
  const auto value_of = [](const config::ConfigMap& properties) {
    const auto id = properties.find("cluster.id");
    return id == properties.end() ? std::string("unknown") : id->second;
  };
  for (const auto& directory : directories) {
    if (!environment.files().exists(directory)) {
      problems.push_back(fmt::format("{} does not exist", directory));
      continue;
    }
    found.push_back(directory);
    const std::string path = directory + "/meta.properties";
    if (!environment.files().exists(path)) {
      problems.push_back(fmt::format("{} is not formatted.", directory));
      continue;
    }
    const auto bytes = environment.files().read_file(path, 1 << 20);
    const auto properties = bytes ? config::parse_properties(as_text(*bytes))
                                  : Result<config::ConfigMap>(fail(bytes.error()));
    if (!properties) {
      problems.push_back(fmt::format("Error loading {}: {}", path, properties.error().message));
      continue;
    }
    if (!stamp) {
      stamp = *properties;
    } else if (value_of(*stamp) != value_of(*properties)) {
      problems.push_back(fmt::format("Metadata in {} was {}, of another cluster", directory,
                                     value_of(*properties)));
    }
  }
  const auto print_list = [&](std::string_view title, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    console.print("{}{}:\n", title, lines.size() > 1 ? "s" : "");
    for (const auto& line : lines) console.print("  {}\n", line);
    console.out("\n");
  };
  if (!found.empty()) {
    console.print("Found log director{}:\n", found.size() > 1 ? "ies" : "y");
    for (const auto& directory : found) console.print("  {}\n", directory);
    console.out("\n");
  }
  if (stamp) {
    std::string text;
    for (const auto& [key, value] : *stamp) {
      text += fmt::format("{}{}={}", text.empty() ? "" : ", ", key, value);
    }
    console.print("Found metadata: {{{}}}\n\n", text);
  }
  print_list("Found problem", problems);
  return problems.empty() ? 0 : 1;
}

}  // namespace arus::cli
