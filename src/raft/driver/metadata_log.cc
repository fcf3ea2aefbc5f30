#include "raft/driver/metadata_log.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/log.h"
#include "env/os_error.h"
#include "storage/batch_search.h"
#include "storage/failed_flush.h"

namespace arus::raft {
namespace {

const LogComponent logger{"raft.log"};

// A group of batches that one flush makes durable is not larger, but for one large batch.
constexpr std::size_t max_flight_bytes = std::size_t{16} << 20;

std::string segment_name(Offset base) { return fmt::format("{:020}.log", base.value()); }

std::optional<Offset> parse_segment_name(std::string_view name) {
  std::int64_t base = 0;
  if (name.size() != 24 || !name.ends_with(".log")) return std::nullopt;
  const auto [end, error] = std::from_chars(name.data(), name.data() + 20, base);
  if (error != std::errc{} || end != name.data() + 20 || base < 0) return std::nullopt;
  return Offset{base};
}

bool is_leftover(std::string_view name) {
  return name.ends_with(".part") || name.ends_with(".deleted") || name.ends_with(".tmp");
}

// Lookup files that Kafka keeps beside a segment and builds anew where they are missing.
constexpr std::array<std::string_view, 3> lookup_suffixes{".index", ".timeindex", ".txnindex"};

std::vector<std::string> segment_files(Offset base) {
  std::vector<std::string> names{segment_name(base)};
  for (const auto suffix : lookup_suffixes) {
    names.push_back(fmt::format("{:020}{}", base.value(), suffix));
  }
  return names;
}

}  // namespace

MetadataLog::MetadataLog(env::Environment& environment, std::string directory,
                         MetadataLogOptions options)
    : environment_(environment),
      directory_(std::move(directory)),
      options_(options),
      worker_(environment.make_worker("metadata-log")) {}

MetadataLog::~MetadataLog() = default;

env::Task<Result<std::unique_ptr<MetadataLog>>> MetadataLog::open(env::Environment& environment,
                                                                  std::string log_directory,
                                                                  MetadataLogOptions options) {
  std::unique_ptr<MetadataLog> log(
      new MetadataLog(environment, log_directory + "/" + metadata_log_name, options));
  MetadataLog* const opened = log.get();
  ARUS_CO_TRY(co_await env::run_on(*log->worker_, [opened] { return opened->open_blocking(); }));
  co_return log;
}

Result<> MetadataLog::open_blocking() {
  env::FileSystem& files = environment_.files();
  if (!files.exists(directory_)) {
    ARUS_TRY(files.create_directories(directory_));
    ARUS_TRY(files.sync_directory(root()));
  }
  ARUS_TRY(list_files());
  if (!files.exists(path("partition.metadata"))) {
    const std::string text = "version: 0\ntopic_id: " + metadata_topic_id.to_string();
    ARUS_TRY(files.replace_file(path("partition.metadata"), as_bytes(text)));
  }
  ARUS_TRY(load_epochs());
  ARUS_TRY(recover_segments());
  if (files.exists(path("quorum-state"))) {
    const auto text = files.read_file(path("quorum-state"), 1 << 20);
    if (!text) return fail(text.error());
    auto state = parse_quorum_state(as_text(*text));
    if (!state) return fail(std::move(state).error());
    quorum_state_ = *state;
  }
  durable_end_ = end_;
  return {};
}

Result<> MetadataLog::list_files() {
  const auto entries = environment_.files().list(directory_);
  if (!entries) return fail(entries.error());
  std::vector<std::string> leftovers;
  for (const auto& entry : *entries) {
    if (entry.is_directory) continue;
    if (is_leftover(entry.name)) leftovers.push_back(entry.name);
    if (const auto id = SnapshotId::parse_file_name(entry.name)) snapshots_.push_back(*id);
    if (const auto base = parse_segment_name(entry.name)) segments_.push_back(Segment{*base, 0});
  }
  std::ranges::sort(snapshots_);
  std::ranges::sort(segments_, {}, &Segment::base);
  return remove_blocking(leftovers);
}

Result<> MetadataLog::load_epochs() {
  if (!environment_.files().exists(path("leader-epoch-checkpoint"))) return {};
  const auto text = environment_.files().read_file(path("leader-epoch-checkpoint"), 1 << 24);
  if (!text) return fail(text.error());
  std::vector<std::int64_t> numbers;
  std::string_view rest = as_text(*text);
  while (!rest.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error != std::errc{}) break;
    numbers.push_back(number);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\n')) rest.remove_prefix(1);
  }
  // Batches say the same: what cannot be read is built again from the segments.
  if (!rest.empty() || numbers.size() < 2 || numbers[0] != 0 || numbers.size() % 2 != 0) return {};
  for (std::size_t i = 2; i + 1 < numbers.size(); i += 2) {
    epochs_.push_back(
        EpochStart{LeaderEpoch{static_cast<std::int32_t>(numbers[i])}, Offset{numbers[i + 1]}});
  }
  return {};
}

