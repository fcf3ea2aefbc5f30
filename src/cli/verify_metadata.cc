#include "cli/verify_metadata.h"

#include <fmt/core.h>

#include <algorithm>

#include "metadata/image_builder.h"
#include "protocol/record_codec.h"
#include "raft/core/quorum_state.h"
#include "raft/driver/batch_file.h"
#include "raft/driver/metadata_log.h"
#include "record/compression.h"
#include "record/record.h"
#include "storage/batch_search.h"
#include "storage/file_names.h"

namespace arus::cli {
namespace {

constexpr std::int64_t most_small_file_bytes = 1 << 20;

// One reading; the parts are run once, in the order of run().
class Reading {
 public:
  Reading(env::FileSystem& files, const std::string& directory)
      : files_(files), folder_(directory + "/" + raft::metadata_log_name) {}

  MetadataRead run() {
    if (files_.exists(folder_)) {
      check_quorum_state();
      if (read_files()) {
        if (auto image = builder_.finish(next_ - 1, LeaderEpoch{0})) read_.image = *image;
      }
    }
    return std::move(read_);
  }

 private:
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }

  void check_quorum_state() {
    const std::string file = path("quorum-state");
    if (!files_.exists(file)) return;
    const auto text = files_.read_file(file, most_small_file_bytes);
    const auto state = text ? raft::parse_quorum_state(as_text(*text))
                            : Result<raft::ElectionState>(fail(text.error()));
    if (state) return;
    read_.findings.push_back({.severity = storage::Severity::error,
                              .file = file,
                              .problem = state.error().message + ".",
                              .at_start = "A start refuses the directory: the file holds the vote "
                                          "that must not be forgotten."});
  }

  // False where not everything could be read: what that would be blamed for is found elsewhere.
  bool read_files() {
    const auto entries = files_.list(folder_);
    if (!entries) return false;
    std::vector<Offset> segments;
    std::optional<raft::SnapshotId> newest;
    for (const auto& entry : *entries) {
      if (const auto id = raft::SnapshotId::parse_file_name(entry.name)) {
        newest = std::max(newest.value_or(*id), *id);
      }
      if (const auto base = storage::parse_segment_file_name(entry.name, storage::suffix::log)) {
        segments.push_back(*base);
      }
    }
    std::ranges::sort(segments);
    if (newest && !read_file(path(newest->file_name()), true)) return false;
    if (newest) next_ = newest->end;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      const bool is_last = i + 1 == segments.size();
      const std::string name = storage::segment_file_name(segments[i], storage::suffix::log);
      if (!read_file(path(name), false) && !(is_last && ends_there(path(name)))) return false;
    }
    return read_.findings.empty();
  }

  // False where the file ends in something that is no batch.
  bool read_file(const std::string& file_path, bool snapshot) {
    const auto file = files_.open(file_path, env::OpenMode::read);
    if (!file) return false;
    std::int64_t position = 0;
    const auto end = raft::read_batches(**file, [&](const record::BatchView& batch) -> Result<> {
      const std::int64_t at = position;
      position += static_cast<std::int64_t>(batch.size_bytes());
      if (batch.is_control() || (!snapshot && batch.last_offset() < next_)) return {};
      auto applied = apply(batch, snapshot ? Offset{0} : next_);
      if (!applied) {
        read_.findings.push_back(
            {.severity = storage::Severity::error,
             .file = file_path,
             .position = at,
             .offset = batch.base_offset(),
             .problem = fmt::format("A record of the metadata cannot be applied: {}.",
                                    applied.error().message),
             .at_start = "A start fails when it comes to it."});
        return applied;
      }
      if (!snapshot) next_ = batch.next_offset();
      return {};
    });
    valid_bytes_ = end ? end->valid_bytes : 0;
    return end && end->valid_bytes == end->file_bytes;
  }

  // Whether no whole batch follows what was read: a torn write, and not damage before the end.
  bool ends_there(const std::string& file_path) {
    constexpr Offset unlimited{std::numeric_limits<std::int64_t>::max()};
    const auto file = files_.open(file_path, env::OpenMode::read);
    const auto size = file ? (*file)->size() : Result<std::int64_t>(fail(file.error()));
    if (!size) return false;
    const auto behind =
        storage::find_whole_batch(**file, valid_bytes_ + 1, *size, next_, unlimited);
    return behind && !*behind;
  }

  Result<> apply(const record::BatchView& batch, Offset from) {
    record::RecordReader records(batch, scratch_);
    while (const auto record = records.next()) {
      if (record->offset < from || !record->value) continue;
      const auto decoded = protocol::decode_metadata_record(*record->value);
      if (!decoded) return fail(decoded.error());
      ARUS_TRY(builder_.apply(decoded->record));
    }
    return records.status();
  }

  env::FileSystem& files_;
  const std::string folder_;
  MetadataRead read_;
  metadata::ImageBuilder builder_{std::make_shared<const metadata::MetadataImage>()};
  record::CodecScratch scratch_;
  Offset next_{0};
  std::int64_t valid_bytes_ = 0;  // of the file that was read last
};

// Whether a replica's directory is this one, as far as it is said.
bool may_be_in(const Uuid& replica, const Uuid& directory) {
  return replica == directory || replica == directory_migrating ||
         replica == directory_unassigned || replica == directory_lost || directory.is_zero();
}

}  // namespace

MetadataRead read_metadata(env::FileSystem& files, const std::string& directory) {
  return Reading(files, directory).run();
}

storage::ExpectedPartitions expected_partitions(const metadata::MetadataImage& image,
                                                const storage::DirectoryIdentity& identity) {
  storage::ExpectedPartitions expected;
  const BrokerId node{identity.node_id};
  for (const auto& [name, topic] : image.topics) {
    expected.topics[name] = topic->id;
    for (std::size_t i = 0; i < topic->partitions.size(); ++i) {
      const metadata::PartitionImage& partition = *topic->partitions[i];
      const auto replica = std::ranges::find(partition.replicas, node);
      if (replica == partition.replicas.end()) continue;
      const auto at = static_cast<std::size_t>(replica - partition.replicas.begin());
      const bool here = at >= partition.directories.size() ||
                        may_be_in(partition.directories[at], identity.directory_id);
      if (here) expected.assigned[{name, static_cast<std::int32_t>(i)}] = topic->id;
    }
  }
  if (const auto broker = image.broker(node)) {
    expected.newest = storage::BrokerRegistration{.incarnation_id = broker->incarnation_id,
                                                  .broker_epoch = broker->epoch};
  }
  return expected;
}

}  // namespace arus::cli
