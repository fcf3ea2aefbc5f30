// How everyone else reaches the controller. It may be in this process or, later, remote (Envelope).
#pragma once

#include <string>

#include "env/task.h"
#include "env/time.h"
#include "metadata/image.h"
#include "protocol/api/alter_client_quotas.h"
#include "protocol/api/alter_configs.h"
#include "protocol/api/alter_partition_reassignments.h"
#include "protocol/api/alter_user_scram_credentials.h"
#include "protocol/api/create_acls.h"
#include "protocol/api/create_partitions.h"
#include "protocol/api/create_topics.h"
#include "protocol/api/delete_acls.h"
#include "protocol/api/delete_topics.h"
#include "protocol/api/describe_quorum.h"
#include "protocol/api/elect_leaders.h"
#include "protocol/api/incremental_alter_configs.h"
#include "protocol/api/list_partition_reassignments.h"
#include "protocol/api/unregister_broker.h"
#include "protocol/api/update_features.h"
#include "security/authorizer.h"

namespace arus::controller {

// On whose behalf: for audit, for owner fields, and for checks that depend on the caller.
struct CallerContext {
  security::Principal principal;
  std::string client_host;
  env::TimePoint deadline = env::never;
};

// A block of producer ids that belongs to the asker.
struct ProducerIdBlock {
  ProducerId first;
  std::int32_t count = 0;
};

// Requests arrive here authorized (entries that were refused are already taken out and answered by
// the handler). Each answer leaves when its records are durable in the metadata log and every
// loop's image has reached them (durability.md, rule 8). Callable from any loop; answers come on
// the caller's loop. NOT_CONTROLLER where there is none; KAFKA_STORAGE_ERROR once the metadata log
// has failed.
class ControllerApi {
 public:
  virtual ~ControllerApi() = default;
  virtual env::Task<Result<protocol::CreateTopicsResponse>> create_topics(
      CallerContext caller, protocol::CreateTopicsRequest request) = 0;
  virtual env::Task<Result<protocol::DeleteTopicsResponse>> delete_topics(
      CallerContext caller, protocol::DeleteTopicsRequest request) = 0;
  virtual env::Task<Result<protocol::CreatePartitionsResponse>> create_partitions(
      CallerContext caller, protocol::CreatePartitionsRequest request) = 0;
  virtual env::Task<Result<protocol::AlterConfigsResponse>> alter_configs(
      CallerContext caller, protocol::AlterConfigsRequest request) = 0;
  virtual env::Task<Result<protocol::IncrementalAlterConfigsResponse>> incremental_alter_configs(
      CallerContext caller, protocol::IncrementalAlterConfigsRequest request) = 0;
  virtual env::Task<Result<protocol::CreateAclsResponse>> create_acls(
      CallerContext caller, protocol::CreateAclsRequest request) = 0;
  virtual env::Task<Result<protocol::DeleteAclsResponse>> delete_acls(
      CallerContext caller, protocol::DeleteAclsRequest request) = 0;
  virtual env::Task<Result<protocol::AlterClientQuotasResponse>> alter_client_quotas(
      CallerContext caller, protocol::AlterClientQuotasRequest request) = 0;
  virtual env::Task<Result<protocol::AlterUserScramCredentialsResponse>>
  alter_user_scram_credentials(CallerContext caller,
                               protocol::AlterUserScramCredentialsRequest request) = 0;
  virtual env::Task<Result<protocol::ElectLeadersResponse>> elect_leaders(
      CallerContext caller, protocol::ElectLeadersRequest request) = 0;
  virtual env::Task<Result<protocol::AlterPartitionReassignmentsResponse>>
  alter_partition_reassignments(CallerContext caller,
                                protocol::AlterPartitionReassignmentsRequest request) = 0;
  virtual env::Task<Result<protocol::ListPartitionReassignmentsResponse>>
  list_partition_reassignments(CallerContext caller,
                               protocol::ListPartitionReassignmentsRequest request) = 0;
  virtual env::Task<Result<protocol::UpdateFeaturesResponse>> update_features(
      CallerContext caller, protocol::UpdateFeaturesRequest request) = 0;
  virtual env::Task<Result<protocol::UnregisterBrokerResponse>> unregister_broker(
      CallerContext caller, protocol::UnregisterBrokerRequest request) = 0;
  virtual env::Task<Result<protocol::DescribeQuorumResponse>> describe_quorum(
      CallerContext caller, protocol::DescribeQuorumRequest request) = 0;
  virtual env::Task<Result<ProducerIdBlock>> allocate_producer_ids(BrokerId broker,
                                                                   std::int64_t broker_epoch) = 0;
};

}  // namespace arus::controller
