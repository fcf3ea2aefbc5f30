// Every API that this broker serves, one line each.
#pragma once

#include <memory>
#include <vector>

#include "net/handler.h"

namespace arus::broker {

using HandlerList = std::vector<std::unique_ptr<net::Handler>>;

[[nodiscard]] HandlerList make_handlers();

// Those that the schema lists for clients, and those it lists for the controller's listener.
[[nodiscard]] std::vector<const net::Handler*> client_handlers(const HandlerList& all);
[[nodiscard]] std::vector<const net::Handler*> controller_handlers(const HandlerList& all);

// One maker for each, defined in the file of that name.
std::unique_ptr<net::Handler> api_versions_handler();
std::unique_ptr<net::Handler> metadata_handler();
std::unique_ptr<net::Handler> produce_handler();
std::unique_ptr<net::Handler> fetch_handler();
std::unique_ptr<net::Handler> list_offsets_handler();
std::unique_ptr<net::Handler> find_coordinator_handler();
std::unique_ptr<net::Handler> init_producer_id_handler();
std::unique_ptr<net::Handler> consumer_group_describe_handler();
std::unique_ptr<net::Handler> consumer_group_heartbeat_handler();
std::unique_ptr<net::Handler> join_group_handler();
std::unique_ptr<net::Handler> sync_group_handler();
std::unique_ptr<net::Handler> heartbeat_handler();
std::unique_ptr<net::Handler> leave_group_handler();
std::unique_ptr<net::Handler> offset_for_leader_epoch_handler();
std::unique_ptr<net::Handler> describe_cluster_handler();
std::unique_ptr<net::Handler> describe_topic_partitions_handler();
std::unique_ptr<net::Handler> alter_client_quotas_handler();
std::unique_ptr<net::Handler> alter_configs_handler();
std::unique_ptr<net::Handler> alter_partition_reassignments_handler();
std::unique_ptr<net::Handler> alter_user_scram_credentials_handler();
std::unique_ptr<net::Handler> create_acls_handler();
std::unique_ptr<net::Handler> create_delegation_token_handler();
std::unique_ptr<net::Handler> create_partitions_handler();
std::unique_ptr<net::Handler> create_topics_handler();
std::unique_ptr<net::Handler> delete_acls_handler();
std::unique_ptr<net::Handler> delete_groups_handler();
std::unique_ptr<net::Handler> delete_topics_handler();
std::unique_ptr<net::Handler> describe_acls_handler();
std::unique_ptr<net::Handler> describe_client_quotas_handler();
std::unique_ptr<net::Handler> describe_configs_handler();
std::unique_ptr<net::Handler> describe_delegation_token_handler();
std::unique_ptr<net::Handler> describe_groups_handler();
std::unique_ptr<net::Handler> alter_replica_log_dirs_handler();
std::unique_ptr<net::Handler> describe_log_dirs_handler();
std::unique_ptr<net::Handler> describe_quorum_handler();
std::unique_ptr<net::Handler> describe_user_scram_credentials_handler();
std::unique_ptr<net::Handler> elect_leaders_handler();
std::unique_ptr<net::Handler> expire_delegation_token_handler();
std::unique_ptr<net::Handler> incremental_alter_configs_handler();
std::unique_ptr<net::Handler> list_config_resources_handler();
std::unique_ptr<net::Handler> list_groups_handler();
std::unique_ptr<net::Handler> add_partitions_to_txn_handler();
std::unique_ptr<net::Handler> add_offsets_to_txn_handler();
std::unique_ptr<net::Handler> end_txn_handler();
std::unique_ptr<net::Handler> write_txn_markers_handler();
std::unique_ptr<net::Handler> describe_producers_handler();
std::unique_ptr<net::Handler> describe_transactions_handler();
std::unique_ptr<net::Handler> list_transactions_handler();
std::unique_ptr<net::Handler> list_partition_reassignments_handler();
std::unique_ptr<net::Handler> renew_delegation_token_handler();
std::unique_ptr<net::Handler> unregister_broker_handler();
std::unique_ptr<net::Handler> update_features_handler();
std::unique_ptr<net::Handler> delete_records_handler();
std::unique_ptr<net::Handler> offset_commit_handler();
std::unique_ptr<net::Handler> offset_delete_handler();
std::unique_ptr<net::Handler> offset_fetch_handler();
std::unique_ptr<net::Handler> txn_offset_commit_handler();

}  // namespace arus::broker
