// The active controller: one queue of decisions over the newest image.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "controller/controller_api.h"
#include "controller/decision.h"
#include "controller/settings.h"
#include "env/environment.h"
#include "env/event.h"
#include "metadata/image_builder.h"
#include "metadata/image_publisher.h"
#include "raft/driver/quorum.h"

namespace arus::controller {

// Each change is decided on the newest image, becomes one or more batches of the metadata log and
// at once the next image, which nobody else sees; it is published when its batch is committed, and
// its answer leaves when every loop has it (durability.md, rule 8). Decisions run one at a time, in
// the order of arrival, on the home loop. When the log cannot keep a batch, everything decided
// since goes back to the last published image, and is answered with KAFKA_STORAGE_ERROR.
class Controller final : public ControllerApi, private raft::QuorumObserver {
 public:
  // `image` is what the log held.
  Controller(env::Environment& environment, env::Loop& home, raft::Quorum& quorum,
             metadata::ImagePublisher& publisher, ControllerSettings settings, BrokerId self,
             metadata::ImagePointer image);
  ~Controller() override;

  void on_storage_failure(std::function<void(const Error&)> callback) {
    storage_failure_ = std::move(callback);
  }
  // Changes are refused from now on; completes when those under way are done.
  env::Task<void> close();

  // On the home loop: the newest image, and a context over it.
  [[nodiscard]] const metadata::ImagePointer& newest() const { return newest_; }
  [[nodiscard]] DecisionContext context() const;
  // Makes the image after these records the newest and appends them: one batch for every 10,000.
  // Gives the offset behind the last one. Nothing is appended on an error.
  Result<Offset> append(const Records& records);
  // The same with an image that has these records already (they end what the log had begun).
  Result<Offset> append_applied(const Records& records, metadata::ImagePointer image);
  // Completes when everything below `end` is committed and every loop has its image. Called in the
  // same turn of the loop as the append, so that no failure falls between the two.
  env::Task<Result<>> committed(Offset end, env::TimePoint deadline = env::never);

  env::Task<Result<protocol::CreateTopicsResponse>> create_topics(
      CallerContext caller, protocol::CreateTopicsRequest request) override;
  env::Task<Result<protocol::DeleteTopicsResponse>> delete_topics(
      CallerContext caller, protocol::DeleteTopicsRequest request) override;
  env::Task<Result<protocol::CreatePartitionsResponse>> create_partitions(
      CallerContext caller, protocol::CreatePartitionsRequest request) override;
  env::Task<Result<protocol::AlterConfigsResponse>> alter_configs(
      CallerContext caller, protocol::AlterConfigsRequest request) override;
  env::Task<Result<protocol::IncrementalAlterConfigsResponse>> incremental_alter_configs(
      CallerContext caller, protocol::IncrementalAlterConfigsRequest request) override;
  env::Task<Result<protocol::CreateAclsResponse>> create_acls(
      CallerContext caller, protocol::CreateAclsRequest request) override;
  env::Task<Result<protocol::DeleteAclsResponse>> delete_acls(
      CallerContext caller, protocol::DeleteAclsRequest request) override;
  env::Task<Result<protocol::AlterClientQuotasResponse>> alter_client_quotas(
      CallerContext caller, protocol::AlterClientQuotasRequest request) override;
  env::Task<Result<protocol::AlterUserScramCredentialsResponse>> alter_user_scram_credentials(
      CallerContext caller, protocol::AlterUserScramCredentialsRequest request) override;
  env::Task<Result<protocol::ElectLeadersResponse>> elect_leaders(
      CallerContext caller, protocol::ElectLeadersRequest request) override;
  env::Task<Result<protocol::AlterPartitionReassignmentsResponse>> alter_partition_reassignments(
      CallerContext caller, protocol::AlterPartitionReassignmentsRequest request) override;
  env::Task<Result<protocol::ListPartitionReassignmentsResponse>> list_partition_reassignments(
      CallerContext caller, protocol::ListPartitionReassignmentsRequest request) override;
  env::Task<Result<protocol::UpdateFeaturesResponse>> update_features(
      CallerContext caller, protocol::UpdateFeaturesRequest request) override;
  env::Task<Result<protocol::UnregisterBrokerResponse>> unregister_broker(
      CallerContext caller, protocol::UnregisterBrokerRequest request) override;
  env::Task<Result<protocol::DescribeQuorumResponse>> describe_quorum(
      CallerContext caller, protocol::DescribeQuorumRequest request) override;
  env::Task<Result<ProducerIdBlock>> allocate_producer_ids(BrokerId broker,
                                                           std::int64_t broker_epoch) override;

 private:
  template <class Request, class Response>
  using Decide = Result<Decision<Response>> (*)(const DecisionContext&, const Request&);

  // An image that waits for its batch.
  struct Uncommitted {
    Offset end;
    metadata::ImagePointer image;
    std::shared_ptr<const metadata::MetadataDelta> delta;
    std::int64_t size_bytes = 0;
  };

  template <class Request, class Response>
  env::Task<Result<Response>> perform(env::TimePoint deadline, Request request,
                                      Decide<Request, Response> decide);
  // Decides on the controller's loop, and gives what is to be written. What follows from it is
  // compiled once and not for each request.
  using Change = std::function<Result<Records>(const DecisionContext&)>;
  env::Task<Result<>> change(env::TimePoint deadline, const Change& decide);
  env::Task<Result<>> change_here(env::TimePoint deadline, const Change& decide);
  [[nodiscard]] Result<> check_open() const;
  env::Task<Result<ProducerIdBlock>> allocate_here(BrokerId broker, std::int64_t broker_epoch);
  Result<protocol::DescribeQuorumResponse> describe_here(
      const protocol::DescribeQuorumRequest& request) const;
  void on_commit(Offset high_watermark) override;
  void on_append_failed(Offset from, const Error& error, bool offline) override;
  void snapshot_if_due();
  env::Task<void> write_snapshot(metadata::ImagePointer image, raft::SnapshotOptions options);

  env::Environment& environment_;
  env::Loop& home_;
  raft::Quorum& quorum_;
  metadata::ImagePublisher& publisher_;
  ControllerSettings settings_;
  BrokerId self_;
  std::function<void(const Error&)> storage_failure_;

  metadata::ImagePointer newest_;
  metadata::ImagePointer published_;
  std::deque<Uncommitted> uncommitted_;
  Offset committed_end_{0};
  Offset last_data_end_{0};  // behind the last record of published_
  std::uint64_t failures_ = 0;
  Error last_failure_;
  env::Event progress_;
  bool closing_ = false;
  env::Gate gate_;

  bool snapshotting_ = false;
  std::int64_t bytes_since_snapshot_ = 0;
  env::TimePoint last_snapshot_;
};

}  // namespace arus::controller
