#include "storage/directory_health.h"

#include "base/log.h"

namespace arus::storage {

namespace {

const LogComponent directory_health_log{"storage.space"};

constexpr env::Duration interval_when_waiting = env::milliseconds{100};
constexpr env::Duration interval_near_the_end = env::milliseconds{250};
constexpr std::int64_t room_that_lasts_bytes = std::int64_t{1} << 30;

}  // namespace

void DirectoryHealth::start() {
  if (options_.watches_space) check();
}

void DirectoryHealth::stop() {
  stopped_ = true;
  home().disarm(timer_);
}

void DirectoryHealth::watch(StatusWatcher watcher) {
  watcher_ = std::move(watcher);
  tell();
}

void DirectoryHealth::tell() {
  if (watcher_) watcher_(status_);
}

void DirectoryHealth::on_waiting() {
  if (stopped_) return;
  status_.waiting = true;
  home().arm(timer_, home().now() + interval_when_waiting);
  tell();
}

void DirectoryHealth::on_offline(const Error& error) {
  status_.failure = error;
  status_.failed_at_ms = environment_.clock().wall_ms();
  status_.waiting = false;
  tell();
}

// What has not answered the question of before does not move.
void DirectoryHealth::check() {
  if (stopped_) return;
  const env::TimePoint now = home().now();
  if (options_.watches_space) home().arm(timer_, now + options_.check_interval);
  if (awaits_answer_) {
    if (now - asked_ > options_.stalled_after) note_silence();
    return;
  }
  awaits_answer_ = true;
  asked_ = now;
  writer_->check_space(home(), [weak = weak_from_this()](const SpaceReport& report) {
    if (const auto self = weak.lock()) self->note_space(report);
  });
}

void DirectoryHealth::note_silence() {
  if (status_.stalled) return;
  directory_health_log.warning("{}: the disk does not answer", path_);
  status_.stalled = true;
  status_.stalled_since_ms = environment_.clock().wall_ms();
  tell();
}

void DirectoryHealth::note_space(const SpaceReport& report) {
  awaits_answer_ = false;
  if (status_.stalled) directory_health_log.info("{}: the disk answers again", path_);
  if (report.full && !status_.full) {
    directory_health_log.error(
        "{}: the disk is full but for a reserve of {} bytes; records are refused until there is "
        "space",
        path_, report.reserve_bytes);
    status_.full_since_ms = environment_.clock().wall_ms();
  } else if (!report.full && status_.full) {
    directory_health_log.info("{}: there is space again, records are taken", path_);
    status_.full_since_ms = 0;
  }
  status_.total_bytes = report.space.total_bytes;
  status_.usable_bytes = report.space.usable_bytes;
  status_.reserve_bytes = report.reserve_bytes;
  status_.full = report.full;
  status_.waiting = report.waiting;
  status_.stalled = false;
  status_.stalled_since_ms = 0;
  tell();
  if (stopped_ || status_.failure) return;
  if (report.waiting) {
    home().arm(timer_, home().now() + interval_when_waiting);
  } else if (options_.watches_space && report.room_bytes < room_that_lasts_bytes) {
    home().arm(timer_, home().now() + std::min(options_.check_interval, interval_near_the_end));
  }
}

}  // namespace arus::storage
