#include "coordinator/transaction/local_marker_sender.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"
#include "replication/fan_out.h"
#include "replication/markers.h"

namespace arus::coordinator {
namespace {

using replication::MarkerItem;
using replication::MarkerRequest;
using replication::MarkerResult;

const LogComponent marker_log{"coordinator.markers"};

constexpr env::Duration first_pause = env::milliseconds(5);
constexpr env::Duration longest_pause = env::seconds(1);
constexpr env::Duration try_timeout = env::seconds(30);

// The order is from the past: its coordinator or its producer has moved on.
bool is_overtaken(ErrorCode code) {
  return code == ErrorCode::invalid_producer_epoch ||
         code == ErrorCode::transaction_coordinator_fenced;
}

}  // namespace

// Orders under way on one loop.
struct LocalMarkerSender::LoopPart {
  env::Gate gate;
  env::Event stopped;
  bool stopping = false;
};

// What one try has brought.
struct LocalMarkerSender::Written {
  std::vector<TopicPartition> done;
  bool overtaken = false;
};

LocalMarkerSender::LocalMarkerSender(env::Environment& environment,
                                     replication::PartitionTable& partitions,
                                     metadata::ImagePublisher& images)
    : environment_(environment), partitions_(partitions), images_(images) {
  for (std::size_t i = 0; i < environment.loop_count(); ++i) {
    loops_.push_back(std::make_unique<LoopPart>());
  }
}

LocalMarkerSender::~LocalMarkerSender() = default;

void LocalMarkerSender::connect(CoordinatorBase& groups,
                                Coordinator<TransactionMachine>& transactions) {
  groups_ = &groups;
  transactions_ = &transactions;
}

LocalMarkerSender::LoopPart& LocalMarkerSender::here() const {
  return *loops_[env::Loop::current()->index()];
}

env::Task<void> LocalMarkerSender::stop() {
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    LoopPart* const part = loops_[i].get();
    co_await env::call(environment_.loop(i), [part] [[clang::coro_wrapper]] {
      part->stopping = true;
      part->stopped.notify_all();
      return part->gate.close();
    });
  }
}

void LocalMarkerSender::send(MarkerOrder order) {
  env::spawn(here().gate, carry_out(std::move(order)));
}

env::Task<void> LocalMarkerSender::carry_out(MarkerOrder order) {
  env::Duration wait = first_pause;
  while (!order.partitions.empty()) {
    Written written = co_await try_once(order);
    if (written.overtaken) {
      marker_log.warning("{}: markers of producer {} epoch {} are refused as old ones",
                         order.transactional_id, order.producer_id.value(), order.producer_epoch);
      co_return;
    }
    const std::set<TopicPartition> done(written.done.begin(), written.done.end());
    std::erase_if(order.partitions,
                  [&done](const TopicPartition& each) { return done.contains(each); });
    if (!done.empty() && !co_await report(order, std::move(written.done))) co_return;
    if (order.partitions.empty()) co_return;
    if (!co_await pause(wait)) co_return;
    wait = std::min(wait * 2, longest_pause);
  }
}

env::Task<LocalMarkerSender::Written> LocalMarkerSender::try_once(const MarkerOrder& order) {
  Written written;
  std::vector<MarkerItem> items;
  std::vector<std::size_t> loops;
  std::vector<const TopicPartition*> places;
  std::vector<const TopicPartition*> in_offsets;
  const metadata::ImagePointer image = images_.current();
  for (const TopicPartition& partition : order.partitions) {
    const auto topic = image->topic(partition.topic);
    if (!topic || partition.partition >= std::ssize(topic->partitions)) {
      written.done.push_back(partition);
    } else if (partition.topic == groups_->topic()) {
      in_offsets.push_back(&partition);
    } else {
      items.push_back({.id = {topic->id, partition.partition},
                       .producer_id = order.producer_id,
                       .producer_epoch = order.producer_epoch,
                       .coordinator_epoch = order.coordinator_epoch,
                       .committed = order.committed,
                       .transaction_version = order.transaction_version});
      loops.push_back(partitions_.loop_index(partition.topic, partition.partition));
      places.push_back(&partition);
    }
  }
  const auto note = [&written](ErrorCode code, const TopicPartition& partition) {
    if (code == ErrorCode::none) written.done.push_back(partition);
    if (is_overtaken(code)) written.overtaken = true;
  };
  // Beside each other: the producer's next transaction waits for all of them.
  env::Gate gate;
  std::vector<ErrorCode> offset_codes(in_offsets.size(), ErrorCode::none);
  for (std::size_t i = 0; i < in_offsets.size(); ++i) {
    env::spawn(gate, end_in_offsets(&order, in_offsets[i]->partition, &offset_codes[i]));
  }
  if (!items.empty()) {
    const MarkerRequest request{.deadline = env::Loop::current()->now() + try_timeout};
    const auto results = co_await replication::fan_out<MarkerItem, MarkerRequest, MarkerResult>(
        partitions_, std::move(items), std::move(loops), request, &replication::append_markers);
    for (std::size_t i = 0; i < results.size(); ++i) note(results[i].error, *places[i]);
  }
  co_await gate.close();
  for (std::size_t i = 0; i < in_offsets.size(); ++i) note(offset_codes[i], *in_offsets[i]);
  co_return written;
}

env::Task<void> LocalMarkerSender::end_in_offsets(const MarkerOrder* order, std::int32_t partition,
                                                  ErrorCode* code) {
  const auto ended = co_await groups_->end_transaction(
      partition, order->producer_id, order->producer_epoch, order->coordinator_epoch,
      order->committed, order->transaction_version);
  if (!ended) *code = ended.error().code;
}

env::Task<bool> LocalMarkerSender::report(const MarkerOrder& order,
                                          std::vector<TopicPartition> written) {
  const MarkerReport report{order.transactional_id, order.producer_id, order.producer_epoch,
                            std::move(written)};
  env::Duration wait = first_pause;
  while (true) {
    const auto told = co_await transactions_->ask_partition<bool>(
        order.coordinator_partition,
        [report](TransactionMachine& machine, Turn& turn, Reply<bool> reply) {
          machine.markers_written(turn, report);
          turn.answer<bool>(std::move(reply), true);
        });
    if (told) co_return true;
    // Anything else loads the state machine again, here or elsewhere, and it orders anew.
    if (told.error().code != ErrorCode::coordinator_not_available) co_return false;
    if (!co_await pause(wait)) co_return false;
    wait = std::min(wait * 2, longest_pause);
  }
}

env::Task<bool> LocalMarkerSender::pause(env::Duration duration) {
  LoopPart& part = here();
  if (!part.stopping) {
    co_await part.stopped.wait_until(env::Loop::current()->refresh_now() + duration);
  }
  co_return !part.stopping;
}

}  // namespace arus::coordinator
