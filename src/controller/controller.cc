#include "controller/controller.h"

#include "base/log.h"
#include "metadata/snapshot_records.h"

namespace arus::controller {
namespace {

const LogComponent logger{"controller"};

// One batch of the log, as Kafka bounds it.
constexpr std::size_t max_batch_bytes = std::size_t{8} << 20;

}  // namespace

Controller::Controller(env::Environment& environment, env::Loop& home, raft::Quorum& quorum,
                       metadata::ImagePublisher& publisher, ControllerSettings settings,
                       BrokerId self, metadata::ImagePointer image)
    : environment_(environment),
      home_(home),
      quorum_(quorum),
      publisher_(publisher),
      settings_(std::move(settings)),
      self_(self),
      newest_(image),
      published_(std::move(image)),
      last_snapshot_(environment.clock().now()) {
  quorum_.observe(this);
}

Controller::~Controller() { quorum_.observe(nullptr); }

env::Task<void> Controller::close() {
  closing_ = true;
  co_await gate_.close();
}

DecisionContext Controller::context() const {
  return {.image = *newest_,
          .settings = settings_,
          .self = self_,
          .kraft_version = quorum_.kraft_version(),
          .random = environment_.random()};
}

Result<> Controller::check_open() const {
  if (quorum_.log().offline()) {
    return fail(ErrorCode::kafka_storage_error,
                "The metadata log has failed; nothing can change until a restart");
  }
  if (closing_) return fail(ErrorCode::not_controller, "The controller is stopping");
  return {};
}

Result<Offset> Controller::append(const Records& records) {
  if (quorum_.log().offline()) return fail(last_failure_);
  metadata::ImageBuilder builder(newest_);
  for (const auto& record : records) ARUS_TRY(builder.apply(record));
  const Offset end = quorum_.end() + static_cast<std::int64_t>(records.size());
  auto image = builder.finish(end - 1, quorum_.epoch());
  if (!image) return fail(std::move(image).error());
  auto delta = std::make_shared<const metadata::MetadataDelta>(builder.take_delta());
  // Every batch is made before any is appended: an error must leave nothing behind.
  std::vector<std::vector<Bytes>> batches;
  std::int64_t size_bytes = 0;
  std::size_t batch_bytes = 0;
  for (const auto& record : records) {
    auto value = metadata::encode_record(record, (*image)->metadata_version());
    if (!value) return fail(std::move(value).error());
    if (value->size() > max_batch_bytes / 2) {
      return fail(ErrorCode::record_list_too_large, "One metadata record would be too large");
    }
    if (batches.empty() || batches.back().size() >= max_records_per_batch ||
        batch_bytes + value->size() > max_batch_bytes / 2) {
      batches.emplace_back();
      batch_bytes = 0;
    }
    batch_bytes += value->size();
    size_bytes += static_cast<std::int64_t>(value->size());
    batches.back().push_back(std::move(*value));
  }
  for (const auto& batch : batches) quorum_.append(batch);
  newest_ = *image;
  uncommitted_.push_back({end, *image, std::move(delta), size_bytes});
  return end;
}

Result<Offset> Controller::append_applied(const Records& records, metadata::ImagePointer image) {
  if (quorum_.log().offline()) return fail(last_failure_);
  std::vector<Bytes> values;
  for (const auto& record : records) {
    auto value = metadata::encode_record(record, image->metadata_version());
    if (!value) return fail(std::move(value).error());
    values.push_back(std::move(*value));
  }
  quorum_.append(values);
  newest_ = image;
  uncommitted_.push_back(
      {quorum_.end(), std::move(image), std::make_shared<const metadata::MetadataDelta>(), 0});
  return quorum_.end();
}

env::Task<Result<>> Controller::committed(Offset end, env::TimePoint deadline) {
  const std::uint64_t failures = failures_;
  while (committed_end_ < end) {
    if (quorum_.log().offline()) co_return fail(last_failure_);
    const bool in_time = co_await progress_.wait_until(deadline);
    if (failures_ != failures) co_return fail(last_failure_);
    if (!in_time && committed_end_ < end) {
      co_return fail(ErrorCode::request_timed_out,
                     "The metadata log did not keep the change in time; it may still do so");
    }
  }
  co_await publisher_.reached_everywhere(std::min(end - 1, published_->offset));
  co_return Result<>{};
}

void Controller::on_commit(Offset high_watermark) {
  committed_end_ = high_watermark;
  while (!uncommitted_.empty() && uncommitted_.front().end <= high_watermark) {
    Uncommitted entry = std::move(uncommitted_.front());
    uncommitted_.pop_front();
    published_ = entry.image;
    bytes_since_snapshot_ += entry.size_bytes;
    publisher_.publish(std::move(entry.image), std::move(entry.delta));
  }
  progress_.notify_all();
  snapshot_if_due();
}

void Controller::on_append_failed(Offset, const Error& error, bool offline) {
  newest_ = published_;
  uncommitted_.clear();
  ++failures_;
  last_failure_ = {ErrorCode::kafka_storage_error,
                   "The metadata log could not keep the change: " + error.message, error.os_error};
  progress_.notify_all();
  if (offline && storage_failure_) std::exchange(storage_failure_, nullptr)(error);
}

void Controller::snapshot_if_due() {
  if (snapshotting_ || closing_ || published_->offset < Offset{0} || bytes_since_snapshot_ == 0) {
    return;
  }
  const auto age = environment_.clock().now() - last_snapshot_;
  if (bytes_since_snapshot_ < settings_.snapshot_bytes &&
      age < env::milliseconds(settings_.snapshot_interval_ms)) {
    return;
  }
  snapshotting_ = true;
  bytes_since_snapshot_ = 0;
  last_snapshot_ = environment_.clock().now();
  env::spawn(gate_, write_snapshot(published_, quorum_.snapshot_options(published_->epoch)));
}

env::Task<void> Controller::write_snapshot(metadata::ImagePointer image,
                                           raft::SnapshotOptions options) {
  // Building it takes a while; the image is immutable, so the pool may.
  struct Job {
    const metadata::MetadataImage& image;
    const raft::SnapshotOptions& options;
    Result<Chain> operator()() const {
      raft::SnapshotBuilder builder(options);
      Result<> outcome;
      metadata::visit_records(image, [&](const protocol::MetadataRecord& record) {
        if (!outcome) return;
        auto value = metadata::encode_record(record, image.metadata_version());
        if (value) {
          builder.append(*value);
        } else {
          outcome = fail(std::move(value).error());
        }
      });
      if (!outcome) return fail(outcome.error());
      return builder.finish();
    }
  };
  const raft::SnapshotId id{image->offset + 1, image->epoch};
  auto chain =
      co_await env::run_on(environment_.pool(), Job{*image, options}, env::Priority::background);
  Result<> written = chain ? Result<>{} : fail(chain.error());
  if (chain) written = co_await quorum_.write_snapshot(id, std::move(*chain));
  if (written) {
    const std::int64_t oldest_ms = environment_.clock().wall_ms() - settings_.log_retention_ms;
    written = co_await quorum_.clean(settings_.log_retention_bytes, oldest_ms);
  }
  if (!written) logger.error("no snapshot of the metadata: {}", written.error().message);
  snapshotting_ = false;
}

}  // namespace arus::controller
