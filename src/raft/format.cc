#include "raft/format.h"

#include <fmt/core.h>

#include <charconv>

#include "base/base64.h"
#include "protocol/features.h"
#include "protocol/record_codec.h"
#include "raft/driver/metadata_log.h"
#include "raft/driver/snapshot_builder.h"
#include "security/scram_keys.h"
#include "storage/durable_directory.h"

namespace arus::raft {
namespace {

constexpr std::size_t salt_bytes = 24;
constexpr std::int16_t formatted_kraft_version = 1;

// The identity in a meta.properties; only what must agree.
struct Stamped {
  std::string cluster_id;
  std::string node_id;
  std::string directory_id;
};

Result<std::optional<Stamped>> read_stamp(env::FileSystem& files, const std::string& directory) {
  const std::string path = directory + "/meta.properties";
  if (!files.exists(path)) return std::nullopt;
  const auto text = files.read_file(path, 1 << 20);
  if (!text) return fail(text.error());
  Stamped stamped;
  std::string_view rest = as_text(*text);
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const auto equals = line.find('=');
    if (line.starts_with('#') || equals == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, equals);
    const std::string value(line.substr(equals + 1));
    if (key == "cluster.id") stamped.cluster_id = value;
    if (key == "node.id" || key == "broker.id") stamped.node_id = value;
    if (key == "directory.id") stamped.directory_id = value;
  }
  return stamped;
}

Result<> check_stamp(const Stamped& stamped, const FormatOptions& options,
                     const std::string& directory) {
  const auto differs = [&](const char* key, const std::string& expected, const std::string& read) {
    return fail(ErrorCode::inconsistent_cluster_id,
                fmt::format("Invalid {} in: {}/meta.properties. Expected {}, but read {}", key,
                            directory, expected, read));
  };
  if (stamped.cluster_id != options.cluster_id) {
    return differs("cluster.id", options.cluster_id, stamped.cluster_id);
  }
  const std::string node = std::to_string(options.node_id);
  if (!stamped.node_id.empty() && stamped.node_id != node) {
    return differs("node.id", node, stamped.node_id);
  }
  return {};
}

Bytes snapshot_bytes(const SnapshotOptions& options, const std::vector<Bytes>& values) {
  SnapshotBuilder builder(options);
  for (const Bytes& value : values) builder.append(value);
  return flatten(builder.finish());
}

// Who votes first; nothing with static voters and for nodes that join.
std::optional<VoterSet> first_voters(const FormatOptions& options, const Uuid& directory_id) {
  if (options.quorum == QuorumKind::initial_voters) return VoterSet{options.initial_voters};
  if (options.quorum != QuorumKind::standalone) return std::nullopt;
  return VoterSet{{Voter{.id = options.node_id,
                         .directory_id = directory_id,
                         .endpoints = options.endpoints,
                         .min_kraft_version = 0,
                         .max_kraft_version = formatted_kraft_version}}};
}

Result<> check_options(const FormatOptions& options) {
  const auto kraft = options.features.find(std::string(protocol::kraft_version_feature));
  if (kraft != options.features.end() && kraft->second == 0 &&
      options.quorum != QuorumKind::static_voters) {
    return fail(ErrorCode::invalid_config,
                "Cannot set kraft.version to 0 if controller.quorum.voters is empty and one of the "
                "flags --standalone, --initial-controllers, or --no-initial-controllers is used. "
                "For dynamic controllers support, try removing the --feature flag for "
                "kraft.version.");
  }
  if (kraft != options.features.end() && kraft->second > 0 &&
      options.quorum == QuorumKind::static_voters) {
    return fail(ErrorCode::invalid_config,
                "Cannot set kraft.version to 1 unless one of the flags --standalone, "
                "--initial-controllers, or --no-initial-controllers is used. For dynamic "
                "controllers support, try using one of --standalone, --initial-controllers, or "
                "--no-initial-controllers and removing controller.quorum.voters.");
  }
  if (options.quorum == QuorumKind::standalone && options.endpoints.empty()) {
    return fail(ErrorCode::invalid_config, "The controller of a standalone node has no endpoint");
  }
  return {};
}

Uuid directory_id_for(const FormatOptions& options, const std::string& directory,
                      env::Random& random) {
  if (options.quorum == QuorumKind::initial_voters && directory == options.metadata_directory) {
    for (const Voter& voter : options.initial_voters) {
      if (voter.id == options.node_id) return voter.directory_id;
    }
  }
  return random_uuid(random);
}

Result<> format_directory(env::Environment& environment, const FormatOptions& options,
                          const std::string& directory, const Uuid& id,
                          const std::vector<Bytes>& bootstrap) {
  env::FileSystem& files = environment.files();
  const std::int64_t now_ms = environment.clock().wall_ms();
  ARUS_TRY(storage::create_directories_durably(files, directory));
  ARUS_TRY(files.replace_file(directory + "/bootstrap.checkpoint",
                              snapshot_bytes({.now_ms = now_ms}, bootstrap)));
  const auto voters = first_voters(options, id);
  if (directory == options.metadata_directory && voters) {
    const std::string log = directory + "/" + metadata_log_name;
    ARUS_TRY(files.create_directories(log));
    ARUS_TRY(files.replace_file(
        log + "/" + SnapshotId{}.file_name(),
        snapshot_bytes(
            {.last_contained_log_timestamp_ms = now_ms, .now_ms = now_ms, .voters = voters}, {})));
  }
  // Last, so that a directory that has it has everything.
  const std::string text =
      fmt::format("#\n#\nnode.id={}\ndirectory.id={}\nversion=1\ncluster.id={}\n", options.node_id,
                  id.to_string(), options.cluster_id);
  ARUS_TRY(files.replace_file(directory + "/meta.properties", as_bytes(text)));
  return files.sync_directory(storage::parent_directory(directory));
}

Result<std::map<std::string, std::string>> parse_scram_fields(std::string_view text) {
  std::map<std::string, std::string> fields;
  while (!text.empty()) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) {
      return fail(ErrorCode::invalid_config, "A SCRAM credential has a part that is not key=value");
    }
    const std::string key(text.substr(0, equals));
    text.remove_prefix(equals + 1);
    std::string value;
    if (text.starts_with('"')) {
      const std::size_t end = text.find('"', 1);
      if (end == std::string_view::npos) {
        return fail(ErrorCode::invalid_config, "A SCRAM credential has an unended quotation");
      }
      value = text.substr(1, end - 1);
      text.remove_prefix(end + 1);
    } else {
      const std::size_t end = std::min(text.find(','), text.size());
      value = text.substr(0, end);
      text.remove_prefix(end);
    }
    if (text.starts_with(',')) text.remove_prefix(1);
    fields[key] = std::move(value);
  }
  return fields;
}

}  // namespace

