// What readers ask of a log: batches, times, aborted transactions.
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "env/file_range.h"
#include "storage/batch_scanner.h"
#include "storage/log_search.h"
#include "storage/partition_log.h"
#include "storage/transaction_index.h"

namespace arus::storage {

namespace {

// With so much at hand a reader is answered rather than made to wait for the disk for more.
constexpr std::size_t worth_answering_bytes = std::size_t{64} << 10;

const LogComponent partition_log_read_log{"storage.read"};

}  // namespace

Segment* PartitionLog::find_segment(Offset offset) const {
  const auto above = std::ranges::upper_bound(segments_, offset, {}, &Segment::base_offset);
  return above == segments_.begin() ? nullptr : (above - 1)->get();
}

Segment* PartitionLog::segment_at(Offset base) const {
  Segment* const found = find_segment(base);
  return found != nullptr && found->base_offset() == base ? found : nullptr;
}

std::int64_t PartitionLog::readable_bytes(const Segment& segment) const {
  if (segment.base_offset() < written_segment_) return segment.size_bytes();
  return segment.base_offset() == written_segment_ ? written_bytes_ : 0;
}

SegmentView PartitionLog::view(const Segment& segment) const {
  const auto next =
      std::ranges::upper_bound(segments_, segment.base_offset(), {}, &Segment::base_offset);
  const Offset limit =
      next == segments_.end() ? written_end_ : std::min((*next)->base_offset(), written_end_);
  return segment.view(readable_bytes(segment), limit, host_->open_files);
}

// Those that may hold offsets in [from, to).
std::vector<SegmentView> PartitionLog::views(Offset from, Offset to) const {
  std::vector<SegmentView> found;
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const Segment& segment = *segments_[i];
    if (segment.base_offset() >= to) break;
    if (i + 1 < segments_.size() && segments_[i + 1]->base_offset() <= from) continue;
    found.push_back(view(segment));
  }
  return found;
}

std::unexpected<Error> PartitionLog::out_of_range(Offset from) const {
  return fail(ErrorCode::offset_out_of_range,
              fmt::format("{} holds offsets from {} to {}, not {}", name_.to_string(),
                          log_start_.value(), log_end_.value(), from.value()));
}

SegmentRead PartitionLog::request_for(const Segment& segment, Offset from, FetchBound bound) const {
  SegmentRead request{.from = from,
                      .end = std::min(bound.end, written_end_),
                      .max_bytes = bound.max_bytes,
                      .at_least_one_batch = bound.at_least_one_batch,
                      .start = segment.find_cursor(from),
                      .exact = false,
                      .as_file = bound.as_file};
  if (request.start) {
    request.exact = true;
  } else if (segment.tail() != nullptr) {
    if (const auto entry = segment.tail()->floor(from)) {
      request.start = LogPosition{entry->offset, entry->position};
    }
  }
  return request;
}

// The part of read() that may wait for the disk, and so may find another segment by this name than
// the loop knew before. What it brings into the page cache goes again: a reader of old data must
// not push out what those at the end of logs are about to read.
env::Task<Result<SegmentBatches>> PartitionLog::read_cold(Offset base, Offset from,
                                                          FetchBound bound, SegmentView& facts) {
  const auto hold = co_await file_latch_.share();
  const Segment* const segment = segment_at(base);
  if (from < log_start_) co_return out_of_range(from);
  // Compaction has made it part of the one before.
  if (segment == nullptr) co_return fail(Error{ErrorCode::kafka_storage_error, "Gone", EAGAIN});
  facts = view(*segment);
  const SegmentRead request = request_for(*segment, from, bound);
  const bool newest = segment == segments_.back().get();
  env::FileSystem& files = host_->environment.files();
  co_return co_await env::run_on(host_->pool, [&files, &facts, &request, newest] {
    auto batches = read_batches(files, facts, request, env::ReadMode::may_block);
    if (batches && batches->from_disk && !newest && !batches->records.empty()) {
      const auto size = static_cast<std::int64_t>(batches->records.size());
      facts.log->drop_cache(batches->next.position - size, size);
    }
    return batches;
  });
}

// Whoever reads old data waits after it, where the disk needs that.
env::Task<void> PartitionLog::rest(std::size_t bytes) {
  const env::TimePoint now = env::Loop::current()->now();
  const env::TimePoint until = host_->port->cold_read_pace().rest_until(bytes, now);
  if (until > now) co_await env::sleep_for(until - now);
}

void PartitionLog::note_damage(const Error& error) {
  if (error.code != ErrorCode::corrupt_message) return;
  if (damage_ == nullptr) damage_ = std::make_unique<std::set<std::string>>();
  if (damage_->size() >= most_damage_noted || !damage_->insert(error.message).second) return;
  partition_log_read_log.error("{}", error.message);
}

