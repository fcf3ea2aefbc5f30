// One bit of the time index of a closed segment has flipped: who asks for a time gets the record
// that he would have got before.
#include <algorithm>
#include <vector>

#include "storage/file_names.h"
#include "storage/simulated_directory_testing.h"

namespace arus::storage {
namespace {

using env::Task;

constexpr std::int64_t first_ms = 1'000;
constexpr int batches = 80;

// Timestamps go ahead, and back to one that was there before.
std::int64_t timestamp_of(int i) {
  constexpr std::array<int, 6> ahead_ms{0, 4, 0, 9, 4, 2};
  return first_ms + i / 6 * 2 + ahead_ms.at(static_cast<std::size_t>(i % 6));
}

class TimeDamageTest : public testing::Test, protected SimulatedDirectory {
 protected:
  TimeDamageTest() : SimulatedDirectory(7) {
    config_->segment_bytes = 2'000;
    config_->index_interval_bytes = 1;
    run([this]() -> Task<void> {
      auto log = co_await open();
      for (int i = 0; i < batches; ++i) {
        EXPECT_TRUE(append(*log, make_batch({.records = 1, .timestamp_ms = timestamp_of(i)})));
      }
      co_await close(std::move(log));
    });
  }
  // The offset of the first record that is this old or younger, of those below `end`; −1 without.
  static std::int64_t first_from(std::int64_t timestamp_ms, int end) {
    for (int i = 0; i < end; ++i) {
      if (timestamp_of(i) >= timestamp_ms) return i;
    }
    return -1;
  }
  static std::int64_t first_of_largest(int end) {
    int best = 0;
    for (int i = 1; i < end; ++i) {
      if (timestamp_of(i) > timestamp_of(best)) best = i;
    }
    return best;
  }
  // What was asked for and answered wrongly; empty where nothing was.
  std::string find_wrong_answer() {
    std::string wrong;
    start();
    run([&]() -> Task<void> {
      auto log = co_await open();
      const auto judge = [&wrong](const char* what, std::int64_t asked, const auto& found,
                                  std::int64_t expected) {
        const std::int64_t got = found && *found ? (*found)->offset.value() : -1;
        if (found && got == expected) return;
        if (!found && found.error().code == ErrorCode::corrupt_message) return;
        wrong = fmt::format("{} {}: {}, not {}", what, asked, got, expected);
      };
      for (std::int64_t ms = first_ms - 1; ms < timestamp_of(batches - 1) + 10; ++ms) {
        judge("from", ms, co_await log->find_timestamp(ms, Offset{batches}),
              first_from(ms, batches));
      }
      for (int end = 1; end <= batches; ++end) {
        judge("the largest below", end, co_await log->find_max_timestamp(Offset{end}),
              first_of_largest(end));
      }
      co_await close(std::move(log));
    });
    return wrong;
  }
};

TEST_F(TimeDamageTest, AFlippedBitOfATimeIndexChangesNoAnswer) {
  ASSERT_EQ(find_wrong_answer(), "");
  const auto names = files(".timeindex");
  ASSERT_GE(names.size(), 3U);
  const std::string& name = names[1];
  const auto size = disk_->file_size(std::string(root) + "/topic-0/" + name);
  ASSERT_GT(*size, 24);
  for (std::size_t bit = 0; bit < static_cast<std::size_t>(*size) * 8; ++bit) {
    flip(name, bit);
    ASSERT_EQ(find_wrong_answer(), "") << name << ": byte " << bit / 8 << ", bit " << bit % 8;
    flip(name, bit);
  }
}

}  // namespace
}  // namespace arus::storage
