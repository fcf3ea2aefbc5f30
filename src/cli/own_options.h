// The options of Arus's own commands, filled by own.cc and read by the commands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/client_config.h"

namespace arus::cli {

// What every command takes that speaks to a cluster.
struct ClusterOptions {
  std::string bootstrap = "127.0.0.1:9092";
  std::string config_file;              // properties for the client
  std::vector<std::string> properties;  // "key=value", over the file

  [[nodiscard]] Result<config::ConfigMap> merged() const;
  [[nodiscard]] Result<client::ClientOptions> client() const;
};

struct TopicOptions {
  std::vector<std::string> names;
  std::optional<std::int32_t> partitions;
  std::optional<std::int16_t> replication_factor;
  std::vector<std::string> configs;         // "key=value"
  std::vector<std::string> delete_configs;  // keys
  bool if_not_exists = false;
  bool if_exists = false;
  bool internal = false;
  bool json = false;
};

struct ProduceOptions {
  std::string topic;
  std::vector<std::string> files;  // without any: standard input
  std::optional<std::string> key;
  std::string key_separator;         // lines are key, separator, value
  std::vector<std::string> headers;  // "name=value"
  std::optional<std::string> null_marker;
  std::optional<std::int32_t> partition;
  std::optional<std::int64_t> timestamp_ms;
  std::string compression;
  std::string acks;
  bool whole_files = false;      // each file is one record
  bool json = false;             // each line is an object
  std::string transactional_id;  // all records in one transaction
  bool quiet = false;
};

struct ConsumeOptions {
  std::vector<std::string> topics;
  std::vector<std::int32_t> partitions;
  std::string from = "earliest";  // earliest, latest, an offset, or a time
  std::string from_time;          // milliseconds since 1970, or ISO 8601 in UTC
  std::string group;              // read as a member of it
  std::string protocol;           // of the group: classic or consumer
  std::string instance_id;        // a static member
  std::string commit = "auto";    // auto, end or none
  bool until_end = false;         // stop at the end as it was at the start
  std::int64_t max_records = -1;
  std::optional<std::int64_t> timeout_ms;
  bool read_committed = false;
  bool json = false;
  bool keys = false;
  bool headers = false;
  bool offsets = false;
  bool timestamps = false;
  std::string separator = "\t";
  std::string output;  // a file instead of standard output
  bool quiet = false;
};

struct ConfigOptions {
  std::string resource;  // topic, broker, brokers, logger, client-metrics, group
  std::string name;
  std::vector<std::string> entries;  // keys to get or delete, "key=value" to set
  std::vector<std::string> unset;
  bool all = false;
  bool validate_only = false;
  bool json = false;
};

struct AclOptions {
  std::vector<std::string> principals;
  std::string host = "*";
  std::vector<std::string> operations;
  std::vector<std::string> topics;
  std::vector<std::string> groups;
  std::vector<std::string> transactional_ids;
  bool cluster = false;
  bool deny = false;
  bool prefixed = false;
  bool json = false;
};

struct GroupOptions {
  std::vector<std::string> names;
  std::vector<std::string> states;
  std::vector<std::string> types;
  std::vector<std::string> topics;  // "topic", "topic:0,1"
  std::string to;                   // earliest, latest, current, an offset, "+10", "-10"
  std::string to_time;
  std::string ago;  // "PT1H30M"
  std::string from_file;
  bool execute = false;
  bool dry_run = false;
  bool skip_times = false;
  bool json = false;
};

struct TransactionOptions {
  std::string id;
  std::vector<std::string> states;
  std::string older_than;  // "PT10M"
  std::string topic;
  std::int32_t partition = -1;
  std::int64_t start_offset = -1;
  bool hanging = false;
  bool force = false;
  bool json = false;
};

struct OffsetsOptions {
  std::vector<std::string> topics;
  std::string time;  // also the offset at this time
  bool json = false;
};

struct StorageOptions {
  std::string data;
  std::string config_file;
  std::vector<std::string> overrides;
  std::string cluster_id;
  std::string release_version;
  std::vector<std::string> features;
  std::vector<std::string> scram;
  bool ignore_formatted = false;
};

struct DumpCommandOptions {
  std::vector<std::string> files;
  bool deep = false;
  bool data = false;
  bool metadata = false;
  bool verify = false;
};

struct VerifyCommandOptions {
  std::vector<std::string> directories;
  std::vector<std::string> topics;
  int jobs = 4;
  bool no_records = false;
  bool notes = false;
  bool json = false;
  bool quiet = false;
  bool repair = false;
  bool yes = false;
  bool cut_damaged = false;
};

}  // namespace arus::cli
