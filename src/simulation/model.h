// What clients were told, and what therefore has to be true for as long as the node lives.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"
#include "env/time.h"
#include "record/batch.h"
#include "record/record.h"
#include "simulation/plan.h"
#include "simulation/story.h"

namespace arus::simulation {

using RecordId = std::uint64_t;  // from 1 on; every record that is ever sent has its own
inline constexpr std::size_t no_transaction = std::numeric_limits<std::size_t>::max();

enum class Outcome : std::uint8_t { unknown, acknowledged };

struct SentRecord {
  std::size_t track = 0;
  std::size_t producer = 0;
  std::uint64_t connection = 0;  // of the producer; 0 where a batch is sent until it is there
  std::int32_t key = -1;         // none
  bool tombstone = false;
  std::size_t transaction = no_transaction;
  std::int64_t timestamp_ms = 0;
  Outcome outcome = Outcome::unknown;
  Offset offset = no_offset;   // once it is known
  env::TimePoint placed_at{};  // when it became known
};

// Of a batch that was seen: what its producer's next one follows.
struct SeenBatch {
  ProducerId producer = no_producer;
  std::int16_t epoch = -1;
  std::int32_t first_sequence = -1;
  std::int32_t last_sequence = -1;
};

// One partition of one topic; a topic that is deleted and made again has others.
struct Track {
  std::string topic;
  Uuid topic_id;
  std::int32_t partition = 0;
  TopicKind kind = TopicKind::plain;
  bool synced = true;
  bool gone = false;                          // its topic was asked to be deleted
  std::vector<RecordId> at;                   // by offset; 0: not known, or a marker
  std::map<std::int64_t, SeenBatch> batches;  // of producers that have ids, by base offset
  std::int64_t floor = 0;                     // somebody was told that everything below is there
  std::int64_t log_start = 0;
  std::int32_t last_epoch = -1;  // the highest that a batch was seen with
  std::int32_t lost_epoch = -1;  // of what a power cut took; what comes in its place has another
  std::int64_t lost_from = 0;
  bool lost_power = false;      // unsynced, and not looked at since the power was cut
  std::int64_t gaps_below = 0;  // offsets whose records a power cut may have taken from between
  // So it may have what nobody was promised: the node takes the gap for one of compaction, and
  // readers wait behind the last record for what comes after the gap.
  bool may_end_in_gap = false;
  [[nodiscard]] std::string name() const { return topic + "-" + std::to_string(partition); }
};

enum class TransactionState : std::uint8_t { open, ending, committed, aborted };

struct Transaction {
  std::size_t producer = 0;
  std::vector<RecordId> records;
  std::int64_t group_offset = -1;  // commits this for its producer's group
  TransactionState state = TransactionState::open;
  bool seen = false;  // by a reader of what is committed
};

// What a group has committed for a partition.
struct Committed {
  std::int64_t acknowledged = -1;  // the newest that was acknowledged
  std::set<std::int64_t> unknown;  // asked for since then
};

// Facts come in as clients learn them; a fact that contradicts an earlier one is a failure.
class Model {
 public:
  explicit Model(Story& story, const env::Simulation& simulation)
      : story_(story), simulation_(simulation) {}

  std::size_t add_track(Track track);
  [[nodiscard]] std::size_t track_count() const { return tracks_.size(); }
  [[nodiscard]] Track& track(std::size_t index) { return tracks_[index]; }

  RecordId send(SentRecord record);
  [[nodiscard]] const SentRecord& record(RecordId id) const { return records_[id]; }
  [[nodiscard]] std::size_t record_count() const { return records_.size() - 1; }
  // A record's bytes, made of its id.
  [[nodiscard]] static Bytes value_of(RecordId id);
  [[nodiscard]] static std::string key_of(std::int32_t key);

  // The batch of these records is at this offset.
  void acknowledge(const std::vector<RecordId>& ids, std::int64_t base_offset);
  // It is there, wherever: a duplicate of a batch that the node does not remember the place of.
  void acknowledge_somewhere(const std::vector<RecordId>& ids);
  // A reader got this record, and this batch.
  RecordId see(std::size_t track, const record::RecordView& record);
  void see_batch(std::size_t track, const record::BatchView& batch);
  // A reader was told these, who had asked when `promised` was what the model promised.
  struct Ends {
    std::int64_t log_start = 0;
    std::int64_t end = 0;
  };
  [[nodiscard]] Ends promised(std::size_t track) const {
    return {tracks_[track].log_start, tracks_[track].floor};
  }
  void see_ends(std::size_t track, Ends seen, Ends promised);
  // A reader of what is committed got this record.
  void see_committed(RecordId id);

  // What unsynced partitions had may be gone: the end of it, and where the node cannot tell it from
  // the work of a compaction, any part.
  void lose_power(const std::set<std::string>& gaps_are_seen);
  // All of the partition was read: `found` are the offsets of its records.
  void check_track(std::size_t track, std::int64_t log_start, std::int64_t high_watermark,
                   const std::set<std::int64_t>& found);
  // Nothing is under way any more, and these records are what readers of the committed get.
  void check_transactions(const std::set<RecordId>& visible);

  std::vector<Transaction> transactions;
  std::map<std::pair<std::string, std::size_t>, Committed> committed;  // group, track
  bool clock_jumped = false;  // ages by the wall clock say nothing any more

 private:
  void place(RecordId id, std::int64_t offset);
  void check_all_there(const Track& track, std::int64_t log_start, std::int64_t high_watermark,
                       const std::set<std::int64_t>& found);
  void check_compacted(const Track& track, std::int64_t high_watermark,
                       const std::set<std::int64_t>& found);
  void check_order(const Track& track);
  void check_sequences(const Track& track, std::int64_t log_start);
  void check_retention(const Track& track, std::int64_t log_start);
  void trim(Track& track, std::int64_t end);
  void lose_front(Track& track, std::int64_t log_start);

  Story& story_;
  const env::Simulation& simulation_;
  std::vector<Track> tracks_;
  std::vector<SentRecord> records_{1};
};

}  // namespace arus::simulation
