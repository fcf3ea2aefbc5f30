#include "storage/aborted_transactions.h"

#include "storage/batch_scanner.h"
#include "storage/file_names.h"
#include "storage/producer_replay.h"
#include "storage/producer_snapshot.h"

namespace arus::storage {

namespace {

// The state of the newest snapshot at or below `target`, and the offset that it is of.
Result<Offset> load_nearest(env::FileSystem& files, const std::string& folder, Offset log_start,
                            const std::set<Offset>& snapshots, Offset target,
                            ProducerState& producers) {
  for (auto at = snapshots.upper_bound(target); at != snapshots.begin();) {
    --at;
    if (*at < log_start) break;
    const auto bytes =
        files.read_file(join_path(folder, segment_file_name(*at, suffix::producer_snapshot)));
    if (!bytes) return fail(bytes.error());
    const auto entries = parse_producer_snapshot(*bytes);
    if (!entries) continue;
    producers.load(*entries);
    return *at;
  }
  return log_start;
}

// Applies the batches of one segment from `from` on; those that it ends as aborted go to `found`.
Result<> replay(env::FileSystem& files, const std::string& path, Offset from,
                ProducerState& producers, std::vector<TransactionIndexEntry>* found) {
  const auto file = files.open(path, env::OpenMode::read);
  if (!file) return fail(file.error());
  const auto size = (*file)->size();
  if (!size) return fail(size.error());
  BatchScanner scanner(**file, 0, *size, env::ReadMode::may_block);
  while (const auto batch = scanner.next()) {
    if (batch->last_offset < from) continue;
    const auto append = to_producer_append(*batch, [&] { return scanner.bytes(); });
    if (!append && append.error().code == ErrorCode::corrupt_message) return {};
    if (!append) return fail(append.error());
    if (!*append) continue;
    const auto completed = producers.apply(**append);
    if (!completed) continue;
    producers.release_below(batch->last_offset + 1);
    if (completed->aborted && found != nullptr) {
      found->push_back({completed->producer_id, completed->first_offset, completed->last_offset,
                        completed->last_stable_offset});
    }
  }
  const Result<>& status = scanner.status();
  if (!status && status.error().code != ErrorCode::corrupt_message) return fail(status.error());
  return {};
}

}  // namespace

Result<std::vector<TransactionIndexEntry>> find_aborted_transactions(
    env::FileSystem& files, const std::string& folder, std::span<const Offset> segments,
    const std::set<Offset>& snapshots, Offset target) {
  std::vector<TransactionIndexEntry> found;
  if (segments.empty()) return found;
  ProducerState producers;
  const auto from = load_nearest(files, folder, segments.front(), snapshots, target, producers);
  if (!from) return fail(from.error());
  for (std::size_t i = 0; i < segments.size() && segments[i] <= target; ++i) {
    if (i + 1 < segments.size() && segments[i + 1] <= *from) continue;
    ARUS_TRY(replay(files, join_path(folder, segment_file_name(segments[i], suffix::log)), *from,
                    producers, segments[i] == target ? &found : nullptr));
  }
  return found;
}

Bytes encode_transaction_index(std::span<const TransactionIndexEntry> entries) {
  Bytes bytes;
  for (const TransactionIndexEntry& entry : entries) encode(entry, bytes);
  return bytes;
}

}  // namespace arus::storage