Result<> MetadataLog::recover_segments() {
  const SnapshotId newest = snapshots_.empty() ? SnapshotId{} : snapshots_.back();
  if (segments_.empty()) return start_at(newest.end);
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    if (i > 0 && segments_[i].base != end_) {
      return fail(ErrorCode::kafka_storage_error,
                  fmt::format("{}: the segment should begin at offset {}",
                              path(segment_name(segments_[i].base)), end_.value()));
    }
    ARUS_TRY(recover_segment(segments_[i], i + 1 == segments_.size()));
  }
  if (newest.end > end_) {
    logger.warning("the newest snapshot ends at {}, beyond the log end {}: the log begins there",
                   newest.end.value(), end_.value());
    for (const Segment& segment : segments_) ARUS_TRY(remove_blocking(segment_files(segment.base)));
    segments_.clear();
    epochs_.clear();
    return start_at(newest.end);
  }
  if (start() > Offset{0} && newest.end < start()) {
    return fail(
        ErrorCode::kafka_storage_error,
        fmt::format("{}: the log begins at offset {}, and no snapshot holds what was before",
                    directory_, start().value()));
  }
  last_epoch_ = std::max(last_epoch_, newest.epoch);
  return {};
}

// A write that a power cut tore may leave whole batches behind a damaged one, all of one flight.
// But a leader begins an epoch only when everything before it is on stable storage, and a snapshot
// holds nothing else: damage before either is no torn write, and to cut there would lose what was
// told to administrators. What is cut in spite of whole batches is kept beside the log.
Result<> MetadataLog::check_torn(env::File& file, const BatchFileEnd& read) const {
  constexpr Offset unlimited{std::numeric_limits<std::int64_t>::max()};
  const auto behind =
      storage::find_whole_batch(file, read.valid_bytes + 1, read.file_bytes, end_, unlimited);
  if (!behind) return fail(behind.error());
  if (!*behind) return {};
  LeaderEpoch newest_epoch = (*behind)->leader_epoch;
  Offset last = (*behind)->last_offset;
  storage::BatchScanner scanner(file, (*behind)->position, read.file_bytes,
                                env::ReadMode::may_block);
  while (const auto batch = scanner.next()) {
    newest_epoch = std::max(newest_epoch, batch->leader_epoch);
    last = batch->last_offset;
  }
  const bool too_large = static_cast<std::size_t>(read.file_bytes - read.valid_bytes) >
                         max_flight_bytes + max_metadata_batch_bytes;
  const bool covered = !snapshots_.empty() && snapshots_.back().end > end_;
  if (newest_epoch > last_epoch_ || covered || too_large) {
    return fail(
        ErrorCode::kafka_storage_error,
        fmt::format("{}: the batch at byte {}, offset {}, is damaged, and batches behind it, "
                    "up to offset {}, show that it had been on stable storage; nothing was "
                    "cut (see `arus verify`)",
                    file.path(), read.valid_bytes, end_.value(), last.value()));
  }
  const std::string kept = fmt::format("{}.from-{}.cut", file.path(), read.valid_bytes);
  logger.error(
      "{}: the batch at byte {}, offset {}, is not whole, but later ones are, up to offset "
      "{}; they are cut off with it and kept as {}",
      file.path(), read.valid_bytes, end_.value(), last.value(), kept);
  Bytes tail(static_cast<std::size_t>(read.file_bytes - read.valid_bytes));
  ARUS_TRY(storage::read_fully(file, tail, read.valid_bytes, env::ReadMode::may_block));
  return environment_.files().replace_file(kept, tail);
}