// Goes on into the next segments while there is room: compaction may have left hardly anything in
// the first, and an answer without records looks like the end of the log to some clients.
env::Task<Result<Fetched>> PartitionLog::read(Offset from, FetchBound bound) {
  if (from < log_start_ || from > log_end_) co_return out_of_range(from);
  bound.end = std::min(bound.end, written_end_);
  Fetched fetched;
  Segment* segment = from < bound.end ? find_segment(from) : nullptr;
  while (segment != nullptr && segment->base_offset() < bound.end) {
    const Offset base = segment->base_offset();
    SegmentView facts = view(*segment);
    auto batches = read_batches(host_->environment.files(), facts,
                                request_for(*segment, from, bound), env::ReadMode::cached_only);
    const bool cold = !batches && would_block(batches.error());
    if (cold && bound.cached_only && fetched.size_bytes == 0) {
      co_return std::unexpected(std::move(batches).error());
    }
    if (cold && !bound.cached_only && fetched.size_bytes < worth_answering_bytes) {
      batches = co_await read_cold(base, from, bound, facts);
      if (batches && batches->from_disk) co_await rest(batches->records.size());
      segment = segment_at(base);
    }
    if (!batches) {
      if (fetched.size_bytes > 0) break;
      // The segment was deleted under the reader, or has become a part of another.
      if (from < log_start_) co_return out_of_range(from);
      if (!would_block(batches.error())) {
        note_damage(batches.error());
        co_return fail(std::move(batches).error());
      }
      segment = find_segment(from);
      continue;
    }
    if (segment != nullptr) segment->keep(facts, batches->verified_to, host_->open_files);
    if (const auto size = batches->records.size(); size > 0) {
      if (segment != nullptr) segment->note_cursor(batches->next);
      from = batches->next.offset;
      fetched.records.push_back(std::move(batches->records));
      fetched.size_bytes += size;
      bound.max_bytes -= static_cast<std::int32_t>(size);
      bound.at_least_one_batch = false;
      // A range of a file comes alone: whoever gets several pieces may put them together.
      if (env::file_range_of(fetched.records.back()) != nullptr) break;
      bound.as_file = false;
    }
    if (!batches->at_end || (bound.max_bytes <= 0 && !bound.at_least_one_batch)) break;
    const auto next = std::ranges::upper_bound(segments_, base, {}, &Segment::base_offset);
    segment = next == segments_.end() ? nullptr : next->get();
  }
  co_return fetched;
}

namespace {

struct TransactionIndexFile {
  std::string path;
  bool staged = false;
};

// KIP-98: markers from `from` on whose transactions began below `to`.
Result<std::vector<AbortedTransaction>> read_aborted(
    env::FileSystem& files, const std::vector<TransactionIndexFile>& indexes, Offset from,
    Offset to) {
  std::vector<AbortedTransaction> found;
  for (const auto& [path, staged] : indexes) {
    const auto bytes = under_its_name(
        path, staged, [&files](const std::string& name) { return files.read_file(name); });
    if (!bytes) {
      // The writer has not come to it yet: its marker is not visible either.
      if (bytes.error().os_error == ENOENT) continue;
      return fail(bytes.error());
    }
    const std::size_t whole = bytes->size() - bytes->size() % transaction_index_format::entry_bytes;
    const auto entries = parse_transaction_index(ByteView(*bytes).first(whole));
    if (!entries) return fail(ErrorCode::corrupt_message, path + ": " + entries.error().message);
    for (const TransactionIndexEntry& entry : *entries) {
      if (entry.last_offset >= from && entry.first_offset < to) {
        found.push_back({entry.producer_id, entry.first_offset});
      }
      if (entry.last_stable_offset >= to) return found;
    }
  }
  return found;
}

}  // namespace

env::Task<Result<std::vector<AbortedTransaction>>> PartitionLog::aborted_transactions(Offset from,
                                                                                      Offset to) {
  const auto hold = co_await file_latch_.share();
  std::vector<TransactionIndexFile> indexes;
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    // Markers stand at or behind their records: only segments that end before `from` are out.
    if (i + 1 < segments_.size() && segments_[i + 1]->base_offset() <= from) continue;
    if (!segments_[i]->has_transaction_index()) continue;
    const Offset base = segments_[i]->base_offset();
    indexes.push_back(
        {.path = join_path(folder_->path, segment_file_name(base, suffix::transaction_index)),
         .staged = segments_[i]->staged()});
  }
  if (indexes.empty()) co_return std::vector<AbortedTransaction>{};
  env::FileSystem& files = host_->environment.files();
  co_return co_await env::run_on(
      host_->pool, [&files, &indexes, from, to] { return read_aborted(files, indexes, from, to); });
}

env::Task<Result<std::optional<TimestampedOffset>>> PartitionLog::find_timestamp(
    std::int64_t timestamp_ms, Offset end) {
  const auto hold = co_await file_latch_.share();
  const Offset limit = std::min(end, written_end_);
  auto segments = views(log_start_, limit);
  if (segments.empty()) co_return std::optional<TimestampedOffset>{};
  env::FileSystem& files = host_->environment.files();
  const TimestampSearch search{segments, log_start_, limit};
  co_return co_await env::run_on(host_->pool, [&files, &search, timestamp_ms] {
    return search_timestamp(files, search, timestamp_ms);
  });
}

env::Task<Result<std::optional<TimestampedOffset>>> PartitionLog::find_max_timestamp(Offset end) {
  const auto hold = co_await file_latch_.share();
  const Offset limit = std::min(end, written_end_);
  auto segments = views(log_start_, limit);
  if (segments.empty()) co_return std::optional<TimestampedOffset>{};
  env::FileSystem& files = host_->environment.files();
  const TimestampSearch search{segments, log_start_, limit};
  co_return co_await env::run_on(host_->pool,
                                 [&files, &search] { return search_max_timestamp(files, search); });
}

}  // namespace arus::storage
