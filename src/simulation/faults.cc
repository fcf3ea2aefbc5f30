#include "simulation/faults.h"

#include <cerrno>

namespace arus::simulation {
namespace {

using env::FileAct;
using env::FileFault;
using env::FileOperation;

constexpr env::Duration stall_time = env::seconds(30);

const char* name_of(FileAct act) {
  static constexpr std::array<const char*, 13> names{"open",
                                                     "read",
                                                     "write",
                                                     "writing back",
                                                     "flush",
                                                     "truncation",
                                                     "listing",
                                                     "making",
                                                     "renaming",
                                                     "removal",
                                                     "flush of the folder",
                                                     "flush of all",
                                                     "lock"};
  return names.at(static_cast<std::size_t>(act));
}

bool is_flush(FileAct act) {
  return act == FileAct::sync || act == FileAct::sync_directory || act == FileAct::sync_file_system;
}

bool is_change(FileAct act) {
  return act == FileAct::write || act == FileAct::truncate || act == FileAct::rename ||
         act == FileAct::remove || is_flush(act) || act == FileAct::create_directory;
}

bool is_segment(const std::string& path) { return path.ends_with(".log"); }

bool is_of_compaction(const std::string& path) {
  return path.contains(".cleaned") || path.contains(".swap") || path.contains(".deleted");
}

// From the operation that decides to the end there are fewer than these.
std::uint64_t operations_behind(Moment moment) {
  switch (moment) {
    case Moment::rename:
    case Moment::checkpoint:
      return 4;
    case Moment::compaction:  // as far as the next round
      return 16;
    default:
      return 1;
  }
}

// What a start believes of other files.
bool is_statement(const FileOperation& operation) {
  const std::string& path = operation.path;
  if (operation.act == FileAct::write) return path.ends_with(".snapshot");
  return operation.act == FileAct::rename &&
         (path.ends_with("recovery-point-offset-checkpoint.tmp") ||
          path.ends_with("log-start-offset-checkpoint.tmp") ||
          path.ends_with("cleaner-offset-checkpoint.tmp"));
}

}  // namespace

Faults::Faults(const RoundPlan& round, std::uint64_t seed, env::SimulatedDisk& disk, Story& story)
    : round_(round),
      random_(seed),
      disk_(disk),
      story_(story),
      left_behind_(random_.below(operations_behind(round.moment))),
      flushes_until_failure_(random_.below(60)),
      unasked_(random_.below(2) == 0) {
  disk_.set_fault_hook([this](const FileOperation& operation) { return meet(operation); });
}

Faults::~Faults() { disk_.set_fault_hook(nullptr); }

bool Faults::is_moment(const FileOperation& operation) {
  if (decided_) return left_behind_-- == 0;
  bool counts = false;
  switch (round_.moment) {
    case Moment::any:
      return false;  // at an instant, by whoever drives the run
    case Moment::write:
      counts = operation.act == FileAct::write;
      break;
    case Moment::flush:
      counts = is_flush(operation.act);
      break;
    case Moment::rename:
      counts = operation.act == FileAct::rename;
      break;
    case Moment::compaction:
      // Most that it does is writing files that nobody knows yet. So every other time only the
      // exchange of names counts.
      counts = is_of_compaction(operation.path) && is_change(operation.act) &&
               (round_.moment_count % 2 == 0 || operation.act == FileAct::rename);
      break;
    case Moment::checkpoint:
      // Every other time only of snapshots, which are fewer.
      counts = is_statement(operation) &&
               (round_.moment_count % 2 == 0 || operation.act == FileAct::write);
      break;
    case Moment::recovery:
    case Moment::stopping:
      counts = is_change(operation.act);
      break;
  }
  if (!counts || passed_++ < round_.moment_count) return false;
  decided_ = true;
  return left_behind_-- == 0;
}

FileFault Faults::meet(const FileOperation& operation) {
  if (ended_) return {.os_error = EIO, .at_most_bytes = {}, .stall = {}};
  if (armed_ && is_moment(operation)) {
    ended_ = true;
    disk_.cut_power();
    story_.headline("the end comes at the {} of {}, offset {}", name_of(operation.act),
                    operation.path, operation.offset);
    FileFault end{.os_error = EIO, .at_most_bytes = {}, .stall = {}};
    if (operation.act == FileAct::write)
      end.at_most_bytes = random_.below(operation.size_bytes + 1);
    return end;
  }
  return troubled_ ? trouble(operation) : FileFault{};
}

FileFault Faults::trouble(const FileOperation& operation) {
  switch (round_.trouble) {
    case Trouble::none:
    case Trouble::disk_full:   // the disk's own
    case Trouble::clock_jump:  // the environment's
      return {};
    case Trouble::failed_flush:
      if (operation.act == FileAct::write_back && !write_back_failed_ && random_.below(8) == 0) {
        write_back_failed_ = true;
        story_.headline("writing back {} fails", operation.path);
        return {.os_error = EIO, .at_most_bytes = {}, .stall = {}};
      }
      if (unasked_ && !write_back_failed_ && operation.act == FileAct::write &&
          is_segment(operation.path) && random_.below(8) == 0 &&
          disk_.fail_write_back(operation.path)) {
        write_back_failed_ = true;
        story_.headline("the system writes {} back, and fails", operation.path);
      }
      if (unasked_ || !is_flush(operation.act)) return {};
      // Of two flushes of one file at a time both are told.
      if (operation.path == failed_flush_ && disk_.now() < failed_at_ + env::milliseconds(200)) {
        return {.os_error = EIO, .at_most_bytes = {}, .stall = {}};
      }
      if (!failed_flush_.empty()) return {};
      if (flushes_until_failure_-- > 0) return {};
      failed_flush_ = operation.path;
      failed_at_ = disk_.now();
      story_.headline("the {} of {} fails", name_of(operation.act), operation.path);
      return {.os_error = EIO, .at_most_bytes = {}, .stall = {}};
    case Trouble::failed_reads:
      if (operation.act != FileAct::read || random_.below(20) != 0) return {};
      if (random_.below(2) == 0) return {.os_error = EIO, .at_most_bytes = {}, .stall = {}};
      return {.os_error = 0, .at_most_bytes = random_.below(operation.size_bytes + 1), .stall = {}};
    case Trouble::stall:
      if (stalled_ || !(operation.act == FileAct::write || is_flush(operation.act))) return {};
      if (random_.below(20) != 0) return {};
      stalled_ = true;
      story_.headline("the {} of {} takes {} s", name_of(operation.act), operation.path,
                      std::chrono::duration_cast<env::seconds>(stall_time).count());
      return {.os_error = 0, .at_most_bytes = {}, .stall = stall_time};
  }
  return {};
}

}  // namespace arus::simulation