Result<> MetadataLog::recover_segment(Segment& segment, bool is_last) {
  const std::string name = path(segment_name(segment.base));
  auto file = environment_.files().open(name, env::OpenMode::read_write);
  if (!file) return fail(std::move(file).error());
  end_ = segment.base;
  std::optional<std::string> damage;
  const auto read = read_batches(**file, [&](const record::BatchView& batch) -> Result<> {
    if (batch.base_offset() != end_ || batch.leader_epoch() < last_epoch_) {
      return fail(
          ErrorCode::corrupt_message,
          fmt::format("{}: the batch at offset {} has base offset {} and epoch {}", name,
                      end_.value(), batch.base_offset().value(), batch.leader_epoch().value()));
    }
    note_epoch(batch.leader_epoch(), batch.base_offset());
    end_ = batch.next_offset();
    return {};
  });
  if (!read) return fail(read.error());
  if (read->valid_bytes < read->file_bytes) {
    if (!is_last) {
      return fail(ErrorCode::corrupt_message,
                  fmt::format("{}: damaged at byte {}", name, read->valid_bytes));
    }
    ARUS_TRY(check_torn(**file, *read));
    logger.warning("{}: {} bytes behind the last whole batch are cut off", name,
                   read->file_bytes - read->valid_bytes);
    ARUS_TRY((*file)->truncate(read->valid_bytes));
  }
  segment.size_bytes = read->valid_bytes;
  std::erase_if(epochs_, [&](const EpochStart& entry) { return is_last && entry.start >= end_; });
  if (!is_last) return {};
  // What recovery keeps is durable before anyone builds on it (durability.md, rule 9).
  if (storage::has_failed_flush(environment_.files(), root())) {
    ARUS_TRY(storage::write_file_again(**file));
  }
  ARUS_TRY((*file)->sync());
  active_ = Active{std::move(*file), read->valid_bytes};
  // These speak of the segment as Kafka left it; it builds them again.
  for (const auto suffix : lookup_suffixes) {
    ARUS_TRY(
        environment_.files().remove(path(fmt::format("{:020}{}", segment.base.value(), suffix))));
  }
  return {};
}

Result<> MetadataLog::start_at(Offset base) {
  auto file = environment_.files().open(path(segment_name(base)), env::OpenMode::create);
  if (!file) return fail(std::move(file).error());
  ARUS_TRY((*file)->truncate(0));
  ARUS_TRY((*file)->sync());
  ARUS_TRY(environment_.files().sync_directory(directory_));
  active_ = Active{std::move(*file), 0};
  segments_.push_back(Segment{base, 0});
  end_ = base;
  if (!snapshots_.empty()) last_epoch_ = snapshots_.back().epoch;
  return {};
}

Result<> MetadataLog::remove_blocking(const std::vector<std::string>& names) const {
  for (const auto& name : names) ARUS_TRY(environment_.files().remove(path(name)));
  return {};
}

void MetadataLog::note_epoch(LeaderEpoch epoch, Offset start) {
  last_epoch_ = std::max(last_epoch_, epoch);
  if (!epochs_.empty() && epochs_.back().epoch >= epoch) return;
  epochs_.push_back(EpochStart{epoch, start});
  epochs_changed_ = true;
}

std::string MetadataLog::epochs_text() const {
  std::string text = fmt::format("0\n{}\n", epochs_.size());
  for (const auto& entry : epochs_) {
    text += fmt::format("{} {}\n", entry.epoch.value(), entry.start.value());
  }
  return text;
}

Result<> MetadataLog::read_snapshot(const SnapshotId& id, const BatchVisitor& visit) const {
  const std::string name = path(id.file_name());
  auto file = environment_.files().open(name, env::OpenMode::read);
  if (!file) return fail(std::move(file).error());
  const auto read = read_batches(**file, visit);
  if (!read) return fail(read.error());
  if (read->valid_bytes != read->file_bytes || read->file_bytes == 0) {
    return fail(ErrorCode::corrupt_message,
                fmt::format("{}: damaged at byte {}", name, read->valid_bytes));
  }
  return {};
}

Result<> MetadataLog::read_log(Offset from, const BatchVisitor& visit) const {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    if (i + 1 < segments_.size() && segments_[i + 1].base <= from) continue;
    auto file =
        environment_.files().open(path(segment_name(segments_[i].base)), env::OpenMode::read);
    if (!file) return fail(std::move(file).error());
    const auto read = read_batches(**file, [&](const record::BatchView& batch) -> Result<> {
      if (batch.next_offset() <= from) return {};
      return visit(batch);
    });
    if (!read) return fail(read.error());
    if (read->valid_bytes < segments_[i].size_bytes) {
      return fail(ErrorCode::corrupt_message,
                  fmt::format("{}: damaged at byte {}", (*file)->path(), read->valid_bytes));
    }
  }
  return {};
}

