// TxnOffsetCommit: offsets that count once the transaction of their producer is committed.
#include "protocol/api/txn_offset_commit.h"

#include "broker/handlers/handlers.h"
#include "broker/handlers/offset_partitions.h"
#include "coordinator/group/group_machine.h"
#include "coordinator/runtime/coordinator.h"
#include "coordinator/transaction/transaction_partitions.h"

namespace arus::broker {
namespace {

using protocol::TxnOffsetCommitRequest;
using protocol::TxnOffsetCommitResponse;
using security::AclOperation;
using security::ResourceType;

// Clients before it take COORDINATOR_LOAD_IN_PROGRESS for a bug (KAFKA-7296).
constexpr std::int16_t loading_is_known_from_version = 2;
// KIP-890: the error that ends a transaction without ending the producer, and the broker adding the
// partition of the group by itself.
constexpr std::int16_t abortable_is_known_from_version = 4;
constexpr std::int16_t joins_from_version = 5;
constexpr std::int16_t growing_epochs = 2;

void name_topic(TxnOffsetCommitResponse::TxnOffsetCommitResponseTopic& answer,
                const TxnOffsetCommitRequest::TxnOffsetCommitRequestTopic& topic) {
  answer.name = topic.name;
}

void check_txn_offset_commit(TxnOffsetCommitRequest& request, const net::Context& context,
                             net::Refusals<TxnOffsetCommitResponse>& refusals) {
  const net::Authorization& may = context.authorization();
  const auto refuse = [&](ErrorCode code) {
    refusals.whole(refuse_partitions<TxnOffsetCommitResponse>(request, code, name_topic));
  };
  if (!may.allows(AclOperation::write, ResourceType::transactional_id, request.transactional_id)) {
    refuse(ErrorCode::transactional_id_authorization_failed);
  } else if (!may.allows(AclOperation::read, ResourceType::group, request.group_id)) {
    refuse(ErrorCode::group_authorization_failed);
  }
}

// Whether the partition of the group is in the producer's transaction; clients of version 2 of
// transactions leave it to the broker to put it there.
env::Task<ErrorCode> join_transaction(const Context& context, const TxnOffsetCommitRequest& request,
                                      std::int32_t partition) {
  const std::int16_t version = context.version();
  const bool joins = version >= joins_from_version;
  coordinator::TransactionPartitions joining{
      .transactional_id = request.transactional_id,
      .producer_id = request.producer_id,
      .producer_epoch = request.producer_epoch,
      .verify_only = !joins,
      .client_version = joins ? growing_epochs : std::int16_t{0},
      .partitions = {{context.groups().topic(), partition}}};
  const auto codes = co_await coordinator::join_transaction(
      context.transactions(), std::move(joining), version >= abortable_is_known_from_version,
      env::milliseconds(context.config()->integer("add.partitions.to.txn.retry.backoff.max.ms")));
  co_return codes.empty() ? ErrorCode::unknown_server_error : codes.front();
}

env::Task<ErrorCode> commit(const Context& context, TxnOffsetCommitRequest request,
                            const std::vector<OffsetPlace>& places,
                            TxnOffsetCommitResponse& response) {
  if (request.group_id.empty()) co_return ErrorCode::invalid_group_id;
  const auto partition = context.groups().partition_of(request.group_id);
  if (!partition) co_return partition.error().code;
  coordinator::GroupCaller caller = group_caller(context);
  if (context.version() >= joins_from_version ||
      context.config()->flag("transaction.partition.verification.enable")) {
    const auto guard = co_await context.groups().guard_transaction(*partition, request.producer_id,
                                                                   request.producer_epoch);
    if (!guard) co_return guard.error().code;
    caller.transaction_guard = *guard;
    if (*guard != replication::TransactionGuards::no_guard) {
      const ErrorCode joined = co_await join_transaction(context, request, *partition);
      if (joined != ErrorCode::none) co_return joined;
    }
  }
  const auto given = co_await context.groups().ask_partition<TxnOffsetCommitResponse>(
      *partition, [caller = std::move(caller), request = std::move(request)](
                      coordinator::GroupMachine& machine, coordinator::Turn& turn,
                      coordinator::Reply<TxnOffsetCommitResponse> reply) mutable {
        machine.commit_transactional_offsets(turn, caller, std::move(request), std::move(reply));
      });
  if (!given) co_return given.error().code;
  put_codes(response, places, *given);
  co_return ErrorCode::none;
}

env::Task<TxnOffsetCommitResponse> handle(TxnOffsetCommitRequest request, Context& context) {
  TxnOffsetCommitResponse response;
  const auto places = keep_existing(
      response, request.topics,
      [&](const TxnOffsetCommitRequest::TxnOffsetCommitRequestTopic& topic) {
        return find_topic(context, topic.name, AclOperation::read);
      },
      name_topic, [](auto&, const metadata::TopicImage&) {});
  if (places.empty()) co_return response;
  const ErrorCode code = co_await commit(context, std::move(request), places, response);
  if (code != ErrorCode::none) put_codes(response, places, code);
  if (context.version() >= loading_is_known_from_version) co_return response;
  for (const OffsetPlace& place : places) {
    ErrorCode& told = response.topics[place.topic].partitions[place.partition].error_code;
    if (told == ErrorCode::coordinator_load_in_progress) {
      told = ErrorCode::coordinator_not_available;
    }
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> txn_offset_commit_handler() {
  return net::make_handler<TxnOffsetCommitRequest, Context>(
      handle, net::Checks<TxnOffsetCommitRequest>(check_txn_offset_commit));
}

}  // namespace arus::broker