Result<BootstrapScram> parse_bootstrap_scram(const std::string& argument, env::Random& random) {
  const auto bad = [](std::string message) {
    return fail(ErrorCode::invalid_config, std::move(message));
  };
  const std::size_t equals = argument.find("=[");
  const auto mechanism = security::parse_scram_mechanism(argument.substr(0, equals));
  if (equals == std::string::npos || !argument.ends_with("]")) {
    return bad("Failed to parse add-scram. Expected: SCRAM-SHA-256=[name=alice,password=secret]");
  }
  if (mechanism == security::ScramMechanism::unknown) {
    return bad("The add-scram mechanism " + argument.substr(0, equals) + " is not supported.");
  }
  auto fields = parse_scram_fields(
      std::string_view(argument).substr(equals + 2, argument.size() - equals - 3));
  if (!fields) return fail(fields.error());
  BootstrapScram scram{.user = (*fields)["name"], .mechanism = static_cast<std::int8_t>(mechanism)};
  if (scram.user.empty()) return bad("You must supply 'name' to add-scram");
  if (const std::string& text = (*fields)["iterations"]; !text.empty()) {
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), scram.iterations);
    if (error != std::errc{} || end != text.data() + text.size()) {
      return bad("The 'iterations' value of add-scram is not a number");
    }
  }
  const char* const kafka_name =
      mechanism == security::ScramMechanism::sha_256 ? "SCRAM_SHA_256" : "SCRAM_SHA_512";
  if (scram.iterations < security::min_scram_iterations) {
    return bad(fmt::format("The 'iterations' value must be >= {} for add-scram using {}",
                           security::min_scram_iterations, kafka_name));
  }
  if (scram.iterations > security::max_scram_iterations) {
    return bad(fmt::format("The 'iterations' value must be <= {} for add-scram using {}",
                           security::max_scram_iterations, kafka_name));
  }
  scram.salt.resize(salt_bytes);
  random.fill(scram.salt);
  if (const std::string& text = (*fields)["salt"]; !text.empty()) {
    auto salt = decode_base64(text);
    if (!salt) return bad("The 'salt' value of add-scram is not base64");
    scram.salt = std::move(*salt);
  }
  const std::string& password = (*fields)["password"];
  const std::string& salted_text = (*fields)["saltedpassword"];
  if (password.empty() == salted_text.empty()) {
    return bad("You must supply one of 'password' or 'saltedpassword' to add-scram");
  }
  Bytes salted;
  if (!salted_text.empty()) {
    if ((*fields)["salt"].empty()) {
      return bad("You must supply 'salt' with 'saltedpassword' to add-scram");
    }
    auto decoded = decode_base64(salted_text);
    if (!decoded) return bad("The 'saltedpassword' value of add-scram is not base64");
    salted = std::move(*decoded);
  } else {
    salted = security::salt_password(mechanism, password, scram.salt, scram.iterations);
  }
  auto keys = security::derive_scram_keys(mechanism, salted);
  scram.stored_key = std::move(keys.stored_key);
  scram.server_key = std::move(keys.server_key);
  return scram;
}

