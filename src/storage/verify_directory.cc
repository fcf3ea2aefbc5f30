#include "storage/verify_directory.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "storage/checkpoint_file.h"
#include "storage/clean_shutdown_file.h"
#include "storage/directory_contents.h"
#include "storage/file_names.h"
#include "storage/meta_properties.h"
#include "storage/partition_metadata.h"
#include "storage/verify_batches.h"

namespace arus::storage {

namespace {

bool is_wanted(const VerifyOptions& options, std::string_view topic) {
  return options.topics.empty() || std::ranges::find(options.topics, topic) != options.topics.end();
}

}  // namespace

std::int64_t VerifyReport::count(Severity severity) const {
  return std::ranges::count(findings, severity, &Finding::severity);
}

Result<std::unique_ptr<DirectoryCheck>> DirectoryCheck::open(env::Environment& environment,
                                                             const std::string& path) {
  env::FileSystem& files = environment.files();
  if (!files.exists(path)) {
    return fail(ErrorCode::kafka_storage_error, path + " does not exist");
  }
  std::unique_ptr<DirectoryCheck> check(new DirectoryCheck(environment, path));
  ARUS_TRY(check->read_identity());
  if (!check->identity_ && check->report_.findings.empty()) {
    return fail(ErrorCode::kafka_storage_error, path + " is empty");
  }
  auto lock = files.lock(join_path(path, lock_name));
  if (!lock) {
    if (lock.error().os_error != EAGAIN) return fail(std::move(lock).error());
    return fail(ErrorCode::kafka_storage_error,
                path +
                    " is in use by a server: stop it first, only what does not change can be "
                    "checked");
  }
  check->lock_ = std::move(*lock);
  return check;
}

Result<> DirectoryCheck::read_identity() {
  auto identity = identify_directory(files_, report_.path);
  if (identity && *identity) {
    identity_ = std::move(**identity);
    return {};
  }
  const std::string path = join_path(report_.path, meta_properties_name);
  const bool there = files_.exists(path);
  if (!identity && !there) return fail(std::move(identity).error());
  const auto entries = files_.list(report_.path);
  if (!entries) return fail(entries.error());
  if (entries->empty()) return {};
  add({.severity = Severity::error,
       .file = path,
       .problem = there ? identity.error().message + "." : "It is missing.",
       .at_start = there ? "A start refuses the directory."
                         : "A start takes the directory for a new one and gives it another id."});
  return {};
}

void DirectoryCheck::read_marker() {
  const std::string path = join_path(report_.path, clean_shutdown_name);
  if (!files_.exists(path)) return;
  const auto text = files_.read_file(path, most_small_file_bytes);
  report_.clean = text && parse_clean_shutdown(as_text(*text)).has_value();
  if (report_.clean) return;
  add({.severity = Severity::warning,
       .file = path,
       .problem = "It is no marker of an orderly stop.",
       .at_start = "The stop does not count as orderly: logs are recovered."});
}

void DirectoryCheck::read_checkpoint(
    std::string_view name, const char* at_start,
    const std::function<void(const TopicPartition&, Offset)>& take) {
  const std::string path = join_path(report_.path, name);
  if (!files_.exists(path)) return;
  const auto text = files_.read_file(path, most_small_file_bytes);
  // Kafka makes the files at its first start, and some are not written for long.
  if (text && text->empty()) return;
  const auto entries = text ? parse_offset_checkpoint(as_text(*text))
                            : Result<std::vector<PartitionOffset>>(fail(text.error()));
  if (entries) {
    for (const PartitionOffset& entry : *entries) {
      checkpoints_[entry.partition].name = entry.partition;
      take(entry.partition, entry.offset);
    }
    return;
  }
  if (name == cleaner_checkpoint_name) cleaning_known_ = false;
  add({.severity = Severity::warning,
       .file = path,
       .problem = entries.error().message + ".",
       .at_start = at_start,
       .repair = Repair{.kind = RepairKind::set_file_aside, .file = path}});
}

void DirectoryCheck::read_checkpoints() {
  read_checkpoint(recovery_point_checkpoint_name,
                  "It counts as empty: after an unclean stop all segments are read.",
                  [this](const TopicPartition& name, Offset offset) {
                    checkpoints_[name].recovery_point = offset;
                    has_recovery_point_[name] = true;
                  });
  read_checkpoint(high_watermark_checkpoint_name,
                  "It counts as empty: high watermarks begin at the logs' starts and move on.",
                  [this](const TopicPartition& name, Offset offset) {
                    checkpoints_[name].high_watermark = offset;
                  });
  read_checkpoint(
      log_start_checkpoint_name,
      "It counts as empty: records that DeleteRecords has hidden, in segments that are "
      "still there, are seen again.",
      [this](const TopicPartition& name, Offset offset) { checkpoints_[name].log_start = offset; });
  read_checkpoint(cleaner_checkpoint_name, "It counts as empty: compacted logs are cleaned anew.",
                  [this](const TopicPartition& name, Offset offset) {
                    checkpoints_[name].cleaned_to = offset;
                  });
}

Result<> DirectoryCheck::read_commit_log(const ExpectedPartitions* expected) {
  auto found = storage::read_commit_log(files_, report_.path);
  if (!found) return fail(std::move(found).error());
  std::string_view why = find_foreign(*found, identity_);
  if (expected != nullptr && !is_of_run(*found, expected->newest)) {
    why = "the directory was used by somebody else after it was written";
  }
  if (report_.clean) why = "the directory was stopped cleanly after it was written";
  std::size_t writes = 0;
  for (const auto& [id, partition] : found->partitions) writes += partition.writes.size();
  for (const FoundLap& lap : found->laps) {
    add({.severity = why.empty() ? Severity::note : Severity::warning,
         .file = lap.path,
         .problem = why.empty()
                        ? fmt::format("The commit log was not emptied by an orderly stop: in {} "
                                      "files it holds {} writes to {} partitions.",
                                      found->laps.size(), writes, found->partitions.size())
                        : fmt::format("The commit log is not of this state: {}.", why),
         .at_start = why.empty() ? "It is replayed." : "It is set aside under another name."});
    if (why.empty()) break;
  }
  if (why.empty()) commit_log_ = std::move(*found);
  return {};
}

void DirectoryCheck::check_bootstrap(const std::string& path) {
  record::CodecScratch scratch;
  auto checked = check_batch_file(files_, path, scratch);
  report_.totals.size_bytes += checked.size_bytes;
  if (!checked.damage) return;
  checked.damage->at_start = "A first start refuses it; later ones do not read it.";
  add(std::move(*checked.damage));
}

void DirectoryCheck::note_entry(const env::DirectoryEntry& entry, const VerifyOptions& options,
                                const ExpectedPartitions* expected) {
  static constexpr std::string_view known[] = {meta_properties_name,
                                               lock_name,
                                               clean_shutdown_name,
                                               high_watermark_checkpoint_name,
                                               recovery_point_checkpoint_name,
                                               log_start_checkpoint_name,
                                               cleaner_checkpoint_name,
                                               "lost+found"};
  const std::string path = join_path(report_.path, entry.name);
  const auto note = [&](Severity severity, std::string problem, std::string at_start) {
    if (!options.topics.empty()) return;
    add({.severity = severity,
         .file = path,
         .problem = std::move(problem),
         .at_start = std::move(at_start)});
  };
  if (std::ranges::find(known, entry.name) != std::end(known)) return;
  if (!entry.is_directory) {
    if (entry.name == "bootstrap.checkpoint") {
      if (options.topics.empty()) check_bootstrap(path);
    } else if (entry.name.starts_with("arus-set-aside-")) {
      note(Severity::note, "It is a commit log that was not replayed.", "It is left alone.");
    } else if (entry.name.ends_with(suffix::temporary)) {
      note(Severity::note, "It was being written when the server ended.",
           "It is written again when it is needed.");
    } else if (entry.name.ends_with(".damaged")) {
      note(Severity::note, "A repair has kept it.", "It is left alone.");
    } else if (!parse_commit_log_file_name(entry.name)) {
      note(Severity::note, "Its name is none of a log directory's files.", "It is left alone.");
    }
    return;
  }
  const auto name = parse_partition_directory(entry.name);
  if (!name) {
    note(Severity::warning, "A directory does not belong here.", "It is left alone.");
  } else if (name->kind == PartitionDirectoryKind::live) {
    add_partition(path, name->partition, options, expected);
  } else if (name->kind == PartitionDirectoryKind::deleted) {
    note(Severity::note, "It is of a deleted topic.", "It is removed.");
  } else if (name->kind == PartitionDirectoryKind::stray) {
    note(Severity::warning, "It was set aside, because no partition of the metadata is its.",
         "It is left alone.");
  } else {
    note(Severity::note, "It was being moved from another log directory.", "It is left alone.");
  }
}

void DirectoryCheck::add_partition(const std::string& path, const TopicPartition& name,
                                   const VerifyOptions& options,
                                   const ExpectedPartitions* expected) {
  if (!is_wanted(options, name.topic)) return;
  PartitionToCheck what{.path = path,
                        .name = name,
                        .is_metadata = name.topic == metadata_topic_name,
                        .clean = report_.clean,
                        .cleaning_known = cleaning_known_,
                        .decode = options.decode};
  what.offsets.name = name;
  if (const auto at = checkpoints_.find(name); at != checkpoints_.end()) what.offsets = at->second;
  what.has_recovery_point = has_recovery_point_.contains(name);
  // The end of the metadata log is no checkpoint's business: it is looked at as after a kill.
  if (what.is_metadata) what.clean = false;
  const auto text = files_.exists(path)
                        ? files_.read_file(join_path(path, partition_metadata_name), 1 << 20)
                        : Result<Bytes>(fail(ErrorCode::kafka_storage_error));
  const auto id =
      text ? parse_partition_metadata(as_text(*text)) : Result<Uuid>(fail(text.error()));
  for (const auto& [key, partition] : commit_log_.partitions) {
    if (partition.name != name || (id && *id != key.topic_id)) continue;
    what.logged = &partition;
    what.laps = &commit_log_.laps;
  }
  if (expected != nullptr && !what.is_metadata) {
    const auto topic = expected->topics.find(name.topic);
    if (topic != expected->topics.end()) what.expected_id = topic->second;
    if (!expected->assigned.contains(name)) {
      add({.severity = Severity::warning,
           .file = path,
           .problem = topic == expected->topics.end()
                          ? "No topic of the metadata has this name."
                          : "The metadata assigns this partition to other nodes.",
           .at_start = "It is set aside under a name that ends in -stray, or removed where its "
                       "topic was deleted."});
    }
  }
  work_.push_back(std::move(what));
}

// What should be here and is not.
void DirectoryCheck::find_missing(const VerifyOptions& options,
                                  const ExpectedPartitions* expected) {
  std::set<TopicPartition> there;
  for (const PartitionToCheck& what : work_) there.insert(what.name);
  for (const auto& [id, partition] : commit_log_.partitions) {
    // Of a topic that is gone nothing is replayed.
    if (expected != nullptr) {
      const auto assigned = expected->assigned.find(partition.name);
      if (assigned == expected->assigned.end() || assigned->second != id.topic_id) continue;
    }
    if (!there.insert(partition.name).second) continue;
    add_partition(join_path(report_.path, partition.name.to_string()), partition.name, options,
                  nullptr);
  }
  for (const auto& [name, has] : has_recovery_point_) {
    const Offset end = checkpoints_.at(name).recovery_point;
    const bool assigned = expected == nullptr || expected->assigned.contains(name);
    if (!has || end == Offset{0} || there.contains(name) || !is_wanted(options, name.topic)) {
      continue;
    }
    if (!assigned) continue;
    add({.severity = expected == nullptr ? Severity::warning : Severity::error,
         .file = join_path(report_.path, name.to_string()),
         .problem =
             fmt::format("The partition's folder is missing; its log ended at {}.", end.value()),
         .at_start = "An empty log is made, where the metadata still assigns it to this node."});
  }
}

Result<> DirectoryCheck::look_around(const VerifyOptions& options,
                                     const ExpectedPartitions* expected) {
  read_marker();
  read_checkpoints();
  ARUS_TRY(read_commit_log(expected));
  const auto entries = files_.list(report_.path);
  if (!entries) return fail(entries.error());
  for (const auto& entry : *entries) note_entry(entry, options, expected);
  find_missing(options, expected);
  std::ranges::sort(work_, std::ranges::greater{}, &PartitionToCheck::name);
  return {};
}

env::Task<void> DirectoryCheck::run_some() {
  while (!work_.empty() && !stopped_) {
    PartitionCheck check(files_, std::move(work_.back()));
    work_.pop_back();
    for (bool more = true; more && !stopped_;) {
      more = co_await env::run_on(environment_.pool(), [&check] { return check.step(); });
      VerifyTotals now = report_.totals;
      now.add(check.totals());
      stopped_ = stopped_ || !progress_(now);
    }
    report_.totals.add(check.totals());
    for (const Finding& finding : check.findings()) add(finding);
  }
}

env::Task<void> DirectoryCheck::run(const VerifyOptions& options,
                                    const ExpectedPartitions* expected,
                                    std::function<bool(const VerifyTotals&)> progress) {
  progress_ = std::move(progress);
  report_ = {.path = report_.path};
  checkpoints_.clear();
  has_recovery_point_.clear();
  cleaning_known_ = true;
  commit_log_ = {};
  const auto looked = co_await env::run_on(environment_.pool(), [&]() -> Result<> {
    ARUS_TRY(read_identity());
    return look_around(options, expected);
  });
  if (!looked) {
    add({.severity = Severity::error,
         .file = report_.path,
         .problem = looked.error().message + ".",
         .at_start = "A start fails too."});
    co_return;
  }
  env::Gate gate;
  for (std::size_t i = 0; i < options.at_once; ++i) env::spawn(gate, run_some());
  co_await gate.close();
  std::ranges::sort(report_.findings, [](const Finding& a, const Finding& b) {
    return std::tie(a.file, a.position, a.problem) < std::tie(b.file, b.position, b.problem);
  });
}

}  // namespace arus::storage
