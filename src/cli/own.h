// Arus's own commands: everything behind `arus` but serving and Kafka's programs.
#pragma once

#include "cli/cli.h"
#include "cli/console.h"
#include "cli/own_options.h"

namespace arus::cli {

// All arguments behind the program's name.
int run_own(Console& console, const Arguments& words);

// Each in the file of its name; the exit status.
int create_topics(Console& console, const ClusterOptions& cluster, const TopicOptions& options);
int list_topics(Console& console, const ClusterOptions& cluster, const TopicOptions& options);
int show_topics(Console& console, const ClusterOptions& cluster, const TopicOptions& options);
int delete_topics(Console& console, const ClusterOptions& cluster, const TopicOptions& options);
int alter_topics(Console& console, const ClusterOptions& cluster, const TopicOptions& options);
int produce(Console& console, const ClusterOptions& cluster, const ProduceOptions& options);
int consume(Console& console, const ClusterOptions& cluster, const ConsumeOptions& options);
int get_config(Console& console, const ClusterOptions& cluster, const ConfigOptions& options);
int set_config(Console& console, const ClusterOptions& cluster, const ConfigOptions& options);
int explain_config(Console& console, const ConfigOptions& options);
// Every key, as docs/configuration.md has it.
int print_config_reference(Console& console);
int list_acls(Console& console, const ClusterOptions& cluster, const AclOptions& options);
int add_acls(Console& console, const ClusterOptions& cluster, const AclOptions& options);
int remove_acls(Console& console, const ClusterOptions& cluster, const AclOptions& options);
int list_groups(Console& console, const ClusterOptions& cluster, const GroupOptions& options);
int describe_groups(Console& console, const ClusterOptions& cluster, const GroupOptions& options);
int show_members(Console& console, const ClusterOptions& cluster, const GroupOptions& options);
int reset_group(Console& console, const ClusterOptions& cluster, const GroupOptions& options);
int delete_groups(Console& console, const ClusterOptions& cluster, const GroupOptions& options);
int list_transactions(Console& console, const ClusterOptions& cluster,
                      const TransactionOptions& options);
int describe_transaction(Console& console, const ClusterOptions& cluster,
                         const TransactionOptions& options);
int why_transaction(Console& console, const ClusterOptions& cluster,
                    const TransactionOptions& options);
int abort_transaction(Console& console, const ClusterOptions& cluster,
                      const TransactionOptions& options);
int why_disk(Console& console, const ClusterOptions& cluster, const std::string& directory);
int show_log_dirs(Console& console, const ClusterOptions& cluster, bool json);
int show_offsets(Console& console, const ClusterOptions& cluster, const OffsetsOptions& options);
int show_quorum(Console& console, const ClusterOptions& cluster);
int format_storage(Console& console, const StorageOptions& options);
int show_storage(Console& console, const StorageOptions& options);
int print_random_uuid(Console& console);
int verify_directories(Console& console, const VerifyCommandOptions& options);
int dump_files(Console& console, const DumpCommandOptions& options);

// "arus: " and the sentence, on standard error; gives 1.
int report(Console& console, const Error& error);

}  // namespace arus::cli
