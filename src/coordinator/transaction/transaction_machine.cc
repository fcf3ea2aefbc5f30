#include "coordinator/transaction/transaction_machine.h"

#include <fmt/core.h>
#include <re2/re2.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "coordinator/transaction/transaction_records.h"
#include "protocol/features.h"

namespace arus::coordinator {
namespace {

using protocol::DescribeTransactionsResponse;
using protocol::EndTxnRequest;
using protocol::EndTxnResponse;
using protocol::InitProducerIdRequest;
using protocol::InitProducerIdResponse;
using protocol::ListTransactionsResponse;

const LogComponent transaction_machine_log{"coordinator.transactions"};

// Of one look for unused ids, so that a turn stays short.
constexpr std::size_t max_expired_in_a_turn = 500;
constexpr std::size_t max_looked_at_in_a_turn = 20'000;
// Requests of one transactional id that wait for its transaction before; a client sends few at a
// time.
constexpr std::size_t max_parked = 16;
// Of a two-phase commit that somebody else decides, in a directory that Kafka has used.
constexpr std::int32_t no_timeout_ms = 2'147'483'647;

InitProducerIdResponse init_answer(ErrorCode code, ProducerId id, std::int16_t epoch) {
  InitProducerIdResponse response;
  response.error_code = code;
  response.producer_id = id;
  response.producer_epoch = epoch;
  return response;
}

EndTxnResponse end_answer(ErrorCode code, ProducerId id = no_producer,
                          std::int16_t epoch = no_producer_epoch) {
  EndTxnResponse response;
  response.error_code = code;
  response.producer_id = id;
  response.producer_epoch = epoch;
  return response;
}

bool may_expire(const Transaction& transaction) {
  return transaction.state == TransactionState::empty ||
         transaction.state == TransactionState::complete_commit ||
         transaction.state == TransactionState::complete_abort;
}

bool contains(const std::vector<ProducerId>& ids, ProducerId id) {
  return std::ranges::find(ids, id) != ids.end();
}

}  // namespace

Result<std::shared_ptr<const re2::RE2>> make_transaction_pattern(std::string_view text) {
  auto pattern =
      std::make_shared<re2::RE2>(re2::StringPiece(text.data(), text.size()), re2::RE2::Quiet);
  if (!pattern->ok()) {
    return fail(ErrorCode::invalid_regular_expression,
                fmt::format("The pattern of transactional ids is not valid: {}", pattern->error()));
  }
  return pattern;
}

// A look at all transactions that comes again and again.
class TransactionMachine::Check final : public Timer {
 public:
  using Look = void (TransactionMachine::*)(Turn&);
  Check(TransactionMachine& machine, Look look) : machine_(machine), look_(look) {}
  void fire(Turn& turn) override { (machine_.*look_)(turn); }
  void arm(const Turn& turn, std::int64_t in_ms) {
    machine_.timers_.arm(*this, turn.now() + env::milliseconds(in_ms));
  }

 private:
  TransactionMachine& machine_;
  Look look_;
};

// Partitions that wait until the transaction before is complete.
class TransactionMachine::Parked final : public Timer {
 public:
  Parked(TransactionMachine& machine, TransactionPartitions request,
         Reply<std::vector<ErrorCode>> reply)
      : request(std::move(request)), reply(std::move(reply)), machine_(machine) {}
  void fire(Turn& turn) override { machine_.give_up(turn, *this); }

  TransactionPartitions request;
  Reply<std::vector<ErrorCode>> reply;

