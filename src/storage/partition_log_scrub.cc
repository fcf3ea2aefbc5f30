// The scrub of one log: which piece is next.
#include <cerrno>

#include "storage/log_scrub.h"
#include "storage/partition_log.h"

namespace arus::storage {

env::Task<Result<ScrubbedPiece>> PartitionLog::scrub(std::int64_t max_bytes) {
  const auto hold = co_await file_latch_.share();
  for (const auto& each : segments_) {
    const Offset base = each->base_offset();
    if (base < scrub_segment_) continue;
    SegmentView facts = view(*each);
    const std::int64_t from =
        std::max(base == scrub_segment_ ? scrub_at_ : 0, facts.verified_bytes);
    if (from >= std::min(facts.trusted_from, facts.readable_bytes)) continue;
    env::FileSystem& files = host_->environment.files();
    const auto scrubbed = co_await env::run_on(
        host_->environment.pool(),
        [&files, &facts, from, max_bytes] { return scrub_batches(files, facts, from, max_bytes); },
        env::Priority::background);
    scrub_segment_ = base;
    if (!scrubbed) {
      // Retention has taken it away meanwhile.
      if (scrubbed.error().os_error != ENOENT) co_return fail(scrubbed.error());
      scrub_at_ = facts.trusted_from;
      co_return ScrubbedPiece{};
    }
    scrub_at_ = scrubbed->next;
    for (const Error& error : scrubbed->damage) note_damage(error);
    if (Segment* const segment = segment_at(base)) {
      segment->keep(facts, scrubbed->verified_to, host_->open_files);
    }
    co_return ScrubbedPiece{.size_bytes = scrubbed->next - from, .finished = false};
  }
  co_return ScrubbedPiece{.size_bytes = 0, .finished = true};
}

}  // namespace arus::storage
