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

struct CodeText {
  ErrorCode code;
  std::string_view text;
};

// Where the class is not simply named after the code.
constexpr CodeText java_names[] = {
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

// What Kafka's programs say where a broker sends a code and no text.
constexpr CodeText sentences[] = {
    {ErrorCode::unknown_server_error,
     "The server experienced an unexpected error when processing the request."},
    {ErrorCode::offset_out_of_range,
     "The requested offset is not within the range of offsets maintained by the server."},
    {ErrorCode::unknown_topic_or_partition, "This server does not host this topic-partition."},
    {ErrorCode::leader_not_available,
     "There is no leader for this topic-partition as we are in the middle of a leadership "
     "election."},
    {ErrorCode::request_timed_out, "The request timed out."},
    {ErrorCode::coordinator_load_in_progress,
     "The coordinator is loading and hence can't process requests."},
    {ErrorCode::coordinator_not_available, "The coordinator is not available."},
    {ErrorCode::not_coordinator, "This is not the correct coordinator."},
    {ErrorCode::invalid_topic_exception,
     "The request attempted to perform an operation on an invalid topic."},
    {ErrorCode::invalid_group_id, "The group id is invalid."},
    {ErrorCode::unknown_member_id, "The coordinator is not aware of this member."},
    {ErrorCode::rebalance_in_progress, "The group is rebalancing, so a rejoin is needed."},
    {ErrorCode::topic_authorization_failed, "Topic authorization failed."},
    {ErrorCode::group_authorization_failed, "Group authorization failed."},
    {ErrorCode::cluster_authorization_failed, "Cluster authorization failed."},
    {ErrorCode::unsupported_version, "The version of API is not supported."},
    {ErrorCode::policy_violation, "Request parameters do not satisfy the configured policy."},
    {ErrorCode::invalid_producer_epoch, "Producer attempted to produce with an old epoch."},
    {ErrorCode::concurrent_transactions,
     "The producer attempted to update a transaction while another concurrent operation on the "
     "same transaction was ongoing."},
    {ErrorCode::transactional_id_authorization_failed, "Transactional Id authorization failed."},
    {ErrorCode::security_disabled, "Security features are disabled."},
    {ErrorCode::non_empty_group, "The group is not empty."},
    {ErrorCode::group_id_not_found, "The group id does not exist."},
    {ErrorCode::group_subscribed_to_topic,
     "Deleting offsets of a topic is forbidden while the consumer group is actively subscribed to "
     "it."},
    {ErrorCode::transactional_id_not_found, "The transactionalId could not be found."},
    {ErrorCode::invalid_regular_expression, "The regular expression is not valid."},
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
    if (known.code == code) return fmt::format("{}{}", package, known.text);
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
  for (const auto& known : sentences) {
    if (known.code == code) return std::string(known.text);
  }
  return std::string(error_name(code));
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