 private:
  TransactionMachine& machine_;
};

TransactionMachine::TransactionMachine(const TransactionSettings& settings, std::int32_t partition,
                                       MarkerSender& markers, NextProducerId next_producer_id,
                                       env::TimePoint now)
    : timers_(now),
      settings_(settings),
      partition_(partition),
      markers_(markers),
      next_producer_id_(std::move(next_producer_id)),
      abort_check_(std::make_unique<Check>(*this, &TransactionMachine::abort_timed_out)),
      expiry_check_(std::make_unique<Check>(*this, &TransactionMachine::expire_unused)) {}

TransactionMachine::~TransactionMachine() = default;

const Transaction* TransactionMachine::find(std::string_view transactional_id) const {
  const auto found = transactions_.find(transactional_id);
  return found == transactions_.end() ? nullptr : &found->second;
}

// InitProducerId

void TransactionMachine::init_producer_id(Turn& turn, InitProducerIdRequest request,
                                          Reply<InitProducerIdResponse> reply) {
  const std::string id = request.transactional_id.value_or("");
  const auto refuse = [&](ErrorCode code) {
    turn.answer<InitProducerIdResponse>(std::move(reply),
                                        init_answer(code, no_producer, no_producer_epoch));
  };
  if (request.transaction_timeout_ms <= 0 ||
      request.transaction_timeout_ms > settings_.max_timeout_ms) {
    refuse(ErrorCode::invalid_transaction_timeout);
    return;
  }
  const auto next = transitions(turn).init(request, find(id));
  if (!next) {
    refuse(next.error().code);
    return;
  }
  store(turn, id, *next);
  if (next->is_preparing()) {
    // The epoch that fences the producer is nobody's: whoever asks again gets the one after.
    order_markers(turn, id);
    refuse(ErrorCode::concurrent_transactions);
    return;
  }
  turn.answer<InitProducerIdResponse>(
      std::move(reply), init_answer(ErrorCode::none, next->producer_id, next->producer_epoch));
}

// AddPartitionsToTxn

void TransactionMachine::add_partitions(Turn& turn, TransactionPartitions request,
                                        Reply<std::vector<ErrorCode>> reply) {
  std::vector<ErrorCode> codes(request.partitions.size(), ErrorCode::none);
  const auto answer_all = [&](ErrorCode code) {
    std::ranges::fill(codes, code);
    turn.answer<std::vector<ErrorCode>>(std::move(reply), std::move(codes));
  };
  if (request.transactional_id.empty()) return answer_all(ErrorCode::invalid_request);
  const Transaction* const current = find(request.transactional_id);
  if (current == nullptr || current->producer_id != request.producer_id) {
    return answer_all(ErrorCode::invalid_producer_id_mapping);
  }
  if (current->producer_epoch != request.producer_epoch) {
    return answer_all(ErrorCode::producer_fenced);
  }
  if (current->is_preparing()) {
    if (request.patience > env::Duration::zero()) {
      return park(turn, std::move(request), std::move(reply));
    }
    return answer_all(ErrorCode::concurrent_transactions);
  }
  if (request.verify_only) {
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const bool there = current->partitions.contains(request.partitions[i]);
      codes[i] = there ? ErrorCode::none : ErrorCode::transaction_abortable;
    }
    turn.answer<std::vector<ErrorCode>>(std::move(reply), std::move(codes));
    return;
  }
  const bool open = current->state == TransactionState::ongoing;
  const bool all_there = std::ranges::all_of(request.partitions, [&](const TopicPartition& added) {
    return current->partitions.contains(added);
  });
  if (open && all_there) return answer_all(ErrorCode::none);
  Transaction next = *current;
  next.previous_producer_id = next.producer_id;
  next.state = TransactionState::ongoing;
  next.partitions.insert(request.partitions.begin(), request.partitions.end());
  next.updated_ms = turn.wall_ms();
  if (!open) next.started_ms = next.updated_ms;
  next.client_version = request.client_version;
  // A record holds all partitions of the transaction: this bounds how many those can be.
  if (!turn.fits(transaction_record(request.transactional_id, next, transaction_version()))) {
    return answer_all(ErrorCode::unknown_server_error);
  }
  store(turn, request.transactional_id, next);
  answer_all(ErrorCode::none);
}

void TransactionMachine::park(Turn& turn, TransactionPartitions request,
                              Reply<std::vector<ErrorCode>> reply) {
  auto& waiting = parked_[request.transactional_id];
  const env::TimePoint deadline = turn.now() + request.patience;
  waiting.push_back(std::make_unique<Parked>(*this, std::move(request), std::move(reply)));
  timers_.arm(*waiting.back(), deadline);
  if (waiting.size() > max_parked) give_up(turn, *waiting.front());
}

void TransactionMachine::give_up(Turn& turn, Parked& parked) {
  std::vector<ErrorCode> codes(parked.request.partitions.size(),
                               ErrorCode::concurrent_transactions);
  turn.answer<std::vector<ErrorCode>>(std::move(parked.reply), std::move(codes));
  const auto found = parked_.find(parked.request.transactional_id);
  std::erase_if(found->second, [&parked](const auto& each) { return each.get() == &parked; });
  if (found->second.empty()) parked_.erase(found);
}

void TransactionMachine::resume_parked(Turn& turn, const std::string& id) {
  auto waiting = parked_.extract(id);
  if (!waiting) return;
  for (auto& parked : waiting.mapped()) {
    parked->request.patience = env::Duration::zero();
    add_partitions(turn, std::move(parked->request), std::move(parked->reply));
  }
}

// EndTxn

