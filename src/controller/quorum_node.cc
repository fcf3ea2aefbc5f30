#include "controller/quorum_node.h"

#include <fmt/core.h>

#include "base/log.h"
#include "controller/controller.h"
#include "controller/node_records.h"
#include "protocol/record_codec.h"
#include "raft/format.h"

namespace arus::controller {
namespace {

const LogComponent logger{"controller.node"};

// Builds the first image from what the quorum reads.
class ImageReplay final : public raft::Replay {
 public:
  ImageReplay() : builder_(nullptr) {}

  void on_snapshot(const raft::SnapshotId&) override { builder_ = metadata::ImageBuilder(nullptr); }
  Result<> on_record(Offset offset, LeaderEpoch epoch, ByteView value) override {
    const auto record = protocol::decode_metadata_record(value);
    Result<> applied = record ? builder_.apply(record->record) : Result<>(fail(record.error()));
    if (!applied) {
      return fail(ErrorCode::corrupt_message,
                  fmt::format("The metadata record at offset {} cannot be applied: {}",
                              offset.value(), applied.error().message));
    }
    offset_ = offset;
    epoch_ = epoch;
    return {};
  }
  Result<> on_snapshot_end(const raft::SnapshotId& id) override {
    offset_ = id.end - 1;
    epoch_ = id.epoch;
    return {};
  }

  [[nodiscard]] bool in_transaction() const { return builder_.in_transaction(); }
  Result<> abort() { return builder_.apply(protocol::AbortTransactionRecord{}); }
  Result<metadata::ImagePointer> finish(Offset offset, LeaderEpoch epoch) {
    return builder_.finish(offset, epoch);
  }
  [[nodiscard]] Offset offset() const { return offset_; }
  [[nodiscard]] LeaderEpoch epoch() const { return epoch_; }

 private:
  metadata::ImageBuilder builder_;
  Offset offset_ = no_offset;
  LeaderEpoch epoch_ = no_leader_epoch;
};

// The records of bootstrap.checkpoint, or those of a fresh directory where there is none. Blocking.
Result<Records> read_bootstrap(env::Environment& environment, const std::string& directory) {
  std::vector<Bytes> values;
  const std::string path = directory + "/bootstrap.checkpoint";
  if (environment.files().exists(path)) {
    auto file = environment.files().open(path, env::OpenMode::read);
    if (!file) return fail(std::move(file).error());
    const auto read = raft::read_batches(**file, [&](const record::BatchView& batch) -> Result<> {
      if (batch.is_control()) return {};
      record::RecordReader reader{batch};
      while (const auto one = reader.next()) {
        if (one->value) values.emplace_back(one->value->begin(), one->value->end());
      }
      return reader.status();
    });
    if (!read) return fail(read.error());
    if (read->valid_bytes != read->file_bytes) {
      return fail(ErrorCode::corrupt_message, path + " is damaged");
    }
  } else {
    auto made = raft::bootstrap_records({});
    if (!made) return fail(std::move(made).error());
    values = std::move(*made);
  }
  Records records;
  for (const Bytes& value : values) {
    auto record = protocol::decode_metadata_record(value);
    if (!record) return fail(std::move(record).error());
    records.push_back(std::move(record->record));
  }
  return records;
}

class Node final : public QuorumNode {
 public:
  Node(env::Environment& environment, QuorumOptions options)
      : environment_(environment),
        home_(*env::Loop::current()),
        options_(std::move(options)),
        publisher_(environment, home_) {}
  ~Node() override { ARUS_ASSERT(stopped_ || controller_ == nullptr); }

  env::Task<Result<>> open();

  ControllerApi& api() override { return *controller_; }
  metadata::ImagePublisher& images() override { return publisher_; }
  env::Task<Result<>> register_broker(BrokerSelf self) override;
  env::Task<Result<>> unfence() override;
  env::Task<Result<>> leave() override;
  env::Task<Result<>> keep_directories(std::vector<Uuid> online) override;
  env::Task<Result<>> assign_directories(std::vector<DirectoryAssignment> assignments) override;
  void fail_storage(const Error& error) override {
    if (quorum_ != nullptr) quorum_->fail_storage(error);
  }
  env::Task<Result<>> stop() override;
  void stop_at_once() override { at_once_ = true; }
  [[nodiscard]] std::int64_t broker_epoch() const override { return broker_epoch_; }
  [[nodiscard]] Uuid incarnation_id() const override { return incarnation_id_; }
  [[nodiscard]] LeaderEpoch raft_epoch() const override { return quorum_->epoch(); }
  [[nodiscard]] Offset high_watermark() const override { return quorum_->high_watermark(); }

 private:
  [[nodiscard]] raft::QuorumConfig quorum_config() const;
  env::Task<Result<>> activate(ImageReplay& replay);
  env::Task<Result<>> write(Records records);

