// A reader that follows a partition from its first record on.
#include "simulation/requests.h"

namespace arus::simulation {
namespace {

class Reader {
 public:
  Reader(World* world, std::size_t track, bool committed_only)
      : world_(*world),
        track_(track),
        committed_only_(committed_only),
        caller_(world->environment, world->node) {}

  env::Task<void> run() {
    while (!world_.stopping && !world_.story.failed() && !track().gone) {
      if (!co_await caller_.connect() || !co_await read()) {
        co_await env::sleep_for(world_.between_ms(20, 300));
      }
    }
    co_await caller_.close();
  }

 private:
  [[nodiscard]] Track& track() const { return world_.model.track(track_); }

  env::Task<bool> read() {
    const auto wait_ms = static_cast<std::int32_t>(world_.random.below(500));
    const Model::Ends promised = world_.model.promised(track_);
    const auto answer = co_await fetch(&world_, &caller_, track_, next_, committed_only_, wait_ms);
    if (!answer || track().gone) co_return false;
    if (answer->error_code == ErrorCode::offset_out_of_range) {
      co_await find_place(promised.end);
      co_return false;
    }
    if (answer->error_code != ErrorCode::none) {
      note_error(answer->error_code);
      co_return false;
    }
    if (!committed_only_) {
      world_.model.see_ends(track_, {answer->log_start_offset, answer->high_watermark}, promised);
    }
    std::vector<RecordId> visible;
    take_in(world_, track_, *answer, committed_only_, next_, visible);
    ++world_.fetched;
    if (committed_only_) {
      for (const RecordId id : visible) world_.model.see_committed(id);
    }
    co_return true;
  }

  // A record that may go has gone, or was lost with the power.
  env::Task<void> find_place(std::int64_t promised) {
    const bool may_be = next_ > promised || next_ < track().log_start ||
                        track().kind == TopicKind::retained || !track().synced || world_.reads_fail;
    if (!may_be) {
      world_.story.fail(track().name(), "offset {} is out of range; {} had been promised", next_,
                        promised);
      co_return;
    }
    const auto start = co_await list_offset(&world_, &caller_, track_, -2);
    const auto end = co_await list_offset(&world_, &caller_, track_, -1);
    if (start && next_ < *start) next_ = *start;
    if (end && next_ > *end) next_ = *end;
  }

  void note_error(ErrorCode code) {
    world_.story.note(track().name(), "a fetch at {} gives {}", next_, error_name(code));
    if (passes(code) || world_.reads_fail) return;
    world_.story.fail(track().name(), "a fetch at {} gives {}", next_, error_name(code));
  }

  World& world_;
  const std::size_t track_;
  const bool committed_only_;
  Caller caller_;
  std::int64_t next_ = 0;
};

}  // namespace

env::Task<void> run_reader(World* world, std::size_t track, bool committed_only) {
  Reader reader(world, track, committed_only);
  co_await reader.run();
}

}  // namespace arus::simulation