void TransactionMachine::end_transaction(Turn& turn, EndTxnRequest request,
                                         std::int16_t client_version, Reply<EndTxnResponse> reply) {
  const auto answer = [&](EndTxnResponse response) {
    turn.answer<EndTxnResponse>(std::move(reply), std::move(response));
  };
  const std::string& id = request.transactional_id;
  if (id.empty()) return answer(end_answer(ErrorCode::invalid_request));
  const Transaction* const current = find(id);
  if (current == nullptr) return answer(end_answer(ErrorCode::invalid_producer_id_mapping));
  const auto next = transitions(turn).end(request, *current, client_version);
  if (!next) {
    // Without an error code it has been done before, and the answer was lost.
    if (next.error().code != ErrorCode::none) return answer(end_answer(next.error().code));
    return answer(end_answer(ErrorCode::none, current->producer_id, current->producer_epoch));
  }
  store(turn, id, *next);
  order_markers(turn, id);
  // Old clients are not told, and keep what they have.
  const Successor successor = next->bumps_epochs() ? successor_of(*next) : Successor{};
  answer(end_answer(ErrorCode::none, successor.id, successor.epoch));
}

// Markers

void TransactionMachine::order_markers(Turn& turn, const std::string& id) {
  Transaction& prepared = transactions_.find(id)->second;
  prepared.unmarked = prepared.partitions;
  if (prepared.unmarked.empty()) {
    complete(turn, id);
    return;
  }
  MarkerOrder order{.coordinator_partition = partition_,
                    .transactional_id = id,
                    .producer_id = prepared.producer_id,
                    .producer_epoch = prepared.producer_epoch,
                    .coordinator_epoch = coordinator_epoch(),
                    .committed = prepared.state == TransactionState::prepare_commit,
                    .transaction_version = prepared.client_version,
                    .partitions = {prepared.partitions.begin(), prepared.partitions.end()}};
  turn.when_durable(
      [sender = &markers_, order = std::move(order)]() mutable { sender->send(std::move(order)); });
}

void TransactionMachine::markers_written(Turn& turn, const MarkerReport& report) {
  const auto found = transactions_.find(report.transactional_id);
  if (found == transactions_.end()) return;
  Transaction& prepared = found->second;
  // A report that comes late, of an order from before this machine was loaded.
  if (!prepared.is_preparing() || prepared.producer_id != report.producer_id ||
      prepared.producer_epoch != report.producer_epoch) {
    return;
  }
  for (const TopicPartition& partition : report.partitions) prepared.unmarked.erase(partition);
  if (prepared.unmarked.empty()) complete(turn, report.transactional_id);
}

void TransactionMachine::complete(Turn& turn, const std::string& id) {
  store(turn, id, transitions(turn).complete(transactions_.find(id)->second));
  resume_parked(turn, id);
}

// What administrators ask

void TransactionMachine::describe(Turn& turn, std::string transactional_id,
                                  Reply<DescribeTransactionsResponse::TransactionState> reply) {
  DescribeTransactionsResponse::TransactionState described;
  const Transaction* const current = find(transactional_id);
  described.transactional_id = std::move(transactional_id);
  if (current == nullptr) {
    described.error_code = ErrorCode::transactional_id_not_found;
  } else {
    described.producer_id = current->producer_id;
    described.producer_epoch = current->producer_epoch;
    described.transaction_state = transaction_state_name(current->state);
    described.transaction_timeout_ms = current->timeout_ms;
    described.transaction_start_time_ms = current->started_ms;
    const auto& partitions = current->is_preparing() ? current->unmarked : current->partitions;
    for (const TopicPartition& partition : partitions) {
      if (described.topics.empty() || described.topics.back().topic != partition.topic) {
        described.topics.push_back({.topic = partition.topic});
      }
      described.topics.back().partitions.push_back(partition.partition);
    }
  }
  turn.answer<DescribeTransactionsResponse::TransactionState>(std::move(reply),
                                                              std::move(described));
}

void TransactionMachine::list(
    Turn& turn, TransactionFilter filter,
    Reply<std::vector<ListTransactionsResponse::TransactionState>> reply) {
  std::vector<ListTransactionsResponse::TransactionState> listed;
  for (const auto& [id, transaction] : transactions_) {
    const bool wanted_state =
        !filter.by_state ||
        std::ranges::find(filter.states, transaction.state) != filter.states.end();
    if (!wanted_state) continue;
    if (!filter.producer_ids.empty() && !contains(filter.producer_ids, transaction.producer_id)) {
      continue;
    }
    if (filter.running_longer_than_ms >= 0 &&
        turn.wall_ms() - transaction.started_ms <= filter.running_longer_than_ms) {
      continue;
    }
    if (filter.pattern && !re2::RE2::FullMatch(id, *filter.pattern)) continue;
    auto& entry = listed.emplace_back();
    entry.transactional_id = id;
    entry.producer_id = transaction.producer_id;
    entry.transaction_state = transaction_state_name(transaction.state);
  }
  turn.answer<std::vector<ListTransactionsResponse::TransactionState>>(std::move(reply),
                                                                       std::move(listed));
}