void MetadataLog::append(Bytes batch) {
  const auto view = record::BatchView::parse(batch);
  ARUS_ASSERT(view && view->base_offset() == end_ && view->leader_epoch() >= last_epoch_);
  if (offline_) return;
  note_epoch(view->leader_epoch(), end_);
  end_ = view->next_offset();
  pending_bytes_ += batch.size();
  pending_.push_back(std::move(batch));
  if (flying_) return;
  flying_ = true;
  env::spawn(gate_, run_flights());
}

env::Task<void> MetadataLog::run_flights() {
  while (!pending_.empty() && !offline_) {
    Flight flight;
    Segment& newest = segments_.back();
    Offset end = durable_end_;
    std::size_t taken = 0;
    while (taken < pending_.size() &&
           (taken == 0 || flight_bytes_ + pending_[taken].size() <= max_flight_bytes)) {
      flight_bytes_ += pending_[taken].size();
      end = record::BatchView::parse(pending_[taken])->next_offset();
      flight.batches.push_back(std::move(pending_[taken++]));
    }
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(taken));
    pending_bytes_ -= flight_bytes_;
    const auto bytes = static_cast<std::int64_t>(flight_bytes_);
    if (newest.size_bytes > 0 && newest.size_bytes + bytes > options_.segment_bytes) {
      flight.new_segment = durable_end_;
    }
    if (std::exchange(epochs_changed_, false)) flight.epochs = epochs_text();
    Flight* const group = &flight;
    const Result<> written =
        co_await env::run_on(*worker_, [this, group] { return marked(write_flight(*group)); });
    flight_bytes_ = 0;
    if (!written || failure_) {
      fail_from(durable_end_, written ? *failure_ : written.error());
      break;
    }
    if (flight.new_segment) segments_.push_back(Segment{*flight.new_segment, 0});
    segments_.back().size_bytes += bytes;
    durable_end_ = end;
    if (observer_ != nullptr) observer_->on_durable(end);
  }
  flying_ = false;
}

// On the writer's thread or the pool.
Result<> MetadataLog::marked(Result<> result) const {
  if (!result && env::is_device_failure(result.error())) {
    storage::mark_failed_flush(environment_.files(), root());
  }
  return result;
}

Result<> MetadataLog::write_flight(Flight& flight) {
  if (flight.epochs) {
    ARUS_TRY(environment_.files().replace_file(path("leader-epoch-checkpoint"),
                                               as_bytes(*flight.epochs), false));
  }
  if (!flight.new_segment) return write_batches(flight, active_);
  const std::string name = path(segment_name(*flight.new_segment));
  auto file = environment_.files().open(name, env::OpenMode::create);
  if (!file) return fail(std::move(file).error());
  Active active{std::move(*file), 0};
  if (auto written = write_batches(flight, active); !written) {
    static_cast<void>(environment_.files().remove(name));
    return written;
  }
  ARUS_TRY(environment_.files().sync_directory(directory_));
  active_ = std::move(active);
  return {};
}

Result<> MetadataLog::write_batches(const Flight& flight, Active& active) {
  std::vector<ByteView> pieces(flight.batches.begin(), flight.batches.end());
  std::int64_t bytes = 0;
  for (const auto& piece : pieces) bytes += static_cast<std::int64_t>(piece.size());
  if (auto written = active.file->write_at(pieces, active.size_bytes); !written) {
    // Half a group must not stay where the next one would follow it. Where it cannot be taken back
    // the log is not written any more, even when it was only the disk that was full.
    Error error = written.error();
    if (const auto cut = active.file->truncate(active.size_bytes); !cut) {
      error.os_error = cut.error().os_error;
    }
    return fail(std::move(error));
  }
  ARUS_TRY(active.file->sync());
  active.size_bytes += bytes;
  return {};
}

void MetadataLog::fail_from(Offset from, const Error& error) {
  offline_ = failure_ || (error.os_error != ENOSPC && error.os_error != EDQUOT);
  logger.error("the metadata log cannot be written: {}{}", error.message,
               offline_ ? "; metadata cannot change until a restart" : "");
  pending_.clear();
  pending_bytes_ = 0;
  end_ = from;
  std::erase_if(epochs_, [&](const EpochStart& entry) { return entry.start >= from; });
  epochs_changed_ = true;
  if (observer_ != nullptr) observer_->on_append_failed(from, error, offline_);
}

// What is being written is not believed when it comes back.
void MetadataLog::give_up(const Error& error) {
  if (offline_ || failure_) return;
  failure_ = error;
  if (!flying_) fail_from(durable_end_, error);
}

