#include "raft/driver/quorum.h"

#include <fmt/core.h>

#include "base/log.h"
#include "raft/core/control_records.h"
#include "record/record.h"

namespace arus::raft {
namespace {

const LogComponent quorum_log{"raft"};

constexpr std::int16_t newest_kraft_version = 1;

}  // namespace

Quorum::Quorum(env::Environment& environment, QuorumConfig config, std::unique_ptr<MetadataLog> log)
    : environment_(environment), config_(std::move(config)), log_(std::move(log)), core_(Start{}) {
  log_->observe(this);
}

env::Task<Result<std::unique_ptr<Quorum>>> Quorum::open(env::Environment& environment,
                                                        QuorumConfig config, Replay& replay) {
  auto log = co_await MetadataLog::open(environment, config.log_directory, config.log);
  if (!log) co_return fail(std::move(log).error());
  std::unique_ptr<Quorum> quorum(new Quorum(environment, std::move(config), std::move(*log)));
  Quorum* const opened = quorum.get();
  Replay* const target = &replay;
  ARUS_CO_TRY(co_await env::run_on(quorum->log_->worker(),
                                   [opened, target] { return opened->read(*target); }));
  const auto start = quorum->decide_start();
  if (!start) co_return fail(start.error());
  quorum->core_ = Core(*start);
  co_return quorum;
}

Result<> Quorum::read(Replay& replay) {
  Offset from = log_->start();
  if (!log_->snapshots().empty()) {
    const SnapshotId& id = log_->snapshots().back();
    from = std::max(from, id.end);
    replay.on_snapshot(id);
    ARUS_TRY(log_->read_snapshot(
        id, [&](const record::BatchView& batch) { return read_batch(batch, replay); }));
    if (!footer_read_) {
      return fail(ErrorCode::corrupt_message, id.file_name() + " has no end");
    }
    ARUS_TRY(replay.on_snapshot_end(id));
    fresh_ = id.is_bootstrap();
  }
  voters_in_log_ = false;
  return log_->read_log(from,
                        [&](const record::BatchView& batch) { return read_batch(batch, replay); });
}

Result<> Quorum::read_batch(const record::BatchView& batch, Replay& replay) {
  record::RecordReader reader{batch};
  last_timestamp_ms_ = std::max(last_timestamp_ms_, batch.max_timestamp_ms());
  while (const auto record = reader.next()) {
    if (batch.is_control()) {
      ARUS_TRY(read_control(*record));
      continue;
    }
    if (!record->value) {
      return fail(ErrorCode::corrupt_message,
                  fmt::format("The metadata record at offset {} is null", record->offset.value()));
    }
    fresh_ = false;
    ARUS_TRY(replay.on_record(record->offset, batch.leader_epoch(), *record->value));
  }
  return reader.status();
}

Result<> Quorum::read_control(const record::RecordView& record) {
  const auto type = record.key ? record::parse_control_key(*record.key) : std::nullopt;
  const auto damaged = [&] {
    return fail(ErrorCode::corrupt_message,
                fmt::format("The control record at offset {} is damaged", record.offset.value()));
  };
  if (!type || !record.value) return damaged();
  if (*type == record::ControlType::leader_change) {
    const auto change = decode_leader_change(*record.value);
    if (!change) return damaged();
    last_leader_voters_ = change->voters;
  } else if (*type == record::ControlType::snapshot_footer) {
    footer_read_ = true;
  } else if (*type == record::ControlType::kraft_version) {
    const auto level = decode_kraft_version(*record.value);
    if (!level) return damaged();
    if (*level > newest_kraft_version) {
      return fail(ErrorCode::unsupported_version,
                  fmt::format("The metadata log has kraft.version {}, which is too new", *level));
    }
    kraft_version_ = *level;
  } else if (*type == record::ControlType::kraft_voters) {
    auto voters = decode_voters(*record.value);
    if (!voters) return damaged();
    recorded_voters_ = std::move(*voters);
    voters_in_log_ = true;
  }
  return {};
}

Result<Start> Quorum::decide_start() const {
  Start start{.id = config_.id,
              .directory_id = config_.directory_id,
              .kraft_version = kraft_version_,
              .persisted = log_->quorum_state(),
              .log_end = log_->end(),
              .log_epoch = log_->last_epoch()};
  if (recorded_voters_) {
    start.voters = *recorded_voters_;
    return start;
  }
  if (kraft_version_ > 0) {
    return fail(ErrorCode::inconsistent_voter_set, "The metadata log names no voters");
  }
  start.voters.voters = config_.static_voters;
  if (start.voters.voters.empty()) {
    // A directory that had static voters, opened without controller.quorum.voters.
    for (const std::int32_t id : last_leader_voters_)
      start.voters.voters.push_back(Voter{.id = id});
  }
  if (start.voters.voters.empty()) {
    return fail(ErrorCode::inconsistent_voter_set,
                "No voters are known: the directory was formatted without a quorum, and "
                "controller.quorum.voters is not set");
  }
  return start;
}

env::Task<Result<>> Quorum::elect() {
  auto decided = core_.start();
  if (!decided) co_return fail(std::move(decided).error());
  ARUS_ASSERT(decided->persist.has_value());
  std::vector<std::int32_t> ids;
  for (const Voter& voter : core_.voters().voters) ids.push_back(voter.id);
  const ElectionState state = *decided->persist;
  ARUS_CO_TRY(co_await log_->persist(state, kraft_version_ >= 1 ? 1 : 0, std::move(ids)));
  const Effects effects = core_.persisted(state);
  ARUS_ASSERT(effects.lead.has_value());
  append_leader_change(*effects.lead);
  quorum_log.info("node {} leads the metadata quorum in epoch {}", config_.id,
                  effects.lead->value());
  co_return Result<>{};
}

void Quorum::append_leader_change(LeaderEpoch epoch) {
  VoterSet voters = core_.voters();
  bool write_voters = kraft_version_ >= 1 && !voters_in_log_ && fresh_;
  if (kraft_version_ >= 1 && !config_.endpoints.empty() &&
      voters.voters.front().endpoints != config_.endpoints) {
    voters.voters.front().endpoints = config_.endpoints;
    core_.set_voters(voters);
    if (voters_in_log_) quorum_log.info("the voter's endpoint has changed and is written anew");
    write_voters = true;
  }
  const std::int64_t now_ms = environment_.clock().wall_ms();
  record::BatchBuilder builder{
      {.base_offset = log_->end(), .leader_epoch = epoch, .control = true}};
  const auto add = [&](record::ControlType type, const Bytes& value) {
    const auto key = record::build_control_key(type);
    builder.append(now_ms, key, value);
  };
  LeaderChange change{.leader_id = config_.id};
  for (const Voter& voter : voters.voters) change.voters.push_back(voter.id);
  change.granting_voters = {config_.id};
  add(record::ControlType::leader_change, encode_leader_change(change));
  if (write_voters) {
    add(record::ControlType::kraft_version, encode_kraft_version(kraft_version_));
    add(record::ControlType::kraft_voters, encode_voters(voters));
  }
  log_->append(builder.build());
  core_.appended(log_->end());
  last_timestamp_ms_ = now_ms;
}

Offset Quorum::append(const std::vector<Bytes>& values) {
  ARUS_ASSERT(core_.role() == Role::leader && !values.empty());
  const Offset base = log_->end();
  record::BatchBuilder builder{{.base_offset = base, .leader_epoch = core_.epoch()}};
  last_timestamp_ms_ = environment_.clock().wall_ms();
  for (const Bytes& value : values) builder.append(last_timestamp_ms_, std::nullopt, value);
  fresh_ = false;
  log_->append(builder.build());
  core_.appended(log_->end());
  return base;
}

SnapshotOptions Quorum::snapshot_options(LeaderEpoch epoch) const {
  SnapshotOptions options{.epoch = epoch,
                          .last_contained_log_timestamp_ms = last_timestamp_ms_,
                          .now_ms = environment_.clock().wall_ms()};
  if (kraft_version_ >= 1) options.voters = core_.voters();
  return options;
}

void Quorum::on_durable(Offset end) {
  const Effects effects = core_.flushed(end);
  if (effects.high_watermark && observer_ != nullptr) observer_->on_commit(*effects.high_watermark);
}

void Quorum::on_append_failed(Offset from, const Error& error, bool offline) {
  core_.retreat(from);
  if (observer_ != nullptr) observer_->on_append_failed(from, error, offline);
}

}  // namespace arus::raft
