#include "storage/producer_state.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/assert.h"
#include "record/batch.h"

namespace arus::storage {

std::int32_t ProducerBatch::first_sequence() const {
  return record::add_to_sequence(last_sequence, -offset_delta);
}

void ProducerEntry::remember(const ProducerBatch& batch) {
  if (batch_count == batches_kept) {
    std::shift_left(batches.begin(), batches.end(), 1);
    --batch_count;
  }
  batches[batch_count++] = batch;
}

namespace {

bool follows(std::int32_t last, std::int32_t next) {
  return next == record::add_to_sequence(last, 1);
}

std::optional<ProducerBatch> find_duplicate(const ProducerEntry& entry,
                                            const ProducerAppend& append) {
  if (entry.epoch != append.epoch) return std::nullopt;
  for (std::size_t i = 0; i < entry.batch_count; ++i) {
    const ProducerBatch& batch = entry.batches[i];
    if (batch.last_sequence == append.last_sequence &&
        batch.first_sequence() == append.base_sequence) {
      return batch;
    }
  }
  return std::nullopt;
}

std::unexpected<Error> invalid_epoch(const ProducerAppend& append, const ProducerEntry& entry) {
  return fail(ErrorCode::invalid_producer_epoch,
              fmt::format("Epoch {} of producer {} is not the current one, {}", append.epoch,
                          append.producer_id.value(), entry.epoch));
}

}  // namespace

Result<std::optional<ProducerBatch>> ProducerState::check(const ProducerAppend& append,
                                                          Origin origin,
                                                          std::int16_t transaction_version) const {
  const ProducerEntry* const entry = find(append.producer_id);
  if (append.end) {
    ARUS_TRY(check_marker(append, entry, transaction_version));
    return std::nullopt;
  }
  if (entry != nullptr && origin == Origin::client) {
    if (auto duplicate = find_duplicate(*entry, append)) return duplicate;
  }
  if (entry != nullptr && append.epoch < entry->epoch) return invalid_epoch(append, *entry);
  if (origin == Origin::client) {
    ARUS_TRY(check_sequence(append, entry, transaction_version));
  }
  if (entry != nullptr && entry->in_transaction() && !append.transactional) {
    return fail(ErrorCode::invalid_txn_state,
                fmt::format("Producer {} has an open transaction and wrote outside of it",
                            append.producer_id.value()));
  }
  return std::nullopt;
}

Result<> ProducerState::check_marker(const ProducerAppend& append, const ProducerEntry* entry,
                                     std::int16_t transaction_version) const {
  if (entry == nullptr) return {};
  // Since transactions v2 each transaction has an epoch of its own, and its marker the next one;
  // the same epoch again is the coordinator's retry of a marker that was written.
  const bool retry = append.epoch == entry->epoch && !entry->in_transaction();
  const bool allowed = transaction_version >= 2 ? append.epoch > entry->epoch || retry
                                                : append.epoch >= entry->epoch;
  if (!allowed) return invalid_epoch(append, *entry);
  if (append.end->coordinator_epoch < entry->coordinator_epoch) {
    return fail(ErrorCode::transaction_coordinator_fenced,
                fmt::format("Coordinator epoch {} is not the current one, {}",
                            append.end->coordinator_epoch, entry->coordinator_epoch));
  }
  return {};
}

Result<> ProducerState::check_sequence(const ProducerAppend& append, const ProducerEntry* entry,
                                       std::int16_t transaction_version) const {
  const ProducerBatch* const last = entry == nullptr ? nullptr : entry->last_batch();
  const auto refuse = [&](std::string why) {
    return fail(ErrorCode::out_of_order_sequence_number,
                fmt::format("Producer {} sent sequence {}: {}", append.producer_id.value(),
                            append.base_sequence, why));
  };
  if (append.transactional && transaction_version >= 2 && last == nullptr &&
      append.base_sequence != 0) {
    return refuse("nothing of it is known, it must begin at 0");
  }
  if (entry == nullptr || entry->epoch == -1) return {};
  if (append.epoch != entry->epoch) {
    if (append.base_sequence != 0) return refuse("a new epoch begins at 0");
    return {};
  }
  const std::int32_t last_sequence = last == nullptr ? -1 : last->last_sequence;
  if (!follows(last_sequence, append.base_sequence)) {
    return refuse(fmt::format("it does not follow {}", last_sequence));
  }
  return {};
}

std::optional<CompletedTransaction> ProducerState::apply(const ProducerAppend& append) {
  ProducerEntry& entry = producers_[append.producer_id];
  entry.producer_id = append.producer_id;
  if (append.epoch != entry.epoch) {
    entry.epoch = append.epoch;
    entry.batch_count = 0;
  }
  entry.last_timestamp_ms = append.timestamp_ms;
  if (append.end) {
    entry.coordinator_epoch = append.end->coordinator_epoch;
    if (!entry.in_transaction()) return std::nullopt;
    return complete(entry, append);
  }
  entry.remember({append.last_sequence,
                  static_cast<std::int32_t>(append.last_offset - append.base_offset),
                  append.last_offset});
  if (append.transactional && !entry.in_transaction()) {
    entry.transaction_start = append.base_offset;
    open_.emplace(append.base_offset, append.producer_id);
  }
  return std::nullopt;
}

CompletedTransaction ProducerState::complete(ProducerEntry& entry, const ProducerAppend& append) {
  open_.erase(entry.transaction_start);
  CompletedTransaction completed{
      .producer_id = append.producer_id,
      .first_offset = entry.transaction_start,
      .last_offset = append.last_offset,
      .last_stable_offset = open_.empty() ? append.last_offset + 1 : open_.begin()->first,
      .aborted = !append.end->committed};
  decided_.emplace(completed.first_offset, completed.last_offset);
  entry.transaction_start = no_offset;
  return completed;
}

void ProducerState::release_below(Offset offset) {
  std::erase_if(decided_, [offset](const auto& decided) { return decided.second < offset; });
}

std::optional<Offset> ProducerState::first_unstable_offset() const {
  std::optional<Offset> first;
  if (!open_.empty()) first = open_.begin()->first;
  if (!decided_.empty() && (!first || decided_.begin()->first < *first)) {
    first = decided_.begin()->first;
  }
  return first;
}

void ProducerState::expire(std::int64_t now_ms, std::int64_t expiration_ms) {
  std::erase_if(producers_, [&](const auto& producer) {
    const ProducerEntry& entry = producer.second;
    return !entry.in_transaction() && now_ms - entry.last_timestamp_ms >= expiration_ms;
  });
}

const ProducerEntry* ProducerState::find(ProducerId producer_id) const {
  const auto found = producers_.find(producer_id);
  return found == producers_.end() ? nullptr : &found->second;
}

std::vector<ProducerEntry> ProducerState::entries() const {
  std::vector<ProducerEntry> all;
  all.reserve(producers_.size());
  for (const auto& [id, entry] : producers_) all.push_back(entry);
  std::ranges::sort(all, {}, &ProducerEntry::producer_id);
  return all;
}

void ProducerState::load(std::span<const ProducerEntry> entries) {
  producers_.clear();
  open_.clear();
  decided_.clear();
  for (const ProducerEntry& entry : entries) {
    producers_[entry.producer_id] = entry;
    if (entry.in_transaction()) open_.emplace(entry.transaction_start, entry.producer_id);
  }
}

}  // namespace arus::storage