  env::Environment& environment_;
  env::Loop& home_;
  QuorumOptions options_;
  metadata::ImagePublisher publisher_;
  std::unique_ptr<raft::Quorum> quorum_;
  std::unique_ptr<Controller> controller_;
  Uuid incarnation_id_;
  std::int64_t broker_epoch_ = -1;
  bool unclean_ = false;
  bool at_once_ = false;
  bool stopped_ = false;
};

raft::QuorumConfig Node::quorum_config() const {
  raft::QuorumConfig config{.id = options_.node_id.value(),
                            .directory_id = options_.directory_id,
                            .log_directory = options_.metadata_directory,
                            .static_voters = options_.static_voters,
                            .log = {.segment_bytes = options_.settings.segment_bytes}};
  for (const auto& endpoint : options_.controller_endpoints) {
    config.endpoints.push_back({endpoint.listener, endpoint.host, endpoint.port});
  }
  return config;
}

env::Task<Result<>> Node::open() {
  incarnation_id_ = raft::random_uuid(environment_.random());
  ImageReplay replay;
  auto quorum = co_await raft::Quorum::open(environment_, quorum_config(), replay);
  if (!quorum) co_return fail(std::move(quorum).error());
  quorum_ = std::move(*quorum);
  const Result<> activated = co_await activate(replay);
  if (activated) co_return Result<>{};
  // Nothing is served after a failed start: the files are let go.
  if (controller_ != nullptr) co_await controller_->close();
  co_await quorum_->close();
  co_await publisher_.reached_everywhere(publisher_.current()->offset);
  stopped_ = true;
  co_return activated;
}

env::Task<Result<>> Node::activate(ImageReplay& replay) {
  const bool aborts = replay.in_transaction();
  auto read = replay.finish(replay.offset(), replay.epoch());
  if (!read) co_return fail(std::move(read).error());
  auto first = std::make_shared<metadata::MetadataImage>(**read);
  first->cluster_id = options_.cluster_id;
  first->controller_id = options_.node_id;
  const bool fresh = quorum_->is_fresh();
  controller_ = std::make_unique<Controller>(environment_, home_, *quorum_, publisher_,
                                             options_.settings, options_.node_id, first);
  controller_->on_storage_failure(options_.on_storage_failure);
  publisher_.publish(first, std::make_shared<const metadata::MetadataDelta>());
  ARUS_CO_TRY(co_await quorum_->elect());
  Offset end = quorum_->end();
  // Nothing follows the LeaderChange record that could be kept without it.
  ARUS_CO_TRY(co_await controller_->committed(end));
  if (aborts) {
    logger.warning("a metadata transaction was left open and is aborted");
    auto image = std::make_shared<metadata::MetadataImage>(*first);
    image->offset = quorum_->end();
    image->epoch = quorum_->epoch();
    const auto ended = controller_->append_applied({protocol::AbortTransactionRecord{}}, image);
    if (!ended) co_return fail(ended.error());
    end = *ended;
  }
  if (fresh || (aborts && controller_->newest()->metadata_version() == 0)) {
    env::Environment* const environment = &environment_;
    const std::string* const directory = &options_.metadata_directory;
    const auto bootstrap = co_await env::run_on(environment_.pool(), [environment, directory] {
      return read_bootstrap(*environment, *directory);
    });
    if (!bootstrap) co_return fail(bootstrap.error());
    const auto written = controller_->append(
        bootstrap_transaction(*bootstrap, options_.settings.min_insync_replicas));
    if (!written) co_return fail(written.error());
    end = *written;
  }
  const Records registration = controller::register_controller(
      controller_->context(), incarnation_id_, options_.controller_endpoints);
  if (!registration.empty()) {
    const auto written = controller_->append(registration);
    if (!written) co_return fail(written.error());
    end = *written;
  }
  co_return co_await controller_->committed(end);
}

env::Task<Result<>> Node::write(Records records) {
  if (records.empty()) co_return Result<>{};
  const auto end = controller_->append(records);
  if (!end) co_return fail(end.error());
  co_return co_await controller_->committed(*end);
}

env::Task<Result<>> Node::register_broker(BrokerSelf self) {
  const auto before = controller_->newest()->broker(options_.node_id);
  // The old incarnation is dead: its directories' locks are ours.
  unclean_ = before != nullptr && self.previous_broker_epoch != before->epoch;
  ARUS_CO_TRY(co_await write(fence_others(controller_->context())));
  broker_epoch_ = quorum_->end().value();
  const auto records = controller::register_broker(
      controller_->context(), {.broker_epoch = broker_epoch_,
                               .incarnation_id = incarnation_id_,
                               .endpoints = std::move(self.endpoints),
                               .rack = std::move(self.rack),
                               .directories = std::move(self.directories),
                               .cordoned_directories = std::move(self.cordoned_directories)});
  if (!records) co_return fail(records.error());
  co_return co_await write(*records);
}

env::Task<Result<>> Node::unfence() {
  co_return co_await write(controller::unfence(controller_->context(), unclean_));
}

env::Task<Result<>> Node::leave() {
  co_return co_await write(begin_shutdown(controller_->context()));
}

env::Task<Result<>> Node::keep_directories(std::vector<Uuid> online) {
  co_return co_await write(controller::keep_directories(controller_->context(), std::move(online)));
}

env::Task<Result<>> Node::assign_directories(std::vector<DirectoryAssignment> assignments) {
  co_return co_await write(controller::assign_directories(controller_->context(), assignments));
}

env::Task<Result<>> Node::stop() {
  ARUS_ASSERT(!stopped_);
  Result<> fenced;
  if (!quorum_->log().offline() && !at_once_)
    fenced = co_await write(fence(controller_->context()));
  co_await controller_->close();
  co_await quorum_->close();
  // No image is on its way any more.
  co_await publisher_.reached_everywhere(publisher_.current()->offset);
  stopped_ = true;
  co_return fenced;
}

}  // namespace

env::Task<Result<std::unique_ptr<QuorumNode>>> QuorumNode::start(env::Environment& environment,
                                                                 QuorumOptions options) {
  auto node = std::make_unique<Node>(environment, std::move(options));
  ARUS_CO_TRY(co_await node->open());
  co_return node;
}

}  // namespace arus::controller
