#include "storage/commit_log_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/log.h"
#include "record/batch.h"
#include "storage/batch_scanner.h"
#include "storage/file_names.h"
#include "storage/zeros.h"

namespace arus::storage {

namespace {

const LogComponent commit_log_reader_log{"storage.commit_log"};

constexpr std::int64_t most_file_bytes = std::int64_t{1} << 30;

void settle(FoundCommitLog& found, const CommitLogEntry& entry) {
  const auto partition = found.partitions.find({entry.topic_id, entry.name.partition});
  if (partition == found.partitions.end()) return;
  std::erase_if(partition->second.writes,
                [&entry](const FoundWrite& write) { return write.segment < entry.segment; });
  if (partition->second.writes.empty()) found.partitions.erase(partition);
}

void take(FoundCommitLog& found, std::size_t lap, std::size_t at,
          const ParsedCommitLogEntry& parsed) {
  const CommitLogEntry& entry = parsed.entry;
  if (entry.type == CommitLogEntryType::settled) {
    settle(found, entry);
    return;
  }
  FoundPartition& partition = found.partitions[{entry.topic_id, entry.name.partition}];
  partition.name = entry.name;
  partition.writes.push_back({.lap = lap,
                              .payload_at = at + parsed.payload_at,
                              .size_bytes = parsed.size_bytes - parsed.payload_at,
                              .segment = entry.segment,
                              .position = entry.position});
}

// Takes the entries of one lap up to the first that is not one.
void take_lap(FoundCommitLog& found, std::size_t lap, ByteView file) {
  const CommitLogHeader& header = found.laps[lap].header;
  const std::uint32_t salt = commit_log_salt(header.generation);
  std::uint64_t sequence = header.first_sequence;
  std::size_t at = commit_log_format::block_bytes;
  while (at < file.size()) {
    const auto parsed = parse_commit_log_entry(file.subspan(at), salt);
    if (parsed && parsed->entry.sequence == sequence) {
      take(found, lap, at, *parsed);
      at += parsed->size_bytes;
      ++sequence;
    } else if (at % commit_log_format::block_bytes != 0) {
      at = commit_log_format::to_blocks(at);  // the group ends here
    } else {
      break;
    }
  }
  found.next_sequence = sequence;
}

}  // namespace

Result<FoundCommitLog> read_commit_log(env::FileSystem& files, const std::string& root) {
  FoundCommitLog found;
  const auto entries = files.list(root);
  if (!entries) return fail(entries.error());
  for (const auto& entry : *entries) {
    const auto number = parse_commit_log_file_name(entry.name);
    if (!number || entry.is_directory) continue;
    const std::string path = join_path(root, entry.name);
    const auto file = files.open(path, env::OpenMode::read);
    if (!file) return fail(file.error());
    const auto size = (*file)->size();
    if (!size) return fail(size.error());
    Bytes block(commit_log_format::block_bytes);
    const auto count = (*file)->read_at(block, 0);
    if (!count) return fail(count.error());
    block.resize(*count);
    if (auto header = parse_commit_log_header(block)) {
      found.laps.push_back({*number, path, static_cast<std::size_t>(*size), std::move(*header)});
    } else if (only_zeros(block)) {
      found.void_files.push_back(path);
    }
  }
  std::ranges::sort(found.laps, {}, [](const FoundLap& lap) { return lap.header.generation; });
  for (std::size_t i = 0; i < found.laps.size(); ++i) {
    const FoundLap& lap = found.laps[i];
    if (i > 0 && lap.header.first_sequence != found.next_sequence) {
      commit_log_reader_log.error("{}: the commit log lacks the entries from {} to {}", lap.path,
                                  found.next_sequence, lap.header.first_sequence);
    }
    const auto bytes = files.read_file(lap.path, most_file_bytes);
    if (!bytes) return fail(bytes.error());
    take_lap(found, i, *bytes);
    found.next_generation = lap.header.generation + 1;
  }
  return found;
}

Result<> remove_void_files(env::FileSystem& files, const std::string& root, FoundCommitLog& found) {
  if (found.void_files.empty()) return {};
  for (const std::string& path : std::exchange(found.void_files, {})) {
    ARUS_TRY(files.remove(path));
  }
  return files.sync_directory(root);
}

std::string_view find_foreign(const FoundCommitLog& found,
                              const std::optional<DirectoryIdentity>& identity) {
  if (!identity) return {};
  for (const FoundLap& lap : found.laps) {
    const CommitLogOwner& owner = lap.header.owner;
    if (owner.directory_id.is_zero()) continue;
    if (owner.cluster_id != identity->cluster_id) return "it is of another cluster";
    if (owner.directory_id != identity->directory_id) return "it is of another directory";
  }
  return {};
}

bool is_of_run(const FoundCommitLog& found, const std::optional<BrokerRegistration>& newest) {
  if (found.laps.empty()) return true;
  const CommitLogOwner& owner = found.laps.back().header.owner;
  if (owner.incarnation_id.is_zero()) return true;
  return newest && newest->incarnation_id == owner.incarnation_id &&
         newest->broker_epoch == owner.broker_epoch;
}

Result<> set_aside(env::FileSystem& files, const std::string& root, FoundCommitLog& found,
                   std::string_view why) {
  for (const FoundLap& lap : found.laps) {
    const std::string kept = join_path(
        root, std::string(commit_log_format::aside_prefix) + std::to_string(lap.header.generation));
    commit_log_reader_log.warning("{} is not replayed: {}; it is kept as {}", lap.path, why, kept);
    ARUS_TRY(files.rename(lap.path, kept));
  }
  if (!found.laps.empty()) ARUS_TRY(files.sync_directory(root));
  found.laps.clear();
  found.partitions.clear();
  return {};
}

namespace {

std::unexpected<Error> lost(const FoundWrite& write, const std::string& path, std::int64_t size) {
  return fail(
      ErrorCode::kafka_storage_error,
      fmt::format("{} has {} bytes, but the commit log goes on at {}: what lies between is lost",
                  path, size, write.position));
}

// Replays the writes of one partition.
class Restorer {
 public:
  Restorer(env::FileSystem& files, const std::string& folder, const std::vector<FoundLap>& laps)
      : files_(files), folder_(folder), laps_(laps) {}

