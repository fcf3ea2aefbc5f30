#include <fmt/core.h>

#include <algorithm>

#include "client/consumer_protocol.h"
#include "client/coordinator_calls.h"
#include "client/group_admin.h"
#include "client/leader_calls.h"
#include "protocol/api/describe_producers.h"
#include "protocol/api/describe_transactions.h"
#include "protocol/api/init_producer_id.h"
#include "protocol/api/list_transactions.h"
#include "protocol/api/write_txn_markers.h"

namespace arus::client {
namespace {

using ActiveProducers = std::vector<ActiveProducer>;

protocol::DescribeProducersRequest producers_request(const std::vector<TopicPartition>& names) {
  protocol::DescribeProducersRequest request;
  by_topic(
      names, [&](const std::string& topic) { request.topics.emplace_back().name = topic; },
      [&](std::int32_t index) { request.topics.back().partition_indexes.push_back(index); });
  return request;
}

void take_producers(const protocol::DescribeProducersResponse& answer, auto& outcomes) {
  for (const auto& topic : answer.topics) {
    for (const auto& partition : topic.partitions) {
      const TopicPartition name{topic.name, partition.partition_index};
      const auto found = outcomes.find(name);
      if (found == outcomes.end()) continue;
      if (partition.error_code != ErrorCode::none) {
        found->second = fail(partition.error_code,
                             partition.error_message.value_or(fmt::format(
                                 "{}: {}", name.to_string(), error_name(partition.error_code))));
        continue;
      }
      ActiveProducers producers;
      for (const auto& one : partition.active_producers) {
        auto& producer = producers.emplace_back();
        producer.producer_id = one.producer_id;
        producer.epoch = one.producer_epoch;
        producer.last_sequence = one.last_sequence;
        producer.last_timestamp_ms = one.last_timestamp;
        producer.coordinator_epoch = one.coordinator_epoch;
        if (one.current_txn_start_offset >= 0) {
          producer.transaction_start = Offset{one.current_txn_start_offset};
        }
      }
      std::ranges::sort(producers, {}, &ActiveProducer::producer_id);
      found->second = std::move(producers);
    }
  }
}

TransactionDescription describe(
    const protocol::DescribeTransactionsResponse::TransactionState& from, BrokerId coordinator) {
  TransactionDescription description;
  description.transactional_id = from.transactional_id;
  description.coordinator = coordinator;
  description.state = from.transaction_state;
  description.producer_id = from.producer_id;
  description.producer_epoch = from.producer_epoch;
  description.timeout_ms = from.transaction_timeout_ms;
  if (from.transaction_start_time_ms >= 0) {
    description.start_time_ms = from.transaction_start_time_ms;
  }
  for (const auto& topic : from.topics) {
    for (const std::int32_t index : topic.partitions) {
      description.partitions.push_back({topic.topic, index});
    }
  }
  std::ranges::sort(description.partitions);
  return description;
}

}  // namespace

env::Task<Result<std::vector<ListedTransaction>>> GroupAdmin::list_transactions(
    TransactionFilter filter, env::TimePoint deadline) {
  ARUS_CO_TRY(co_await cluster_.refresh(deadline));
  protocol::ListTransactionsRequest request;
  request.state_filters = std::move(filter.states);
  request.producer_id_filters = std::move(filter.producer_ids);
  request.duration_filter = filter.duration_ms;
  request.transactional_id_pattern = std::move(filter.transactional_id_pattern);
  std::vector<ListedTransaction> listed;
  const auto brokers = cluster_.brokers();
  for (const auto& [id, broker] : brokers) {
    for (int attempt = 0;; ++attempt) {
      auto answer = co_await cluster_.ask_once(request, Route::one(id),
                                               cluster_.options().request_timeout, deadline);
      const ErrorCode code = answer ? answer->error_code : answer.error().code;
      if (may_ask_again(code) && cluster_.now() < deadline) {
        co_await cluster_.back_off(attempt, deadline);
        continue;
      }
      if (!answer) co_return fail(std::move(answer).error());
      if (code != ErrorCode::none) {
        co_return fail(code, fmt::format("Broker {} does not list its transactions: {}", id.value(),
                                         error_name(code)));
      }
      for (const auto& one : answer->transaction_states) {
        listed.push_back({one.transactional_id, one.producer_id, one.transaction_state, id});
      }
      break;
    }
  }
  std::ranges::sort(listed, {}, &ListedTransaction::transactional_id);
  co_return listed;
}

env::Task<Result<GroupAdmin::Outcomes<std::string, TransactionDescription>>>
GroupAdmin::describe_transactions(std::set<std::string> ids, env::TimePoint deadline) {
  const auto make = [](const std::vector<std::string>& keys) {
    protocol::DescribeTransactionsRequest request;
    request.transactional_ids = keys;
    return request;
  };
  const auto take = [](const protocol::DescribeTransactionsResponse& answer, BrokerId coordinator,
                       auto& outcomes) {
    for (const auto& one : answer.transaction_states) {
      const auto found = outcomes.find(one.transactional_id);
      if (found == outcomes.end()) continue;
      if (one.error_code == ErrorCode::none) {
        found->second = describe(one, coordinator);
      } else {
        found->second =
            fail(one.error_code, fmt::format("The transactional id {}: {}", one.transactional_id,
                                             error_name(one.error_code)));
      }
    }
  };
  co_return co_await ask_coordinators<TransactionDescription>(
      cluster_, CoordinatorType::transaction, std::move(ids), true, deadline, make, take);
}

env::Task<Result<GroupAdmin::Outcomes<TopicPartition, ActiveProducers>>>
GroupAdmin::describe_producers(std::set<TopicPartition> partitions, std::optional<BrokerId> broker,
                               env::TimePoint deadline) {
  if (!broker) {
    co_return co_await ask_leaders<ActiveProducers>(
        cluster_, std::move(partitions), deadline, producers_request,
        [](const auto& answer, auto& outcomes) { take_producers(answer, outcomes); });
  }
  auto answer =
      co_await cluster_.ask(producers_request(std::vector(partitions.begin(), partitions.end())),
                            Route::one(*broker), deadline);
  if (!answer) co_return fail(std::move(answer).error());
  Outcomes<TopicPartition, ActiveProducers> outcomes;
  for (const auto& name : partitions) {
    outcomes.emplace(name, fail(ErrorCode::corrupt_message,
                                fmt::format("The answer does not mention {}", name.to_string())));
  }
  take_producers(*answer, outcomes);
  co_return outcomes;
}

env::Task<Result<>> GroupAdmin::abort_transaction(HangingTransaction transaction,
                                                  env::TimePoint deadline) {
  const auto make = [&](const std::vector<TopicPartition>& names) {
    protocol::WriteTxnMarkersRequest request;
    auto& marker = request.markers.emplace_back();
    marker.producer_id = transaction.producer_id;
    marker.producer_epoch = transaction.producer_epoch;
    marker.coordinator_epoch = transaction.coordinator_epoch;
    marker.transaction_result = false;
    for (const auto& name : names) {
      auto& topic = marker.topics.emplace_back();
      topic.name = name.topic;
      topic.partition_indexes.push_back(name.partition);
    }
    return request;
  };
  const auto take = [](const protocol::WriteTxnMarkersResponse& answer, auto& outcomes) {
    for (const auto& marker : answer.markers) {
      for (const auto& topic : marker.topics) {
        for (const auto& partition : topic.partitions) {
          const TopicPartition name{topic.name, partition.partition_index};
          const auto found = outcomes.find(name);
          if (found == outcomes.end()) continue;
          if (partition.error_code == ErrorCode::none) {
            found->second = Result<>{};
          } else {
            found->second =
                fail(partition.error_code,
                     fmt::format("{}: {}", name.to_string(), error_name(partition.error_code)));
          }
        }
      }
    }
  };
  auto outcomes =
      co_await ask_leaders<void>(cluster_, {transaction.partition}, deadline, make, take);
  if (!outcomes) co_return fail(std::move(outcomes).error());
  co_return outcomes->at(transaction.partition);
}

env::Task<Result<>> GroupAdmin::fence_producer(std::string transactional_id,
                                               env::TimePoint deadline) {
  protocol::InitProducerIdRequest request;
  request.transactional_id = transactional_id;
  // The coordinator demands a timeout; nothing will run under it.
  request.transaction_timeout_ms = 1;
  Coordinator coordinator{cluster_, CoordinatorType::transaction, transactional_id};
  auto answer = co_await coordinator.ask(std::move(request), deadline,
                                         [](const auto& answered) { return answered.error_code; });
  if (!answer) co_return fail(std::move(answer).error());
  if (answer->error_code != ErrorCode::none) {
    co_return fail(answer->error_code, fmt::format("The transactional id {}: {}", transactional_id,
                                                   error_name(answer->error_code)));
  }
  co_return Result<>{};
}

}  // namespace arus::client
