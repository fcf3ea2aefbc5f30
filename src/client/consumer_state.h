// What a Consumer is made of: positions, fetch sessions, and answers that wait to be read.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/consumer.h"
#include "record/batch.h"
#include "record/compression.h"
#include "record/record.h"

namespace arus::protocol {
struct FetchRequest;
struct FetchResponse;
}  // namespace arus::protocol

namespace arus::client {

struct AbortedRange {
  ProducerId producer_id;
  Offset first_offset;
};

// The records of one partition out of one answer, read batch by batch. The slice shares the
// answer's buffer.
struct FetchedRecords {
  Slice records;
  std::size_t position = 0;          // of the next batch in it
  std::deque<AbortedRange> aborted;  // sorted by first offset, those already begun removed
  std::set<ProducerId> aborting;     // producers inside an aborted transaction
};

// Holds: position <= offset of every record that is still to be given; `fetched` begins at or
// before position.
struct ConsumerPartition {
  TopicPartition name;
  std::shared_ptr<const std::string> topic;
  StartPosition start;             // while position is empty
  std::optional<Offset> position;  // of the next record to give
  std::optional<Offset> high_watermark;
  LeaderEpoch last_epoch = no_leader_epoch;  // of the last batch that was read
  bool paused = false;
  bool locating = false;  // its start is being looked up
  bool fetching = false;  // part of a fetch under way
  // Another one with every seek, and never the same for two partitions under one name: answers to
  // older questions are dropped.
  std::uint64_t generation = 0;
  env::TimePoint pause_until{};  // after a failure that passes
  std::optional<FetchedRecords> fetched;
  std::optional<Error> failure;  // given by the next poll()
};

// One broker's incremental fetch session (KIP-227): what the broker believes is asked for.
struct FetchSession {
  struct Asked {
    Offset offset;
    LeaderEpoch leader_epoch;
    Uuid topic_id;
    friend bool operator==(const Asked&, const Asked&) = default;
  };
  std::int32_t id = 0;
  std::int32_t epoch = 0;  // of the next request; 0 opens a session
  std::map<TopicPartition, Asked> asked;
  bool busy = false;
};

class Consumer::State {
 public:
  State(Cluster& cluster, ConsumerOptions options);
  ~State();

  Result<> assign(std::vector<Assignment> assignments);
  Result<> add(std::vector<Assignment> assignments);
  void remove(const std::vector<TopicPartition>& names);
  void interrupt();
  Result<> seek(const TopicPartition& name, StartPosition start);
  Result<> pause(const TopicPartition& name, bool paused);
  env::Task<Result<std::vector<ConsumerRecord>>> poll(env::TimePoint deadline);
  [[nodiscard]] const ConsumerPartition* find(const TopicPartition& name) const;
  env::Task<void> close();

 private:
  using Partitions = std::map<TopicPartition, std::shared_ptr<ConsumerPartition>>;

  std::shared_ptr<ConsumerPartition> make_partition(const Assignment& assignment,
                                                    std::shared_ptr<const std::string> topic);

  // Reading what has arrived (consumer.cc).
  Result<> drain(std::vector<ConsumerRecord>& records);
  Result<> read_batches(ConsumerPartition& partition, std::vector<ConsumerRecord>& records);
  Result<> read_batch(ConsumerPartition& partition, const record::BatchView& batch,
                      std::vector<ConsumerRecord>& records);
  static void begin_aborted(FetchedRecords& fetched, Offset up_to);
  static bool is_aborted(FetchedRecords& fetched, const record::BatchView& batch);
  static void note_marker(FetchedRecords& fetched, const record::BatchView& batch);

  // Asking for more (consumer_fetcher.cc).
  void start_work();
  env::Task<void> locate(std::string topic);
  env::Task<void> fetch(BrokerId leader);
  protocol::FetchRequest next_request(FetchSession& session,
                                      const std::map<TopicPartition, FetchSession::Asked>& wanted);
  void take_answer(FetchSession& session, protocol::FetchResponse& answer,
                   const std::map<TopicPartition, std::uint64_t>& generations);
  template <class PartitionData>
  void take_partition(ConsumerPartition& partition, PartitionData& data);
  [[nodiscard]] std::optional<StartPosition> reset_position() const;
  void fail_partition(ConsumerPartition& partition, ErrorCode code);
  env::Task<void> learn_topic(std::string topic);

  Cluster& cluster_;
  ConsumerOptions options_;
  Partitions partitions_;
  std::optional<TopicPartition> last_drained_;  // the next poll begins behind it
  std::map<BrokerId, FetchSession> sessions_;
  std::map<std::string, TopicPointer> topics_;
  std::set<std::string> learning_;
  std::set<std::string> locating_;
  record::CodecScratch scratch_;
  env::Event arrived_;
  bool news_ = false;
  bool interrupted_ = false;
  std::uint64_t last_generation_ = 0;
  bool stopping_ = false;
  env::Gate gate_;
};

}  // namespace arus::client
