#include "cli/kafka/command.h"

#include <fmt/core.h>

#include "cli/kafka/programs.h"

namespace arus::cli::kafka {
namespace {

constexpr Command programs[] = {
    {"kafka-acls", "Adds, removes and lists ACLs", acls},
    {"kafka-broker-api-versions", "Shows which requests the brokers understand",
     broker_api_versions},
    {"kafka-cluster", "Shows the cluster's id and nodes, unregisters brokers", cluster},
    {"kafka-configs", "Shows and changes configs of topics, brokers and others", configs},
    {"kafka-console-consumer", "Prints the records of topics", console_consumer},
    {"kafka-console-producer", "Sends the lines of standard input as records", console_producer},
    {"kafka-consumer-groups", "Shows consumer groups, resets and deletes their offsets",
     consumer_groups},
    {"kafka-delete-records", "Deletes records up to an offset", delete_records},
    {"kafka-dump-log", "Prints what the files of a log hold", dump_log},
    {"kafka-features", "Shows and changes feature levels", features},
    {"kafka-get-offsets", "Prints offsets of partitions", get_offsets},
    {"kafka-groups", "Lists groups of every kind", groups},
    {"kafka-log-dirs", "Shows what the log directories of brokers hold", log_dirs},
    {"kafka-metadata-quorum", "Shows the state of the metadata quorum", metadata_quorum},
    {"kafka-server-stop", "Stops the servers of this machine", server_stop},
    {"kafka-storage", "Formats and inspects log directories", storage},
    {"kafka-topics", "Creates, lists, describes, alters and deletes topics", topics},
    {"kafka-transactions", "Shows transactions and ends those that hang", transactions},
};

struct JavaName {
  ErrorCode code;
  std::string_view name;
};

// Where the class is not simply named after the code.
constexpr JavaName java_names[] = {
    {ErrorCode::unknown_server_error, "UnknownServerException"},
    {ErrorCode::corrupt_message, "CorruptRecordException"},
    {ErrorCode::request_timed_out, "TimeoutException"},
    {ErrorCode::message_too_large, "RecordTooLargeException"},
    {ErrorCode::stale_controller_epoch, "ControllerMovedException"},
    {ErrorCode::offset_metadata_too_large, "OffsetMetadataTooLarge"},
    {ErrorCode::record_list_too_large, "RecordBatchTooLargeException"},
    {ErrorCode::topic_authorization_failed, "TopicAuthorizationException"},
    {ErrorCode::group_authorization_failed, "GroupAuthorizationException"},
    {ErrorCode::cluster_authorization_failed, "ClusterAuthorizationException"},
    {ErrorCode::topic_already_exists, "TopicExistsException"},
    {ErrorCode::invalid_config, "InvalidConfigurationException"},
    {ErrorCode::out_of_order_sequence_number, "OutOfOrderSequenceException"},
    {ErrorCode::duplicate_sequence_number, "DuplicateSequenceException"},
    {ErrorCode::invalid_producer_id_mapping, "InvalidPidMappingException"},
    {ErrorCode::invalid_transaction_timeout, "InvalidTxnTimeoutException"},
    {ErrorCode::transactional_id_authorization_failed, "TransactionalIdAuthorizationException"},
    {ErrorCode::kafka_storage_error, "KafkaStorageException"},
    {ErrorCode::sasl_authentication_failed, "SaslAuthenticationException"},
    {ErrorCode::delegation_token_auth_disabled, "DelegationTokenDisabledException"},
    {ErrorCode::delegation_token_request_not_allowed, "UnsupportedByAuthenticationException"},
    {ErrorCode::delegation_token_authorization_failed, "DelegationTokenAuthorizationException"},
    {ErrorCode::non_empty_group, "GroupNotEmptyException"},
    {ErrorCode::principal_deserialization_failure, "PrincipalDeserializationException"},
    {ErrorCode::fetch_session_topic_id_error, "FetchSessionTopicIdException"},
    {ErrorCode::invalid_regular_expression, "InvalidRegularExpression"},
};

}  // namespace

std::span<const Command> commands() { return programs; }

int usage_error(Console& console, std::string_view message, std::span<const OptionSpec> specs) {
  console.err(fmt::format("{}\n{}", message, describe_options(specs)));
  return 1;
}

std::optional<int> begin(Console& console, const Arguments& arguments,
                         std::span<const OptionSpec> specs, std::string_view summary,
                         ParsedOptions& options) {
  auto parsed = parse_options(specs, arguments);
  if (!parsed) return usage_error(console, parsed.error().message, specs);
  options = std::move(*parsed);
  if (options.has("help")) return usage_error(console, summary, specs);
  if (options.has("version")) {
    console.print("{}\n", kafka_version);
    return 0;
  }
  return std::nullopt;
}

std::optional<int> check_required(Console& console, std::span<const OptionSpec> specs,
                                  const ParsedOptions& options,
                                  std::initializer_list<std::string_view> required) {
  for (const std::string_view name : required) {
    if (options.has(name)) continue;
    return usage_error(console, fmt::format("Missing required argument \"[{}]\"", name), specs);
  }
  return std::nullopt;
}

Result<client::ClientOptions> cluster_of(const ParsedOptions& options, std::string_view client_id,
                                         std::string_view other_config_option) {
  config::ConfigMap properties;
  auto path = options.value("command-config");
  if (!path && !other_config_option.empty()) path = options.value(other_config_option);
  if (path) {
    auto read = read_properties_file(*path);
    if (!read) return fail(std::move(read).error());
    properties = std::move(*read);
  }
  std::string servers = options.value_or("bootstrap-server", "");
  if (servers.empty()) servers = options.value_or("bootstrap-controller", "");
  return client_options(properties, servers, client_id);
}

std::string exception_name(ErrorCode code) {
  constexpr std::string_view package = "org.apache.kafka.common.errors.";
  for (const auto& known : java_names) {
    if (known.code == code) return fmt::format("{}{}", package, known.name);
  }
  std::string name;
  bool upper = true;
  for (const char c : error_name(code)) {
    if (c == '_') {
      upper = true;
      continue;
    }
    name += upper ? c : static_cast<char>(c - 'A' + 'a');
    upper = false;
  }
  if (!name.ends_with("Exception")) name += "Exception";
  return fmt::format("{}{}", package, name);
}

std::string message_of(ErrorCode code, const std::optional<std::string>& message) {
  if (message && !message->empty()) return *message;
  switch (code) {
    case ErrorCode::unknown_topic_or_partition:
      return "This server does not host this topic-partition.";
    case ErrorCode::request_timed_out:
      return "The request timed out.";
    case ErrorCode::security_disabled:
      return "Security features are disabled.";
    case ErrorCode::cluster_authorization_failed:
      return "Cluster authorization failed.";
    case ErrorCode::topic_authorization_failed:
      return "Topic authorization failed.";
    case ErrorCode::group_authorization_failed:
      return "Group authorization failed.";
    case ErrorCode::transactional_id_authorization_failed:
      return "Transactional Id authorization failed.";
    case ErrorCode::invalid_group_id:
      return "The group id is invalid.";
    case ErrorCode::group_id_not_found:
      return "The group id does not exist.";
    case ErrorCode::non_empty_group:
      return "The group is not empty.";
    case ErrorCode::group_subscribed_to_topic:
      return "Deleting offsets of a topic is forbidden while the consumer group is actively "
             "subscribed to it.";
    case ErrorCode::unknown_member_id:
      return "The coordinator is not aware of this member.";
    case ErrorCode::coordinator_not_available:
      return "The coordinator is not available.";
    case ErrorCode::coordinator_load_in_progress:
      return "The coordinator is loading and hence can't process requests.";
    case ErrorCode::not_coordinator:
      return "This is not the correct coordinator.";
    case ErrorCode::transactional_id_not_found:
      return "The transactionalId could not be found";
    case ErrorCode::concurrent_transactions:
      return "The producer attempted to update a transaction while another concurrent operation "
             "on the same transaction was ongoing.";
    case ErrorCode::invalid_producer_epoch:
      return "Producer attempted to produce with an old epoch.";
    default:
      return std::string(error_name(code));
  }
}

std::string plain_text(const Error& error) {
  // The client names codes for which brokers send no text, and topics that are not there.
  const bool bare = error.message.find(error_name(error.code)) != std::string::npos ||
                    error.message.starts_with("There is no topic");
  return message_of(error.code, bare ? std::nullopt : std::optional(error.message));
}

std::string exception_text(const Error& error) {
  return fmt::format("{}: {}", exception_name(error.code), plain_text(error));
}

}  // namespace arus::cli::kafka
