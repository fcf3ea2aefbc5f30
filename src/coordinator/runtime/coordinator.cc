#include "coordinator/runtime/coordinator.h"

#include <cstdlib>
#include <limits>
#include <utility>

namespace arus::coordinator {
namespace {

constexpr std::uint32_t replacement_character = 0xfffd;

// The next code point of UTF-8 text; damaged bytes are one replacement character each.
std::uint32_t next_code_point(std::string_view& text) {
  const auto byte = [&text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  std::size_t length = 1;
  std::uint32_t point = first;
  if (first >= 0xf0 && first < 0xf8) {
    length = 4;
    point = first & 0x07U;
  } else if (first >= 0xe0) {
    length = 3;
    point = first & 0x0fU;
  } else if (first >= 0xc0) {
    length = 2;
    point = first & 0x1fU;
  }
  const bool damaged = (first >= 0x80 && first < 0xc0) || first >= 0xf8 || text.size() < length;
  if (damaged) {
    text.remove_prefix(1);
    return replacement_character;
  }
  for (std::size_t i = 1; i < length; ++i) point = point << 6U | (byte(i) & 0x3fU);
  text.remove_prefix(length);
  return point;
}

}  // namespace

// s[0]·31^(n−1) + … + s[n−1] over UTF-16 code units, wrapping in 32 bits; then its amount, where
// the smallest int, which has none, counts as 0.
std::int32_t partition_for(std::string_view key, std::int32_t partitions) {
  ARUS_ASSERT(partitions > 0);
  std::uint32_t hash = 0;
  while (!key.empty()) {
    const std::uint32_t point = next_code_point(key);
    if (point >= 0x10000) {
      const std::uint32_t beyond = point - 0x10000;
      hash = hash * 31 + (0xd800U + (beyond >> 10U));
      hash = hash * 31 + (0xdc00U + (beyond & 0x3ffU));
    } else {
      hash = hash * 31 + point;
    }
  }
  const auto signed_hash = static_cast<std::int32_t>(hash);
  if (signed_hash == std::numeric_limits<std::int32_t>::min()) return 0;
  return std::abs(signed_hash) % partitions;
}

CoordinatorBase::CoordinatorBase(CoordinatorParts parts) : parts_(std::move(parts)) {
  for (std::size_t i = 0; i < parts_.environment.loop_count(); ++i) {
    loops_.push_back(std::make_unique<ShardSet>(parts_, parts_.environment.loop(i)));
  }
}

CoordinatorBase::~CoordinatorBase() = default;

env::Task<void> CoordinatorBase::start() {
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    ShardSet* const shards = loops_[i].get();
    co_await env::call(parts_.environment.loop(i), [shards] { shards->start(); });
  }
}

env::Task<void> CoordinatorBase::stop() {
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    ShardSet* const shards = loops_[i].get();
    co_await env::call(parts_.environment.loop(i),
                       [shards] [[clang::coro_wrapper]] { return shards->stop(); });
  }
}

std::int32_t CoordinatorBase::partition_count() const {
  const auto topic = parts_.images.current()->topic(parts_.topic);
  return topic ? static_cast<std::int32_t>(topic->partitions.size()) : 0;
}

Result<std::int32_t> CoordinatorBase::partition_of(std::string_view key) const {
  const std::int32_t partitions = partition_count();
  if (partitions == 0) {
    return fail(ErrorCode::coordinator_not_available, parts_.topic + " does not exist yet");
  }
  return partition_for(key, partitions);
}

env::Loop& CoordinatorBase::loop_of(std::int32_t partition) const {
  return parts_.environment.loop(parts_.partitions.loop_index(parts_.topic, partition));
}

ShardSet& CoordinatorBase::shards_here() const { return *loops_[env::Loop::current()->index()]; }

env::Task<void> CoordinatorBase::settled(std::int32_t partition, env::TimePoint deadline) {
  co_await env::call(loop_of(partition), [this, partition, deadline] [[clang::coro_wrapper]] {
    return shards_here().settled(partition, deadline);
  });
}

env::Task<Result<std::uint64_t>> CoordinatorBase::guard_transaction(std::int32_t partition,
                                                                    ProducerId producer_id,
                                                                    std::int16_t producer_epoch) {
  co_return co_await env::call(loop_of(partition), [&]() -> Result<std::uint64_t> {
    const auto shard = shards_here().ready(partition);
    if (!shard) return std::unexpected(shard.error());
    return (*shard)->guard_transaction(producer_id, producer_epoch);
  });
}

env::Task<Result<>> CoordinatorBase::end_here(std::int32_t partition, TransactionMarker marker) {
  const auto shard = shards_here().ready(partition);
  if (!shard) co_return std::unexpected(shard.error());
  co_return co_await (*shard)->end_transaction(marker).wait();
}

env::Task<Result<>> CoordinatorBase::end_transaction(std::int32_t partition, ProducerId producer_id,
                                                     std::int16_t producer_epoch,
                                                     std::int32_t coordinator_epoch, bool committed,
                                                     std::int16_t transaction_version) {
  const TransactionMarker marker{.producer_id = producer_id,
                                 .producer_epoch = producer_epoch,
                                 .coordinator_epoch = coordinator_epoch,
                                 .committed = committed,
                                 .transaction_version = transaction_version};
  co_return co_await env::call(
      loop_of(partition),
      [this, partition, &marker] [[clang::coro_wrapper]] { return end_here(partition, marker); });
}

}  // namespace arus::coordinator