Result<std::vector<Bytes>> bootstrap_records(const FormatOptions& options) {
  const std::int16_t level =
      options.metadata_version == 0 ? newest_metadata_version : options.metadata_version;
  if (protocol::find_metadata_version(level) == nullptr) {
    return fail(ErrorCode::invalid_config, fmt::format("No metadata.version {}", level));
  }
  const auto features = initial_features(level, options.features);
  if (!features) return fail(features.error());
  std::vector<Bytes> values;
  const auto add = [&](const protocol::MetadataRecord& record) -> Result<> {
    auto value = protocol::encode_metadata_record(record, 0);
    if (!value) return fail(value.error());
    values.push_back(std::move(*value));
    return {};
  };
  protocol::FeatureLevelRecord feature;
  feature.name = protocol::metadata_version_feature;
  feature.feature_level = level;
  ARUS_TRY(add(feature));
  for (const auto& [name, chosen] : *features) {
    if (name == protocol::metadata_version_feature) continue;
    feature.name = name;
    feature.feature_level = chosen;
    ARUS_TRY(add(feature));
  }
  constexpr std::int16_t with_scram = 11;
  if (!options.scram.empty() && level < with_scram) {
    return fail(ErrorCode::invalid_config,
                "SCRAM is only supported in metadata.version 3.5-IV2 or later.");
  }
  for (const BootstrapScram& scram : options.scram) {
    protocol::UserScramCredentialRecord record;
    record.name = scram.user;
    record.mechanism = scram.mechanism;
    record.salt = Slice::copy_of(scram.salt);
    record.stored_key = Slice::copy_of(scram.stored_key);
    record.server_key = Slice::copy_of(scram.server_key);
    record.iterations = scram.iterations;
    ARUS_TRY(add(record));
  }
  return values;
}

Result<Formatted> format(env::Environment& environment, const FormatOptions& options) {
  ARUS_TRY(check_options(options));
  const auto bootstrap = bootstrap_records(options);
  if (!bootstrap) return fail(bootstrap.error());
  Formatted formatted;
  std::vector<std::string> fresh;
  for (const std::string& directory : options.directories) {
    const auto stamped = read_stamp(environment.files(), directory);
    if (!stamped) return fail(stamped.error());
    if (!*stamped) {
      fresh.push_back(directory);
      continue;
    }
    if (!options.ignore_formatted) {
      return fail(ErrorCode::invalid_config,
                  fmt::format("Log directory {} is already formatted. Use --ignore-formatted to "
                              "ignore this directory and format the others.",
                              directory));
    }
    ARUS_TRY(check_stamp(**stamped, options, directory));
    formatted.already_formatted.push_back(directory);
    if (directory == options.metadata_directory) {
      formatted.metadata_directory_id = Uuid::parse((*stamped)->directory_id).value_or(zero_uuid);
    }
  }
  for (const std::string& directory : fresh) {
    const Uuid id = directory_id_for(options, directory, environment.random());
    ARUS_TRY(format_directory(environment, options, directory, id, *bootstrap));
    if (directory == options.metadata_directory) formatted.metadata_directory_id = id;
    formatted.written.push_back(directory);
  }
  return formatted;
}

Uuid random_uuid(env::Random& random) {
  for (;;) {
    Uuid id;
    random.fill(id.bytes);
    // Random UUIDs of RFC 4122, as Java draws them; never one whose text a shell takes for an
    // option.
    id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x40);
    id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
    if (!id.is_reserved() && !id.to_string().starts_with('-')) return id;
  }
}

std::string random_cluster_id(env::Random& random) { return random_uuid(random).to_string(); }

}  // namespace arus::raft
