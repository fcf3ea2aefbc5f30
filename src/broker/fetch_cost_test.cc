// What an empty fetch of a session allocates: the same for few partitions and for many.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <limits>
#include <new>

#include "broker/broker_testing.h"
#include "protocol/api/fetch.h"

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#include <sanitizer/allocator_interface.h>
#define ARUS_SANITIZED
#endif

namespace {

std::atomic<std::uint64_t> allocations;

#ifdef ARUS_SANITIZED

// A sanitizer brings an `operator new` of its own, and tells of what it gives.
void count_one(const volatile void*, std::size_t) {
  allocations.fetch_add(1, std::memory_order_relaxed);
}
[[maybe_unused]] const int installed =
    __sanitizer_install_malloc_and_free_hooks(count_one, [](const volatile void*) {});

}  // namespace

#else

void* allocate(std::size_t size, std::size_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  const std::size_t whole =
      (std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment;
  void* const memory = std::aligned_alloc(alignment, whole);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// All of this program's allocations are counted.
void* operator new(std::size_t size) { return allocate(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

#endif

namespace arus::broker {
namespace {

using env::Task;
using testing::Client;
using testing::Node;
using testing::on_machine;
using testing::ScratchDirectory;

constexpr std::int16_t fetch_version = 12;  // topics by name
constexpr int few = 8;
constexpr int many = 512;
constexpr std::uint64_t slack = 64;    // arrays grow by doubling: some do so a few times more
constexpr std::int32_t at_least = 20;  // fetches that are looked at
constexpr std::int32_t at_most = 1000;

protocol::FetchRequest fetch_of(std::int32_t max_wait_ms) {
  protocol::FetchRequest request;
  request.max_bytes = 1 << 20;
  request.min_bytes = 1;
  request.max_wait_ms = max_wait_ms;
  return request;
}

// The fewest allocations of this whole process, the client's among them, while a session fetches
// nothing from so many empty partitions. What follows their creation on other threads allocates
// beside the first of the fetches: they go on until one costs no more than `enough`.
Task<std::uint64_t> allocations_of_a_fetch(Client& client, int partitions, std::int32_t max_wait_ms,
                                           std::uint64_t enough) {
  const std::string name =
      "topic-" + std::to_string(partitions) + "-" + std::to_string(max_wait_ms);
  co_await testing::create_topic(client, name, partitions);
  auto first = fetch_of(0);
  first.session_epoch = 0;
  auto& topic = first.topics.emplace_back();
  topic.topic = name;
  for (int i = 0; i < partitions; ++i) {
    auto& partition = topic.partitions.emplace_back();
    partition.partition = i;
    partition.partition_max_bytes = 1 << 20;
  }
  const auto opened = co_await client.ask(std::move(first), fetch_version);
  EXPECT_NE(opened->session_id, 0);
  std::uint64_t fewest = std::numeric_limits<std::uint64_t>::max();
  for (std::int32_t epoch = 1; epoch <= at_least || (fewest > enough && epoch <= at_most);
       ++epoch) {
    auto next = fetch_of(max_wait_ms);
    next.session_id = opened->session_id;
    next.session_epoch = epoch;
    const std::uint64_t before = allocations.load();
    const auto answer = co_await client.ask(std::move(next), fetch_version);
    fewest = std::min(fewest, allocations.load() - before);
    EXPECT_EQ(answer->error_code, ErrorCode::none);
    EXPECT_TRUE(answer->responses.empty());
  }
  co_return fewest;
}

Task<void> many_cost_what_few_do(env::RealEnvironment& environment) {
  const ScratchDirectory directory;
  Node node = co_await testing::start(environment, directory.path());
  for (const std::int32_t max_wait_ms : {0, 5}) {
    const std::uint64_t of_few = co_await allocations_of_a_fetch(
        *node.client, few, max_wait_ms, std::numeric_limits<std::uint64_t>::max());
    EXPECT_GT(of_few, 0U);
    const std::uint64_t enough = of_few + slack;
    EXPECT_LE(co_await allocations_of_a_fetch(*node.client, many, max_wait_ms, enough), enough)
        << max_wait_ms;
  }
  co_await testing::stop(node);
}
TEST(FetchCost, ASessionAllocatesNothingPerPartition) { on_machine(many_cost_what_few_do, 2); }

}  // namespace
}  // namespace arus::broker
