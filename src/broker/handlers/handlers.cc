#include "broker/handlers/handlers.h"

#include "protocol/api_key.h"

namespace arus::broker {

HandlerList make_handlers() {
  HandlerList all;
  all.push_back(api_versions_handler());
  all.push_back(metadata_handler());
  all.push_back(produce_handler());
  all.push_back(fetch_handler());
  all.push_back(list_offsets_handler());
  all.push_back(find_coordinator_handler());
  all.push_back(init_producer_id_handler());
  all.push_back(consumer_group_describe_handler());
  all.push_back(consumer_group_heartbeat_handler());
  all.push_back(join_group_handler());
  all.push_back(sync_group_handler());
  all.push_back(heartbeat_handler());
  all.push_back(leave_group_handler());
  all.push_back(offset_for_leader_epoch_handler());
  all.push_back(describe_cluster_handler());
  all.push_back(describe_topic_partitions_handler());
  all.push_back(alter_client_quotas_handler());
  all.push_back(alter_configs_handler());
  all.push_back(alter_partition_reassignments_handler());
  all.push_back(alter_user_scram_credentials_handler());
  all.push_back(create_acls_handler());
  all.push_back(create_delegation_token_handler());
  all.push_back(create_partitions_handler());
  all.push_back(create_topics_handler());
  all.push_back(delete_acls_handler());
  all.push_back(delete_groups_handler());
  all.push_back(delete_topics_handler());
  all.push_back(describe_acls_handler());
  all.push_back(describe_client_quotas_handler());
  all.push_back(describe_configs_handler());
  all.push_back(describe_delegation_token_handler());
  all.push_back(describe_groups_handler());
  all.push_back(alter_replica_log_dirs_handler());
  all.push_back(describe_log_dirs_handler());
  all.push_back(describe_quorum_handler());
  all.push_back(describe_user_scram_credentials_handler());
  all.push_back(elect_leaders_handler());
  all.push_back(expire_delegation_token_handler());
  all.push_back(incremental_alter_configs_handler());
  all.push_back(list_config_resources_handler());
  all.push_back(list_groups_handler());
  all.push_back(add_partitions_to_txn_handler());
  all.push_back(add_offsets_to_txn_handler());
  all.push_back(end_txn_handler());
  all.push_back(write_txn_markers_handler());
  all.push_back(describe_producers_handler());
  all.push_back(describe_transactions_handler());
  all.push_back(list_transactions_handler());
  all.push_back(list_partition_reassignments_handler());
  all.push_back(renew_delegation_token_handler());
  all.push_back(unregister_broker_handler());
  all.push_back(update_features_handler());
  all.push_back(delete_records_handler());
  all.push_back(offset_commit_handler());
  all.push_back(offset_delete_handler());
  all.push_back(offset_fetch_handler());
  all.push_back(txn_offset_commit_handler());
  return all;
}

std::vector<const net::Handler*> client_handlers(const HandlerList& all) {
  std::vector<const net::Handler*> some;
  for (const auto& handler : all) {
    if (protocol::api_info(handler->key())->on_broker) some.push_back(handler.get());
  }
  return some;
}

std::vector<const net::Handler*> controller_handlers(const HandlerList& all) {
  std::vector<const net::Handler*> some;
  for (const auto& handler : all) {
    const protocol::ApiInfo& api = *protocol::api_info(handler->key());
    // Controllers serve Fetch for the metadata log, which nobody observes yet.
    if (api.on_controller && api.key != protocol::ApiKey::fetch) some.push_back(handler.get());
  }
  return some;
}

}  // namespace arus::broker
