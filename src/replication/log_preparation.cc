#include "replication/log_preparation.h"

#include <utility>

#include "base/log.h"
#include "replication/background.h"
#include "replication/loop_partitions.h"

namespace arus::replication {

namespace {
const LogComponent log_preparation_log{"replication.partitions"};
}  // namespace

void LogPreparation::start() { env::spawn(gate_, run()); }

env::Task<void> LogPreparation::stop() {
  stopping_ = true;
  changed_.notify_all();
  co_await gate_.close();
}

void LogPreparation::note(const metadata::TopicImage& topic) {
  if (stopping_ || looked_at_[topic.id] >= topic.partitions.size()) return;
  topics_.push_back(topic.id);
  changed_.notify_all();
}

env::Task<void> LogPreparation::run() {
  co_await EnterBackground{};
  while (!stopping_) {
    if (topics_.empty()) {
      co_await changed_.wait();
      continue;
    }
    current_ = topics_.front();
    topics_.pop_front();
    if (!co_await prepare(*current_)) topics_.clear();
    if (topics_.empty() && !stopping_) co_await partitions_.sync_prepared();
    current_ = std::nullopt;
    changed_.notify_all();
  }
}

env::Task<void> LogPreparation::forget(Uuid topic_id) {
  while (current_ == topic_id) co_await changed_.wait();
  looked_at_.erase(topic_id);
}

env::Task<bool> LogPreparation::prepare(Uuid topic_id) {
  constexpr std::size_t at_once = 8;
  failed_ = false;
  env::Gate making;
  for (std::size_t i = 0; i < at_once; ++i) env::spawn(making, prepare_some(topic_id));
  co_await making.close();
  co_return !failed_;
}

env::Task<void> LogPreparation::prepare_some(Uuid topic_id) {
  constexpr std::size_t between_yields = 64;
  co_await EnterBackground{};
  while (!stopping_ && !failed_) {
    const auto topic = partitions_.image()->topic(topic_id);
    if (!topic) co_return;
    std::size_t& looked_at = looked_at_[topic_id];
    if (looked_at >= topic->partitions.size()) co_return;
    const std::size_t next = looked_at++;
    const auto made = co_await partitions_.prepare({topic_id, static_cast<std::int32_t>(next)});
    if (!made) {
      log_preparation_log.info("{}-{} is made with its first record: {}", topic->name, next,
                               made.error().message);
      failed_ = true;
    } else if (*made || next % between_yields == 0) {
      co_await env::yield();
    }
  }
}

}  // namespace arus::replication