  Result<> restore(const FoundWrite& write);
  [[nodiscard]] bool changed() const { return changed_; }
  [[nodiscard]] bool stopped() const { return stopped_; }

 private:
  Result<> read_payload(const FoundWrite& write);
  Result<> open_segment(const FoundWrite& write);
  // Somebody has led the partition since: a valid batch of a later epoch stands where these differ.
  Result<bool> is_overtaken(const FoundWrite& write, ByteView there, std::int64_t size);

  env::FileSystem& files_;
  const std::string& folder_;
  const std::vector<FoundLap>& laps_;
  std::unique_ptr<env::File> lap_;
  std::size_t lap_index_ = 0;
  std::unique_ptr<env::File> segment_;
  Offset segment_base_;
  Bytes payload_;
  bool changed_ = false;
  bool stopped_ = false;
};

Result<> Restorer::read_payload(const FoundWrite& write) {
  if (lap_ == nullptr || lap_index_ != write.lap) {
    auto opened = files_.open(laps_[write.lap].path, env::OpenMode::read);
    if (!opened) return fail(std::move(opened).error());
    lap_ = std::move(*opened);
    lap_index_ = write.lap;
  }
  payload_.resize(write.size_bytes);
  return read_fully(*lap_, payload_, static_cast<std::int64_t>(write.payload_at),
                    env::ReadMode::may_block);
}

Result<> Restorer::open_segment(const FoundWrite& write) {
  if (segment_ != nullptr && segment_base_ == write.segment) return {};
  const std::string path = join_path(folder_, segment_file_name(write.segment, suffix::log));
  if (write.position > 0 && !files_.exists(path)) return lost(write, path, 0);
  auto opened = files_.open(path, env::OpenMode::create);
  if (!opened) return fail(std::move(opened).error());
  segment_ = std::move(*opened);
  segment_base_ = write.segment;
  return {};
}

Result<bool> Restorer::is_overtaken(const FoundWrite& write, ByteView there, std::int64_t size) {
  record::BatchReader ours(payload_);
  std::size_t at = 0;
  std::optional<record::BatchView> batch;
  while ((batch = ours.next())) {
    if (ours.position() > there.size()) break;
    if (!equal(there.subspan(at, batch->size_bytes()), batch->bytes())) break;
    at = ours.position();
  }
  if (!batch) return false;
  BatchScanner scanner(*segment_, write.position + static_cast<std::int64_t>(at), size,
                       env::ReadMode::may_block);
  const auto theirs = scanner.next();
  if (!theirs || theirs->leader_epoch <= batch->leader_epoch()) return false;
  const auto bytes = scanner.bytes();
  if (!bytes) return fail(bytes.error());
  const auto view = record::BatchView::parse(*bytes);
  return view && !view->is_legacy() && view->crc_matches();
}

Result<> Restorer::restore(const FoundWrite& write) {
  ARUS_TRY(read_payload(write));
  ARUS_TRY(open_segment(write));
  const auto size = segment_->size();
  if (!size) return fail(size.error());
  if (*size < write.position) return lost(write, segment_->path(), *size);
  Bytes there(static_cast<std::size_t>(
      std::min(*size - write.position, static_cast<std::int64_t>(payload_.size()))));
  ARUS_TRY(read_fully(*segment_, there, write.position, env::ReadMode::may_block));
  if (equal(there, payload_)) return {};
  const auto overtaken = is_overtaken(write, there, *size);
  if (!overtaken) return fail(overtaken.error());
  if (*overtaken) {
    commit_log_reader_log.warning(
        "{}: replay ends at {}, where a batch of a later leader epoch stands", segment_->path(),
        write.position);
    stopped_ = true;
    return {};
  }
  changed_ = true;
  return segment_->write_at(payload_, write.position);
}

}  // namespace

Result<bool> restore_logged_writes(env::FileSystem& files, const std::string& folder,
                                   const FoundPartition& partition,
                                   const std::vector<FoundLap>& laps) {
  Restorer restorer(files, folder, laps);
  for (const FoundWrite& write : partition.writes) {
    ARUS_TRY(restorer.restore(write));
    if (restorer.stopped()) break;
  }
  return restorer.changed();
}

}  // namespace arus::storage
