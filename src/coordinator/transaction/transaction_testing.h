// A transaction machine with everything around it that a test needs.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/runtime/machine_testing.h"
#include "coordinator/transaction/transaction_machine.h"
#include "protocol/features.h"

namespace arus::coordinator {

// Keeps the orders; the test says when their markers are written.
class OrderBook final : public MarkerSender {
 public:
  void send(MarkerOrder order) override { orders.push_back(std::move(order)); }
  std::deque<MarkerOrder> orders;
};

inline metadata::ImagePointer image_with(std::int16_t transaction_version) {
  auto image = std::make_shared<metadata::MetadataImage>();
  image->features.emplace(std::string(protocol::transaction_version_feature), transaction_version);
  return image;
}

// One machine at work; restart() makes the next one out of the first records of its log.
class TransactionBench {
 public:
  explicit TransactionBench(std::int16_t transaction_version = 2)
      : image_(image_with(transaction_version)) {
    begin();
  }

  [[nodiscard]] TransactionMachine& machine() { return *machine_; }
  [[nodiscard]] MachineBench& bench() { return *bench_; }
  [[nodiscard]] OrderBook& book() { return book_; }
  [[nodiscard]] const Transaction& at(std::string_view id) { return *machine_->find(id); }
  std::int64_t next_id = 1000;
  bool ids_left = true;

  // A machine made of what was there at the last restart and the first `count` records since;
  // orders that nobody carries out are forgotten, and who waits is told NOT_COORDINATOR.
  void restart(std::size_t count) {
    const auto& since = bench_->log();
    for (std::size_t i = 0; i < count; ++i) history_.push_back(since[i].record);
    const env::TimePoint now = bench_->now();
    bench_.reset();
    machine_.reset();
    book_.orders.clear();
    machine_ = make();
    for (const Record& record : history_) {
      const auto replayed = machine_->replay(
          {.key = record.key,
           .value = record.value ? std::optional<ByteView>(*record.value) : std::nullopt});
      ARUS_ASSERT(replayed);
    }
    bench_ = std::make_unique<MachineBench>(*machine_, now);
    bench_->turn([&](Turn& turn) { machine_->loaded(turn, image_); });
  }
  [[nodiscard]] std::unique_ptr<TransactionMachine> make() {
    return std::make_unique<TransactionMachine>(
        settings_, 0, book_,
        [this]() -> std::optional<ProducerId> {
          if (!ids_left) return std::nullopt;
          return ProducerId{next_id++};
        },
        env::TimePoint{});
  }

  Answer<protocol::InitProducerIdResponse> init(const std::string& id,
                                                ProducerId producer = no_producer,
                                                std::int16_t epoch = -1,
                                                std::int32_t timeout_ms = 60'000) {
    protocol::InitProducerIdRequest request;
    request.transactional_id = id;
    request.transaction_timeout_ms = timeout_ms;
    request.producer_id = producer;
    request.producer_epoch = epoch;
    Answer<protocol::InitProducerIdResponse> answer;
    bench_->turn([&](Turn& turn) { machine_->init_producer_id(turn, request, answer.reply()); });
    return answer;
  }
  Answer<std::vector<ErrorCode>> add(const std::string& id, ProducerId producer, std::int16_t epoch,
                                     std::vector<TopicPartition> partitions,
                                     bool verify_only = false, std::int16_t client_version = 2) {
    Answer<std::vector<ErrorCode>> answer;
    bench_->turn([&](Turn& turn) {
      machine_->add_partitions(
          turn, {id, producer, epoch, verify_only, client_version, std::move(partitions), {}},
          answer.reply());
    });
    return answer;
  }
  Answer<protocol::EndTxnResponse> end(const std::string& id, ProducerId producer,
                                       std::int16_t epoch, bool commit,
                                       std::int16_t client_version = 2) {
    protocol::EndTxnRequest request;
    request.transactional_id = id;
    request.producer_id = producer;
    request.producer_epoch = epoch;
    request.committed = commit;
    Answer<protocol::EndTxnResponse> answer;
    bench_->turn([&](Turn& turn) {
      machine_->end_transaction(turn, request, client_version, answer.reply());
    });
    return answer;
  }
  void report(const MarkerOrder& order) {
    bench_->turn([&](Turn& turn) {
      machine_->markers_written(turn, {order.transactional_id, order.producer_id,
                                       order.producer_epoch, order.partitions});
    });
  }
  // Carries out every order that is there.
  void write_markers() {
    while (!book_.orders.empty()) {
      const MarkerOrder order = std::move(book_.orders.front());
      book_.orders.pop_front();
      report(order);
    }
  }
  protocol::DescribeTransactionsResponse::TransactionState describe(const std::string& id) {
    Answer<protocol::DescribeTransactionsResponse::TransactionState> answer;
    bench_->turn([&](Turn& turn) { machine_->describe(turn, id, answer.reply()); });
    return answer.value();
  }

 private:
  void begin() {
    machine_ = make();
    bench_ = std::make_unique<MachineBench>(*machine_);
    bench_->turn([&](Turn& turn) { machine_->loaded(turn, image_); });
  }

  TransactionSettings settings_;
  metadata::ImagePointer image_;
  OrderBook book_;
  std::vector<Record> history_;
  std::unique_ptr<TransactionMachine> machine_;
  std::unique_ptr<MachineBench> bench_;
};

}  // namespace arus::coordinator
