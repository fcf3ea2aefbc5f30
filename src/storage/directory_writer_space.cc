// A writer whose disk fills up.
#include "base/log.h"
#include "storage/directory_writer.h"
#include "storage/full_disk.h"

namespace arus::storage {

namespace {
const LogComponent directory_writer_space_log{"storage.space"};
}  // namespace

void DirectoryWriter::in_order(env::Work work) {
  if (stuck_) {
    deferred_.push_back(std::move(work));
  } else {
    work();
  }
}

bool DirectoryWriter::waits_for(const Error& error) const {
  return waits_ && !failure_ && is_full_disk(error);
}

// What was carried out before is answered; then nothing moves until there is space.
void DirectoryWriter::wait_for_space(Stuck stuck) {
  directory_writer_space_log.error("{}; what is to be written waits for space",
                                   stuck.error.message);
  if (!waiting_.empty()) {
    if (Result<> ended = end_round(); !ended) {
      go_offline(ended.error());
      return;
    }
  }
  stuck_ = std::move(stuck);
  tell_space();
  tell_observer([](WriterObserver& observer) { observer.on_waiting(); });
}

void DirectoryWriter::try_again() {
  if (!stuck_) return;
  Stuck stuck = *std::exchange(stuck_, std::nullopt);
  if (Result<> done = perform(stuck.group); !done && waits_for(done.error())) {
    stuck_ = std::move(stuck);
    return;
  } else if (!done) {
    go_offline(done.error());
    return;
  }
  directory_writer_space_log.info("{}: there is space again", root_);
  execute(std::move(stuck.group), std::move(stuck.port), *stuck.loop);
  while (!stuck_ && !deferred_.empty()) {
    env::Work next = std::move(deferred_.front());
    deferred_.pop_front();
    next();
  }
}

SpaceReport DirectoryWriter::look_at_space() {
  SpaceReport report;
  if (const auto space = files_.space(root_)) {
    space_.update(*space, ballast_.size_bytes());
    if (space_.drops_ballast()) {
      ballast_.release();
    } else if (space_.wants_ballast() && !stuck_) {
      // Without one nothing is lost yet.
      static_cast<void>(ballast_.grow(space_.ballast_target_bytes()));
    }
    report.space = *space;
  }
  report.reserve_bytes = space_.reserve_bytes();
  report.room_bytes = space_.room_bytes();
  report.full = space_.full();
  report.waiting = stuck_.has_value();
  return report;
}

void DirectoryWriter::tell_space() {
  SpaceShare share{.room_bytes = space_.room_bytes(),
                   .internal_bytes = 0,
                   .full = space_.full(),
                   .blocked = stuck_.has_value()};
  if (share.room_bytes != std::numeric_limits<std::int64_t>::max()) {
    const auto loops = static_cast<std::int64_t>(ports_.size());
    share.room_bytes -= commit_log_.next_file_bytes();
    share.room_bytes /= loops;
    share.internal_bytes = space_.reserve_bytes() / 2 / loops;
  }
  for (const auto& port : ports_) {
    port->loop().post([port, share] { port->set_space(share); });
  }
}

void DirectoryWriter::check_space(env::Loop& loop,
                                  std::move_only_function<void(const SpaceReport&)> done) {
  worker_->submit([this, &loop, done = std::move(done)]() mutable {
    if (!failure_) try_again();
    const SpaceReport report = look_at_space();
    commit_log_.set_room(report.waiting ? 0 : report.room_bytes);
    if (!failure_) tell_space();
    background_paused_ = false;
    loop.post([done = std::move(done), report]() mutable { done(report); });
    end_turn();
    run_background();
  });
}

void DirectoryWriter::stop_waiting() {
  worker_->submit([this] {
    waits_ = false;
    if (stuck_) go_offline(stuck_->error);
    end_turn();
  });
}

void DirectoryWriter::fail_offline(Error error) {
  pool_.submit([weak = weak_from_this(), error] {
    if (const auto alive = weak.lock()) alive->note_failure(error);
  });
  queue_offline(std::move(error));
}

void DirectoryWriter::queue_offline(Error error) {
  worker_->submit([this, error = std::move(error)] {
    go_offline(error);
    end_turn();
  });
}

}  // namespace arus::storage