// Time

void TransactionMachine::abort_timed_out(Turn& turn) {
  std::vector<std::string> late;
  for (const std::string& id : ongoing_) {
    const Transaction& transaction = transactions_.find(id)->second;
    if (transaction.timeout_ms == no_timeout_ms) continue;
    if (transaction.started_ms + transaction.timeout_ms < turn.wall_ms()) late.push_back(id);
  }
  for (const std::string& id : late) {
    const auto next = transitions(turn).fence(transactions_.find(id)->second);
    if (!next) continue;  // no producer id to go on with at the moment: at the next look
    transaction_machine_log.info(
        "{}: the transaction of producer {} took longer than {} ms and is aborted", id,
        next->producer_id.value(), next->timeout_ms);
    store(turn, id, *next);
    order_markers(turn, id);
  }
  if (!ongoing_.empty()) abort_check_->arm(turn, settings_.abort_check_interval_ms);
}

void TransactionMachine::expire_unused(Turn& turn) {
  const std::int64_t unused_since = turn.wall_ms() - settings_.id_expiration_ms;
  std::vector<std::string> unused;
  auto next = transactions_.lower_bound(expiry_cursor_);
  for (std::size_t looked_at = 0; next != transactions_.end(); ++next, ++looked_at) {
    if (looked_at == max_looked_at_in_a_turn || unused.size() == max_expired_in_a_turn) break;
    const Transaction& transaction = next->second;
    if (may_expire(transaction) && transaction.updated_ms <= unused_since) {
      unused.push_back(next->first);
    }
  }
  const bool more = next != transactions_.end();
  expiry_cursor_ = more ? next->first : std::string{};
  for (const std::string& id : unused) turn.append(transaction_tombstone(id));
  expiry_check_->arm(turn, more ? 1 : settings_.expiry_check_interval_ms);
}

// Stored state

void TransactionMachine::store(Turn& turn, const std::string& id, const Transaction& next) {
  turn.append(transaction_record(id, next, transaction_version()));
  transactions_.find(id)->second.last_epoch = next.last_epoch;
  if (next.state == TransactionState::ongoing && !abort_check_->armed()) {
    abort_check_->arm(turn, settings_.abort_check_interval_ms);
  }
}

Result<> TransactionMachine::replay(const ReplayedRecord& record) {
  auto id = read_transaction_key(record.key);
  if (!id) return std::unexpected(std::move(id).error());
  if (!record.value) {
    ongoing_.erase(*id);
    transactions_.erase(*id);
    return {};
  }
  auto read = read_transaction_value(*record.value);
  if (!read) return std::unexpected(std::move(read).error());
  if (read->state == TransactionState::ongoing) {
    ongoing_.insert(*id);
  } else {
    ongoing_.erase(*id);
  }
  if (read->is_preparing()) read->unmarked = read->partitions;
  transactions_.insert_or_assign(std::move(*id), std::move(*read));
  return {};
}

void TransactionMachine::loaded(Turn& turn, metadata::ImagePointer image) {
  image_ = std::move(image);
  std::vector<std::string> prepared;
  for (const auto& [id, transaction] : transactions_) {
    if (transaction.is_preparing()) prepared.push_back(id);
  }
  for (const std::string& id : prepared) order_markers(turn, id);
  if (!ongoing_.empty()) abort_check_->arm(turn, settings_.abort_check_interval_ms);
  expiry_check_->arm(turn, settings_.expiry_check_interval_ms);
}

void TransactionMachine::on_image(Turn& turn, const metadata::ImagePointer& image,
                                  const metadata::MetadataDelta& delta) {
  static_cast<void>(turn);
  static_cast<void>(delta);
  image_ = image;
}

Transitions TransactionMachine::transitions(const Turn& turn) const {
  return {turn.wall_ms(), transaction_version(), next_producer_id_};
}

std::int16_t TransactionMachine::transaction_version() const {
  return image_->feature_level(protocol::transaction_version_feature).value_or(0);
}

std::int32_t TransactionMachine::coordinator_epoch() const {
  const auto topic = image_->topic(transaction_topic);
  if (!topic || partition_ >= std::ssize(topic->partitions)) return no_leader_epoch.value();
  return topic->partitions[static_cast<std::size_t>(partition_)]->leader_epoch.value();
}

}  // namespace arus::coordinator
