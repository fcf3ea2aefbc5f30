#include "client/producer_transaction.h"

#include <fmt/core.h>

#include <algorithm>

#include "client/consumer_protocol.h"
#include "protocol/api/add_offsets_to_txn.h"
#include "protocol/api/add_partitions_to_txn.h"
#include "protocol/api/end_txn.h"
#include "protocol/api/init_producer_id.h"
#include "protocol/api/txn_offset_commit.h"

namespace arus::client {
namespace {

// Versions from which on brokers count a request as one of version 2 of the protocol.
constexpr std::int16_t end_txn_of_version_2 = 5;
constexpr std::int16_t txn_offset_commit_of_version_2 = 5;
constexpr std::int16_t last_add_partitions_of_clients = 3;  // higher ones are between brokers
constexpr std::int16_t no_limit = INT16_MAX;

// What only another producer, with other rights or another id, could do.
bool is_fatal(ErrorCode code) {
  switch (code) {
    case ErrorCode::producer_fenced:
    case ErrorCode::invalid_producer_epoch:
    case ErrorCode::transactional_id_authorization_failed:
    case ErrorCode::cluster_authorization_failed:
    case ErrorCode::invalid_txn_state:
    case ErrorCode::invalid_transaction_timeout:
    case ErrorCode::unsupported_version:
    case ErrorCode::unsupported_for_message_format:
      return true;
    default:
      return false;
  }
}

constexpr auto code_of = [](const auto& answer) { return answer.error_code; };

}  // namespace

ProducerTransaction::ProducerTransaction(Cluster& cluster, std::string transactional_id,
                                         env::Duration timeout)
    : cluster_(cluster),
      transactional_id_(std::move(transactional_id)),
      timeout_(timeout),
      coordinator_(cluster, CoordinatorType::transaction, transactional_id_) {}

ProducerTransaction::Verdict ProducerTransaction::judge(ErrorCode code, const std::string& what) {
  if (code == ErrorCode::none) return Verdict::good;
  if (may_ask_again(code)) return Verdict::again;
  const bool fenced =
      code == ErrorCode::invalid_producer_epoch || code == ErrorCode::producer_fenced;
  if (is_fatal(code)) fatal_ = true;
  if (code == ErrorCode::unknown_producer_id || code == ErrorCode::invalid_producer_id_mapping) {
    raise_wanted_ = true;
  }
  if (!failure_ || fatal_) {
    failure_ = Error{fenced ? ErrorCode::producer_fenced : code,
                     fenced ? fmt::format("Another producer has taken over the transactional id {}",
                                          transactional_id_)
                            : fmt::format("{}: {}", what, error_name(code))};
  }
  return Verdict::failed;
}

Result<> ProducerTransaction::outcome() const {
  if (failure_) return fail(*failure_);
  return {};
}

env::Task<void> ProducerTransaction::learn_version(env::TimePoint deadline) {
  version2_ = false;
  auto broker = co_await coordinator_.find(deadline);
  if (!broker) co_return;
  auto connection = co_await cluster_.connect(Route::coordinator(*broker), deadline);
  if (!connection) co_return;
  const auto& features = (*connection)->versions().features;
  const auto feature = std::ranges::find(features, "transaction.version", &FeatureLevel::name);
  const bool finalized =
      feature != features.end() && feature->finalized && *feature->finalized >= 2;
  const auto version = (*connection)
                           ->negotiate(protocol::EndTxnRequest::api_key, end_txn_of_version_2,
                                       protocol::EndTxnRequest::max_version);
  version2_ = finalized && version;
}

env::Task<Result<>> ProducerTransaction::acquire(ProducerIdentity previous,
                                                 env::TimePoint deadline) {
  protocol::InitProducerIdRequest request;
  request.transactional_id = transactional_id_;
  request.transaction_timeout_ms =
      static_cast<std::int32_t>(std::chrono::duration_cast<env::milliseconds>(timeout_).count());
  request.producer_id = previous.id;
  request.producer_epoch = previous.epoch;
  auto answer = co_await coordinator_.ask(std::move(request), deadline, code_of);
  if (!answer) co_return fail(std::move(answer).error());
  const ErrorCode code = answer->error_code;
  const std::string what = fmt::format("No producer id for {}", transactional_id_);
  switch (judge(code, what)) {
    case Verdict::good:
      break;
    case Verdict::again:
      co_return fail(code, fmt::format("{}: {}", what, error_name(code)));
    case Verdict::failed:
      co_return outcome();
  }
  identity_ = {ProducerId{answer->producer_id}, answer->producer_epoch};
  raise_wanted_ = false;
  co_return Result<>{};
}

env::Task<Result<>> ProducerTransaction::initialise(env::TimePoint deadline) {
  if (fatal_) co_return outcome();
  if (phase_ != Phase::uninitialised) {
    co_return fail(ErrorCode::invalid_txn_state, "The producer has its transactional id already");
  }
  ARUS_CO_TRY(co_await acquire({}, deadline));
  co_await learn_version(deadline);
  phase_ = Phase::ready;
  co_return Result<>{};
}

Result<> ProducerTransaction::begin() {
  if (failure_) return outcome();
  if (phase_ != Phase::ready) {
    return fail(ErrorCode::invalid_txn_state, phase_ == Phase::uninitialised
                                                  ? "The transactional id was not taken over yet"
                                                  : "There is an open transaction");
  }
  phase_ = Phase::open;
  started_ = false;
  added_.clear();
  to_add_.clear();
  return {};
}

Result<> ProducerTransaction::check_open() const {
  if (failure_) return outcome();
  if (phase_ == Phase::open) return {};
  return fail(ErrorCode::invalid_txn_state, "There is no open transaction");
}

bool ProducerTransaction::admit(const TopicPartition& name) {
  if (added_.contains(name)) return true;
  if (version2_) {
    added_.insert(name);
    started_ = true;
    return true;
  }
  to_add_.insert(name);
  return false;
}

void ProducerTransaction::note_failure(const Error& error, bool numbered) {
  // The next record of that partition would leave a gap.
  raise_wanted_ = raise_wanted_ || numbered;
  if (phase_ == Phase::aborting || fatal_) return;
  if (error.code == ErrorCode::producer_fenced ||
      error.code == ErrorCode::transactional_id_authorization_failed ||
      error.code == ErrorCode::cluster_authorization_failed ||
      error.code == ErrorCode::unsupported_version) {
    fatal_ = true;
    failure_ = error;
    return;
  }
  if (!failure_) failure_ = error;
}

env::Task<void> ProducerTransaction::add_partitions() {
  const auto names = to_add_;
  protocol::AddPartitionsToTxnRequest request;
  request.v3_and_below_transactional_id = transactional_id_;
  request.v3_and_below_producer_id = identity_.id;
  request.v3_and_below_producer_epoch = identity_.epoch;
  by_topic(
      names,
      [&](const std::string& topic) { request.v3_and_below_topics.emplace_back().name = topic; },
      [&](std::int32_t index) { request.v3_and_below_topics.back().partitions.push_back(index); });
  started_ = true;
  const auto first_code = [](const protocol::AddPartitionsToTxnResponse& answer) {
    // What says why, before what merely was not tried because of it.
    ErrorCode code = ErrorCode::none;
    for (const auto& topic : answer.results_by_topic_v3_and_below) {
      for (const auto& partition : topic.results_by_partition) {
        const ErrorCode one = partition.partition_error_code;
        if (one == ErrorCode::none) continue;
        if (code == ErrorCode::none || code == ErrorCode::operation_not_attempted) code = one;
      }
    }
    return code;
  };
  auto answer = co_await coordinator_.ask(std::move(request), cluster_.call_deadline(), first_code,
                                          last_add_partitions_of_clients);
  const ErrorCode code = answer ? first_code(*answer) : answer.error().code;
  switch (judge(code, "Adding partitions to the transaction")) {
    case Verdict::good:
      for (const auto& name : names) {
        added_.insert(name);
        to_add_.erase(name);
      }
      break;
    case Verdict::again:  // the sender calls again
    case Verdict::failed:
      break;
  }
}

env::Task<Result<>> ProducerTransaction::add_offsets(const std::string& group,
                                                     env::TimePoint deadline) {
  protocol::AddOffsetsToTxnRequest request;
  request.transactional_id = transactional_id_;
  request.producer_id = identity_.id;
  request.producer_epoch = identity_.epoch;
  request.group_id = group;
  started_ = true;
  auto answer = co_await coordinator_.ask(std::move(request), deadline, code_of);
  if (!answer) co_return fail(std::move(answer).error());
  switch (judge(answer->error_code, "Adding the offsets of a group to the transaction")) {
    case Verdict::good:
      co_return Result<>{};
    case Verdict::again:
      co_return fail(answer->error_code, std::string(error_name(answer->error_code)));
    case Verdict::failed:
      co_return outcome();
  }
  co_return Result<>{};
}

env::Task<Result<>> ProducerTransaction::commit_offsets(
    std::map<TopicPartition, CommittedOffset> offsets, GroupMetadata group,
    env::TimePoint deadline) {
  protocol::TxnOffsetCommitRequest request;
  request.transactional_id = transactional_id_;
  request.group_id = group.group_id;
  request.producer_id = identity_.id;
  request.producer_epoch = identity_.epoch;
  request.generation_id = group.generation;
  request.member_id = group.member_id;
  request.group_instance_id = group.instance_id;
  for (const auto& [name, offset] : offsets) {
    if (request.topics.empty() || request.topics.back().name != name.topic) {
      request.topics.emplace_back().name = name.topic;
    }
    auto& partition = request.topics.back().partitions.emplace_back();
    partition.partition_index = name.partition;
    partition.committed_offset = offset.offset.value();
    partition.committed_leader_epoch = offset.leader_epoch.value();
    partition.committed_metadata = offset.metadata;
  }
  if (version2_) started_ = true;
  const auto first_code = [](const protocol::TxnOffsetCommitResponse& answer) {
    for (const auto& topic : answer.topics) {
      for (const auto& partition : topic.partitions) {
        if (partition.error_code != ErrorCode::none) return partition.error_code;
      }
    }
    return ErrorCode::none;
  };
  if (!group_coordinator_ || group_ != group.group_id) {
    group_ = group.group_id;
    group_coordinator_.emplace(cluster_, CoordinatorType::group, group_);
  }
  auto answer =
      co_await group_coordinator_->ask(std::move(request), deadline, first_code,
                                       highest(no_limit, txn_offset_commit_of_version_2 - 1));
  if (!answer) co_return fail(std::move(answer).error());
  const ErrorCode code = first_code(*answer);
  switch (judge(code, fmt::format("Committing the offsets of {}", group.group_id))) {
    case Verdict::good:
      co_return Result<>{};
    case Verdict::again:
      co_return fail(code, std::string(error_name(code)));
    case Verdict::failed:
      co_return outcome();
  }
  co_return Result<>{};
}

env::Task<Result<>> ProducerTransaction::send_offsets(
    std::map<TopicPartition, CommittedOffset> offsets, GroupMetadata group,
    env::TimePoint deadline) {
  ARUS_CO_TRY(check_open());
  if (offsets.empty()) co_return Result<>{};
  if (!version2_) ARUS_CO_TRY(co_await add_offsets(group.group_id, deadline));
  co_return co_await commit_offsets(std::move(offsets), std::move(group), deadline);
}

Result<> ProducerTransaction::begin_end(bool commit) {
  const Phase wanted = commit ? Phase::committing : Phase::aborting;
  if (fatal_ || (commit && failure_)) return outcome();
  if (phase_ == wanted) return {};
  if (phase_ != Phase::open) {
    return fail(ErrorCode::invalid_txn_state,
                phase_ == Phase::ready || phase_ == Phase::uninitialised
                    ? "There is no open transaction"
                    : "The transaction is being ended otherwise");
  }
  phase_ = wanted;
  return {};
}

env::Task<Result<>> ProducerTransaction::end(env::TimePoint deadline) {
  const bool commit = phase_ == Phase::committing;
  const ProducerIdentity before = identity_;
  if (started_) {
    protocol::EndTxnRequest request;
    request.transactional_id = transactional_id_;
    request.producer_id = identity_.id;
    request.producer_epoch = identity_.epoch;
    request.committed = commit;
    if (!commit) failure_.reset();
    auto answer = co_await coordinator_.ask(std::move(request), deadline, code_of,
                                            highest(no_limit, end_txn_of_version_2 - 1));
    if (!answer) co_return fail(std::move(answer).error());
    const ErrorCode code = answer->error_code;
    switch (judge(code, commit ? "Committing the transaction" : "Aborting the transaction")) {
      case Verdict::good:
        break;
      case Verdict::again:
        co_return fail(code, std::string(error_name(code)));
      case Verdict::failed:
        // What cannot be committed may still be aborted.
        if (commit && !fatal_) phase_ = Phase::open;
        co_return outcome();
    }
    if (answer->producer_id != no_producer) {
      identity_ = {ProducerId{answer->producer_id}, answer->producer_epoch};
    }
    started_ = false;
  }
  if (raise_wanted_ && identity_ == before) ARUS_CO_TRY(co_await acquire(identity_, deadline));
  raise_wanted_ = false;
  failure_.reset();
  added_.clear();
  to_add_.clear();
  co_await learn_version(deadline);
  phase_ = Phase::ready;
  co_return Result<>{};
}

void ProducerTransaction::abandon() {
  coordinator_.abandon();
  if (group_coordinator_) group_coordinator_->abandon();
}

}  // namespace arus::client
