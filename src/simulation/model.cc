#include "simulation/model.h"

#include <algorithm>
#include <ranges>

#include "base/endian.h"

namespace arus::simulation {

std::size_t Model::add_track(Track track) {
  tracks_.push_back(std::move(track));
  return tracks_.size() - 1;
}

RecordId Model::send(SentRecord record) {
  records_.push_back(record);
  return records_.size() - 1;
}

Bytes Model::value_of(RecordId id) {
  Bytes value(20 + id * 7 % 180);
  for (std::size_t i = 0; i < value.size(); ++i) {
    value[i] = static_cast<std::uint8_t>(id * 31 + i * (1 + id % 5));
  }
  return value;
}

std::string Model::key_of(std::int32_t key) { return "key-" + std::to_string(key); }

void Model::place(RecordId id, std::int64_t offset) {
  SentRecord& sent = records_[id];
  Track& track = tracks_[sent.track];
  if (sent.offset == Offset{offset}) return;
  if (sent.offset != no_offset) {
    story_.fail(track.name(), "record {} is at offset {} and at {}", id, sent.offset.value(),
                offset);
    return;
  }
  if (track.at.size() <= static_cast<std::size_t>(offset)) {
    track.at.resize(static_cast<std::size_t>(offset) + 1);
  }
  RecordId& there = track.at[static_cast<std::size_t>(offset)];
  if (there != 0) {
    story_.fail(track.name(), "offset {} was given to record {} and to record {}", offset, there,
                id);
    return;
  }
  there = id;
  sent.offset = Offset{offset};
  sent.placed_at = simulation_.now();
}

void Model::acknowledge(const std::vector<RecordId>& ids, std::int64_t base_offset) {
  Track& track = tracks_[records_[ids.front()].track];
  for (std::size_t i = 0; i < ids.size(); ++i) {
    place(ids[i], base_offset + static_cast<std::int64_t>(i));
  }
  acknowledge_somewhere(ids);
  track.floor = std::max(track.floor, base_offset + static_cast<std::int64_t>(ids.size()));
}

void Model::acknowledge_somewhere(const std::vector<RecordId>& ids) {
  for (const RecordId id : ids) records_[id].outcome = Outcome::acknowledged;
}

RecordId Model::see(std::size_t index, const record::RecordView& record) {
  const Track& track = tracks_[index];
  auto headers = record.headers();
  const auto header = headers.next();
  if (!header || !header->value || header->value->size() != sizeof(RecordId)) {
    story_.fail(track.name(), "the record at {} is nobody's", record.offset.value());
    return 0;
  }
  const auto id = load_big<RecordId>(header->value->data());
  if (id == 0 || id >= records_.size() || records_[id].track != index) {
    story_.fail(track.name(), "record {} at {} was never sent here", id, record.offset.value());
    return 0;
  }
  const SentRecord& sent = records_[id];
  const bool same_key =
      sent.key < 0 ? !record.key : record.key && as_text(*record.key) == key_of(sent.key);
  const bool same_value = sent.tombstone
                              ? !record.value
                              : record.value && std::ranges::equal(*record.value, value_of(id));
  if (!same_key || !same_value || record.timestamp_ms != sent.timestamp_ms) {
    story_.fail(track.name(), "record {} at {} is not what was sent", id, record.offset.value());
    return 0;
  }
  place(id, record.offset.value());
  return id;
}

void Model::see_batch(std::size_t index, const record::BatchView& batch) {
  Track& track = tracks_[index];
  const std::int32_t epoch = batch.leader_epoch().value();
  const bool replaced = batch.base_offset().value() >= track.lost_from;
  if (replaced && epoch <= track.lost_epoch) {
    story_.fail(track.name(), "batch {} in leader epoch {}, which had lost other records there",
                batch.base_offset().value(), epoch);
  }
  track.last_epoch = std::max(track.last_epoch, epoch);
  if (batch.producer_id() == no_producer || batch.is_control()) return;
  track.batches[batch.base_offset().value()] = {
      .producer = batch.producer_id(),
      .epoch = batch.producer_epoch(),
      .first_sequence = batch.base_sequence(),
      .last_sequence = batch.base_sequence() + batch.last_offset_delta()};
}

void Model::see_ends(std::size_t index, Ends seen, Ends promised) {
  Track& track = tracks_[index];
  if (seen.end < promised.end) {
    story_.fail(track.name(), "high watermark {}, although {} had been promised", seen.end,
                promised.end);
  }
  track.floor = std::max(track.floor, seen.end);
  if (seen.log_start < promised.log_start) {
    story_.fail(track.name(), "the log starts at {}, after it had started at {}", seen.log_start,
                promised.log_start);
  }
  if (seen.log_start > track.log_start) {
    check_retention(track, seen.log_start);
    track.log_start = seen.log_start;
  }
}

// Markers have the time of the broker's clock: one that was a year back makes them old at once, and
// a segment of nothing else may go.
void Model::check_retention(const Track& track, std::int64_t log_start) {
  // Timestamps of records are of clients, whose clocks never jump.
  const auto since_start = simulation_.now().time_since_epoch();
  const std::int64_t now_ms = env::NodeOptions{}.wall_ms +
                              std::chrono::duration_cast<env::milliseconds>(since_start).count();
  const std::int64_t due_ms =
      track.kind == TopicKind::retained ? retention_ms : std::numeric_limits<std::int64_t>::max();
  for (std::int64_t offset = track.log_start;
       offset < std::min(log_start, static_cast<std::int64_t>(track.at.size())); ++offset) {
    const RecordId id = track.at[static_cast<std::size_t>(offset)];
    const std::int64_t age_ms = now_ms - records_[id].timestamp_ms;
    if (id == 0 || age_ms >= due_ms) continue;
    story_.fail(track.name(), "retention took record {} at {} after {} ms", id, offset, age_ms);
    return;
  }
}

void Model::see_committed(RecordId id) {
  const SentRecord& sent = records_[id];
  if (sent.transaction == no_transaction) return;
  Transaction& transaction = transactions[sent.transaction];
  if (transaction.state == TransactionState::open ||
      transaction.state == TransactionState::aborted) {
    story_.fail(tracks_[sent.track].name(), "record {} of transaction {} is visible, which {}", id,
                sent.transaction,
                transaction.state == TransactionState::open ? "is open" : "was aborted");
  }
  transaction.seen = true;
}

void Model::lose_power(const std::set<std::string>& gaps_are_seen) {
  for (Track& track : tracks_) {
    const bool may_have_gaps =
        track.kind == TopicKind::compacted && !gaps_are_seen.contains(track.name());
    if (may_have_gaps) track.may_end_in_gap = true;
    if (track.synced) continue;
    track.lost_power = true;
    if (!may_have_gaps) continue;
    track.gaps_below = static_cast<std::int64_t>(track.at.size());
  }
}

// Offsets from here on will be given again.
void Model::trim(Track& track, std::int64_t end) {
  const auto size = static_cast<std::int64_t>(track.at.size());
  const bool lost = end < std::max(size, track.floor);
  if (lost) {
    story_.headline("{} lost its unsynced records {} to {}", track.name(), end,
                    std::max(size, track.floor) - 1);
    track.lost_from = end;
    track.lost_epoch = std::max(track.lost_epoch, track.last_epoch);
  }
  for (std::int64_t offset = end; offset < size; ++offset) {
    const RecordId id = track.at[static_cast<std::size_t>(offset)];
    // A producer that sends it once more may get it another place.
    if (id != 0) records_[id].offset = no_offset;
    if (id != 0) records_[id].outcome = Outcome::unknown;
  }
  if (end < size) track.at.resize(static_cast<std::size_t>(end));
  track.batches.erase(track.batches.lower_bound(end), track.batches.end());
  for (SentRecord& sent : records_) {
    const bool placed_nowhere = sent.offset == no_offset && &tracks_[sent.track] == &track;
    if (placed_nowhere) sent.outcome = Outcome::unknown;
  }
  track.floor = end;
  track.lost_power = false;
}

void Model::lose_front(Track& track, std::int64_t log_start) {
  story_.headline("{} lost its unsynced records below {}", track.name(), log_start);
  for (RecordId& id : track.at | std::views::take(log_start)) {
    if (id != 0) records_[id].outcome = Outcome::unknown;
    id = 0;
  }
  track.log_start = log_start;
}

void Model::check_track(std::size_t index, std::int64_t log_start, std::int64_t high_watermark,
                        const std::set<std::int64_t>& found) {
  Track& track = tracks_[index];
  // Nobody can tell segments that a power cut took from the front of a log from deleted ones.
  if (track.lost_power && log_start > track.log_start) lose_front(track, log_start);
  if (track.lost_power) trim(track, high_watermark);
  see_ends(index, {log_start, high_watermark}, promised(index));
  if (track.kind == TopicKind::compacted) {
    check_compacted(track, high_watermark, found);
  } else {
    check_all_there(track, log_start, high_watermark, found);
  }
  check_order(track);
  check_sequences(track, log_start);
}

void Model::check_all_there(const Track& track, std::int64_t log_start, std::int64_t high_watermark,
                            const std::set<std::int64_t>& found) {
  for (std::int64_t offset = log_start; offset < static_cast<std::int64_t>(track.at.size());
       ++offset) {
    const RecordId id = track.at[static_cast<std::size_t>(offset)];
    if (id == 0 || found.contains(offset)) continue;
    story_.fail(track.name(), "record {} at {} is not there; the high watermark is {}", id, offset,
                high_watermark);
    return;
  }
  const std::size_t index = static_cast<std::size_t>(&track - tracks_.data());
  for (RecordId id = 1; id < records_.size(); ++id) {
    const SentRecord& sent = records_[id];
    if (sent.track != index || sent.outcome != Outcome::acknowledged) continue;
    if (sent.offset != no_offset || log_start > 0) continue;
    story_.fail(track.name(), "record {} was acknowledged and is nowhere", id);
    return;
  }
}

void Model::check_compacted(const Track& track, std::int64_t high_watermark,
                            const std::set<std::int64_t>& found) {
  struct Newest {
    RecordId placed = 0;  // the newest that is known to have been there
    std::int64_t found = -1;
    bool tombstone_somewhere = false;  // that may have come later and be gone again
  };
  std::map<std::int32_t, Newest> keys;
  for (std::size_t offset = 0; offset < track.at.size(); ++offset) {
    const RecordId id = track.at[offset];
    if (id == 0) continue;
    Newest& newest = keys[records_[id].key];
    newest.placed = id;
    if (found.contains(static_cast<std::int64_t>(offset))) {
      newest.found = static_cast<std::int64_t>(offset);
    }
  }
  const std::size_t index = static_cast<std::size_t>(&track - tracks_.data());
  for (const SentRecord& sent : records_) {
    if (sent.track == index && sent.tombstone && sent.offset == no_offset) {
      keys[sent.key].tombstone_somewhere = true;
    }
  }
  for (const auto& [key, newest] : keys) {
    if (newest.placed == 0) continue;
    const SentRecord& sent = records_[newest.placed];
    const bool there = newest.found == sent.offset.value();
    if (there || (newest.found < 0 && newest.tombstone_somewhere)) continue;
    if (sent.offset.value() < track.gaps_below) continue;
    if (!sent.tombstone) {
      story_.fail(track.name(), "record {} at {}, the newest of key {}, is gone (found {} of {})",
                  newest.placed, sent.offset.value(), key, newest.found, high_watermark);
    } else if (newest.found >= 0) {
      story_.fail(track.name(), "key {} is back at {}, after its tombstone at {} is gone", key,
                  newest.found, sent.offset.value());
    } else if (!clock_jumped &&
               simulation_.now() - sent.placed_at < env::milliseconds(delete_retention_ms)) {
      story_.fail(track.name(), "the tombstone of key {} at {} went too early", key,
                  sent.offset.value());
    }
  }
}

void Model::check_order(const Track& track) {
  // Of each producer and each of its connections: a batch may arrive late on one that is gone.
  std::map<std::pair<std::size_t, std::uint64_t>, RecordId> last;
  for (const RecordId id : track.at) {
    if (id == 0) continue;
    const SentRecord& sent = records_[id];
    const auto [before, first] = last.try_emplace({sent.producer, sent.connection}, id);
    if (first) continue;
    if (before->second >= id) {
      story_.fail(track.name(), "records {} and {} of producer {} are in the wrong order",
                  before->second, id, sent.producer);
    }
    before->second = id;
  }
}

// What a producer has sent follows what it sent before, unless nothing of that is left. Producers
// are forgotten by the wall clock, and what they send next is their first then.
void Model::check_sequences(const Track& track, std::int64_t log_start) {
  if (track.kind == TopicKind::compacted || clock_jumped) return;
  std::map<std::pair<ProducerId, std::int16_t>, std::int32_t> last;
  for (auto at = track.batches.lower_bound(log_start); at != track.batches.end(); ++at) {
    const SeenBatch& batch = at->second;
    const auto [before, first] =
        last.try_emplace({batch.producer, batch.epoch}, batch.last_sequence);
    if (first) continue;
    if (batch.first_sequence != before->second + 1) {
      story_.fail(track.name(), "the batch at {} of producer id {} has sequence {} after {}",
                  at->first, batch.producer.value(), batch.first_sequence, before->second);
      return;
    }
    before->second = batch.last_sequence;
  }
}

void Model::check_transactions(const std::set<RecordId>& visible) {
  for (std::size_t i = 0; i < transactions.size(); ++i) {
    const Transaction& transaction = transactions[i];
    const auto seen = static_cast<std::size_t>(std::ranges::count_if(
        transaction.records, [&](RecordId id) { return visible.contains(id); }));
    const bool must = transaction.state == TransactionState::committed || transaction.seen;
    const bool whole = seen == transaction.records.size();
    if (whole && (must || transaction.state == TransactionState::ending)) continue;
    if (seen == 0 && !must) continue;
    if (transaction.records.empty()) continue;
    const auto other = std::ranges::find_if(
        transaction.records, [&](RecordId id) { return visible.contains(id) != must; });
    const RecordId id = other == transaction.records.end() ? transaction.records.front() : *other;
    const SentRecord& sent = records_[id];
    story_.fail(tracks_[sent.track].name(),
                "of transaction {}, which {} committed, {} of {} records are visible; of record {} "
                "at {} is not right that it {}",
                i,
                must                                            ? "was"
                : transaction.state == TransactionState::ending ? "may be"
                                                                : "was not",
                seen, transaction.records.size(), id, sent.offset.value(),
                visible.contains(id) ? "is" : "is not");
    return;
  }
}

}  // namespace arus::simulation
