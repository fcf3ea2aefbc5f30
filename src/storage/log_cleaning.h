// One round of compaction over the files of a log, in pieces: docs/internals/compaction.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "env/file.h"
#include "storage/batch_cleaner.h"
#include "storage/index_builder.h"
#include "storage/log_recovery.h"

namespace arus::storage {

// A closed segment; offsets in it stay below `limit`, where the next one begins. Sizes in bytes.
struct CleanableSegment {
  Offset base;
  Offset limit;
  std::int64_t size_bytes = 0;
  std::int64_t index_bytes = 0;  // of the larger index
};

struct CleaningPlan {
  std::string folder;
  std::vector<CleanableSegment> segments;   // ascending, all that may be rewritten
  std::vector<Offset> transaction_indexes;  // bases of segments that have one, of the whole log
  Offset dirty_from;
  CleaningRules rules;
  std::int64_t segment_bytes = 0;
  std::int64_t segment_index_bytes = 0;
  std::int32_t index_interval_bytes = 4096;
  std::size_t map_slots = 0;
  double map_load_factor = 0.9;
  SipKey secret{};
};

// Segments that become one, which has the base of the first.
struct CleanedGroup {
  std::vector<Offset> replaced;
  bool changed = false;   // otherwise the one segment stays as it is
  LoadedSegment segment;  // what was written, while `.cleaned`
  TimeIndexEntry largest_timestamp{record::no_timestamp, Offset{0}};
};

// begin(), map_some() until mapped(), then for each group begin_group(), clean_some() until
// group_ended(), and whoever owns this exchanges the segments. Each call is of bounded length and
// blocks: for the pool, one at a time. Files are made with the ending `.cleaned` and are on stable
// storage, with their names, when the group has ended.
class LogCleaning {
 public:
  static constexpr std::int64_t piece_bytes = std::int64_t{1} << 20;

  LogCleaning(env::FileSystem& files, CleaningPlan plan);

  Result<> begin();
  // Gives the bytes that were read.
  Result<std::int64_t> map_some();
  [[nodiscard]] bool mapped() const { return mapped_; }
  // Where the round ends: what lies beyond is still dirty.
  [[nodiscard]] Offset mapped_end() const { return plan_.rules.mapped_end; }

  // False when no group is left.
  Result<bool> begin_group();
  // Gives the bytes that were read and written.
  Result<std::int64_t> clean_some();
  [[nodiscard]] bool group_ended() const { return group_ended_; }
  // The last error was one of writing or flushing, and not of reading.
  [[nodiscard]] bool failed_to_write() const { return failed_to_write_; }
  [[nodiscard]] const CleanedGroup& group() const { return group_; }

 private:
  [[nodiscard]] std::string path_of(Offset base, std::string_view kind) const;
  [[nodiscard]] std::unexpected<Error> damaged(std::string_view why) const;
  Result<> open(const CleanableSegment& segment);
  // The next batch of the open segment, checked to stand in order; nothing at its end.
  Result<std::optional<BatchHeader>> next_batch();
  Result<bool> map_batch(const BatchHeader& batch);
  Result<> clean_batch(const BatchHeader& batch, ByteView bytes);
  Result<> note_write(Result<> result);
  Result<> write_out();
  Result<> end_group();
  Result<> write_file(std::string_view kind, ByteView bytes);

  env::FileSystem& files_;
  CleaningPlan plan_;
  std::vector<TransactionIndexEntry> aborted_;
  std::unique_ptr<OffsetMap> map_;
  std::unique_ptr<TransactionFilter> transactions_;
  std::unique_ptr<BatchCleaner> cleaner_;
  record::CodecScratch scratch_;
  bool mapped_ = false;

  // The segment under way.
  std::size_t at_ = 0;
  std::size_t group_from_ = 0;
  std::size_t group_to_ = 0;
  std::size_t last_filled_ = 0;  // of the group: the last one that has batches
  std::unique_ptr<env::File> source_;
  std::optional<BatchScanner> scanner_;
  Offset next_;

  // What is written.
  CleanedGroup group_;
  bool group_ended_ = false;
  bool failed_to_write_ = false;
  std::unique_ptr<env::File> target_;
  Bytes out_;
  std::int64_t written_ = 0;
  IndexBuilder index_;
};

}  // namespace arus::storage
