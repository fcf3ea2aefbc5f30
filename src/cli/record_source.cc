#include "cli/record_source.h"

#include <set>

namespace arus::cli {
namespace {

// Who ends the command does not wait for a coordinator that is not there.
constexpr auto leave_patience = env::seconds(5);

}  // namespace

env::Task<Result<std::vector<client::ConsumerRecord>>> RecordSource::poll(env::TimePoint deadline) {
  if (assigned_) co_return co_await assigned_->poll(deadline);
  co_return co_await member_->poll(deadline);
}

std::optional<Offset> RecordSource::position(const TopicPartition& partition) const {
  return assigned_ ? assigned_->position(partition) : member_->position(partition);
}

void RecordSource::give_back(std::span<const client::ConsumerRecord> records) {
  std::set<TopicPartition> seen;
  for (const auto& record : records) {
    const TopicPartition name{*record.topic, record.partition};
    if (!seen.insert(name).second) continue;
    // What is not assigned any more is not committed either.
    if (assigned_)
      static_cast<void>(assigned_->seek(name, client::StartPosition::at(record.offset)));
    if (member_) static_cast<void>(member_->seek(name, client::StartPosition::at(record.offset)));
  }
}

env::Task<void> RecordSource::close() {
  if (assigned_) co_await assigned_->close();
  if (member_) co_await member_->close(cluster_.now() + leave_patience);
}

}  // namespace arus::cli