env::Task<Result<>> MetadataLog::persist(ElectionState state, std::int16_t version,
                                         std::vector<std::int32_t> voters) {
  const std::string text = format_quorum_state(state, version, voters);
  const std::string* const contents = &text;
  const Result<> written = co_await env::run_on(*worker_, [this, contents] {
    return environment_.files().replace_file(path("quorum-state"), as_bytes(*contents));
  });
  if (!written) {
    if (env::is_device_failure(written.error())) give_up(written.error());
    co_return written;
  }
  quorum_state_ = state;
  co_return Result<>{};
}

env::Task<Result<>> MetadataLog::write_snapshot(SnapshotId id, Chain batches) {
  gate_.enter();
  const std::string name = path(id.file_name());
  // On the pool: a large snapshot must not hold up the writer of the log.
  struct Job {
    env::FileSystem& files;
    const std::string& directory;
    const std::string& name;
    const Chain& batches;
    Result<> operator()() const {
      const std::string part = name + ".part";
      auto file = files.open(part, env::OpenMode::create);
      if (!file) return fail(std::move(file).error());
      ARUS_TRY((*file)->truncate(0));
      std::vector<ByteView> pieces;
      for (const Slice& slice : batches) pieces.push_back(slice.view());
      ARUS_TRY((*file)->write_at(pieces, 0));
      ARUS_TRY((*file)->sync());
      ARUS_TRY(files.rename(part, name));
      return files.sync_directory(directory);
    }
  };
  const Result<> written = co_await env::run_on(
      environment_.pool(), Job{environment_.files(), directory_, name, batches},
      env::Priority::background);
  // A failed flush is one, of whatever file: durability.md, rule 13.
  if (!written && env::is_device_failure(written.error())) give_up(written.error());
  if (written && std::ranges::find(snapshots_, id) == snapshots_.end()) {
    snapshots_.push_back(id);
    std::ranges::sort(snapshots_);
  }
  gate_.leave();
  co_return written;
}

Result<std::vector<MetadataLog::SnapshotFacts>> MetadataLog::measure_snapshots(
    const std::vector<SnapshotId>& ids) const {
  std::vector<SnapshotFacts> facts;
  for (const SnapshotId& id : ids) {
    SnapshotFacts one;
    auto file = environment_.files().open(path(id.file_name()), env::OpenMode::read);
    if (!file) return fail(std::move(file).error());
    const auto size = (*file)->size();
    if (!size) return fail(size.error());
    one.size_bytes = *size;
    Bytes front(256);
    if (const auto got = (*file)->read_at(front, 0); got) front.resize(*got);
    if (const auto batch = record::BatchView::parse(front))
      one.written_ms = batch->max_timestamp_ms();
    facts.push_back(one);
  }
  return facts;
}

env::Task<Result<>> MetadataLog::clean(std::int64_t retention_bytes, std::int64_t oldest_ms) {
  if (snapshots_.size() < 2 || gate_.closed()) co_return Result<>{};
  gate_.enter();
  const std::vector<SnapshotId> ids = snapshots_;
  const std::vector<SnapshotId>* const measured = &ids;
  auto facts =
      co_await env::run_on(*worker_, [this, measured] { return measure_snapshots(*measured); });
  if (!facts) {
    gate_.leave();
    co_return fail(facts.error());
  }
  std::int64_t total = 0;
  for (const Segment& segment : segments_) total += segment.size_bytes;
  for (const SnapshotFacts& one : *facts) total += one.size_bytes;
  std::vector<std::string> doomed;
  for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
    if (total <= retention_bytes && (*facts)[i].written_ms >= oldest_ms) break;
    total -= (*facts)[i].size_bytes;
    doomed.push_back(ids[i].file_name());
    std::erase(snapshots_, ids[i]);
    while (segments_.size() > 1 && segments_[1].base <= ids[i + 1].end) {
      total -= segments_.front().size_bytes;
      for (auto& name : segment_files(segments_.front().base)) doomed.push_back(std::move(name));
      segments_.erase(segments_.begin());
    }
  }
  const std::vector<std::string>* const names = &doomed;
  const Result<> removed =
      co_await env::run_on(*worker_, [this, names] { return remove_blocking(*names); });
  gate_.leave();
  co_return removed;
}

env::Task<void> MetadataLog::close() {
  co_await gate_.close();
  co_await env::run_on(*worker_, [this] { active_ = Active{}; });
}

}  // namespace arus::raft
