// AddPartitionsToTxn: from clients up to version 3, from other brokers, for several transactions,
// from version 4 on.
#include "protocol/api/add_partitions_to_txn.h"

#include <map>
#include <utility>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/topic_names.h"
#include "broker/handlers/transaction_answers.h"
#include "coordinator/runtime/coordinator.h"
#include "coordinator/transaction/transaction_machine.h"

namespace arus::broker {
namespace {

using protocol::AddPartitionsToTxnRequest;
using protocol::AddPartitionsToTxnResponse;
using Transaction = AddPartitionsToTxnRequest::AddPartitionsToTxnTransaction;
using Result = AddPartitionsToTxnResponse::AddPartitionsToTxnResult;
using coordinator::Reply;
using coordinator::TransactionMachine;
using coordinator::Turn;
using security::AclOperation;
using security::ResourceType;
using Codes = std::vector<ErrorCode>;

constexpr std::int16_t partitions_fenced_from_version = 2;
constexpr std::int16_t brokers_from_version = 4;

// Every partition once, in the order of the request.
std::vector<TopicPartition> partitions_of(const Transaction& transaction) {
  std::vector<TopicPartition> all;
  for (const auto& topic : transaction.topics) {
    for (const std::int32_t partition : topic.partitions) all.push_back({topic.name, partition});
  }
  return all;
}

Result answer_of(const Transaction& transaction, const Codes& codes) {
  Result result;
  result.transactional_id = transaction.transactional_id;
  std::size_t next = 0;
  for (const auto& topic : transaction.topics) {
    auto& answered = result.topic_results.emplace_back();
    answered.name = topic.name;
    for (const std::int32_t partition : topic.partitions) {
      auto& entry = answered.results_by_partition.emplace_back();
      entry.partition_index = partition;
      entry.partition_error_code = codes[next++];
    }
  }
  return result;
}

// Why a partition must not be added, or `none`. Brokers have asked the client's rights already.
ErrorCode refusal(const Context& context, const metadata::MetadataImage& image,
                  const TopicPartition& partition) {
  if (context.version() < brokers_from_version && !is_internal_topic(partition.topic) &&
      !context.authorization().allows_topic(AclOperation::write, partition.topic)) {
    return ErrorCode::topic_authorization_failed;
  }
  const auto topic = image.topic(partition.topic);
  const bool there =
      topic && partition.partition >= 0 && partition.partition < std::ssize(topic->partitions);
  return there ? ErrorCode::none : ErrorCode::unknown_topic_or_partition;
}

env::Task<Result> add(const Context& context, Transaction transaction) {
  std::vector<TopicPartition> partitions = partitions_of(transaction);
  Codes codes(partitions.size(), ErrorCode::none);
  const bool of_client = context.version() < brokers_from_version;
  if (of_client &&
      !context.authorization().allows(AclOperation::write, ResourceType::transactional_id,
                                      transaction.transactional_id)) {
    std::ranges::fill(codes, ErrorCode::transactional_id_authorization_failed);
    co_return answer_of(transaction, codes);
  }
  const auto image = context.image();
  bool refused = false;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    codes[i] = refusal(context, *image, partitions[i]);
    refused = refused || codes[i] != ErrorCode::none;
  }
  if (refused) {
    // One that cannot be added is the end of it for all.
    std::ranges::replace(codes, ErrorCode::none, ErrorCode::operation_not_attempted);
    co_return answer_of(transaction, codes);
  }
  coordinator::TransactionPartitions added{
      .transactional_id = transaction.transactional_id,
      .producer_id = transaction.producer_id,
      .producer_epoch = transaction.producer_epoch,
      .verify_only = transaction.verify_only,
      .client_version = of_client ? std::int16_t{0} : coordinator::epoch_bump_version,
      .partitions = std::move(partitions)};
  auto answer = co_await context.transactions().ask<Codes>(
      transaction.transactional_id,
      [added = std::move(added)](TransactionMachine& machine, Turn& turn,
                                 Reply<Codes> reply) mutable {
        machine.add_partitions(turn, std::move(added), std::move(reply));
      });
  if (answer) {
    codes = std::move(*answer);
  } else {
    std::ranges::fill(codes, answer.error().code);
  }
  for (ErrorCode& code : codes) {
    code = fenced_code(code, context.version(), partitions_fenced_from_version);
  }
  co_return answer_of(transaction, codes);
}

env::Task<AddPartitionsToTxnResponse> handle(AddPartitionsToTxnRequest request, Context& context) {
  AddPartitionsToTxnResponse response;
  if (context.version() < brokers_from_version) {
    Transaction transaction;
    transaction.transactional_id = std::move(request.v3_and_below_transactional_id);
    transaction.producer_id = request.v3_and_below_producer_id;
    transaction.producer_epoch = request.v3_and_below_producer_epoch;
    transaction.topics = std::move(request.v3_and_below_topics);
    Result result = co_await add(context, std::move(transaction));
    response.results_by_topic_v3_and_below = std::move(result.topic_results);
    co_return response;
  }
  if (!context.authorization().allows_cluster(AclOperation::cluster_action)) {
    response.error_code = ErrorCode::cluster_authorization_failed;
    co_return response;
  }
  for (auto& transaction : request.transactions) {
    response.results_by_transaction.push_back(co_await add(context, std::move(transaction)));
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> add_partitions_to_txn_handler() {
  return net::make_handler<AddPartitionsToTxnRequest, Context>(
      handle, net::checked_in_handler<AddPartitionsToTxnRequest>(
                  "clients and brokers need different rights, and one refusal stops the others"));
}

}  // namespace arus::broker
