// One bit of a closed segment or of its index has flipped: whoever reads gets what was written, or
// is told, from wherever he begins.
#include <algorithm>

#include "record/batch.h"
#include "record/batch_format.h"
#include "storage/file_names.h"
#include "storage/simulated_directory_testing.h"

namespace arus::storage {
namespace {

using env::Task;

struct WrittenBatch {
  Offset base;
  Offset last;
  Bytes bytes;
};

class ReadDamageTest : public testing::Test, protected SimulatedDirectory {
 protected:
  ReadDamageTest() : SimulatedDirectory(5) {
    config_->segment_bytes = 900;
    config_->index_interval_bytes = 200;
    run([this]() -> Task<void> {
      auto log = co_await open();
      for (int i = 0; i < 36; ++i) {
        EXPECT_TRUE(append(
            *log,
            make_batch({.records = 1 + i * 7 % 5, .value_bytes = 8, .timestamp_ms = 1'000 + i})));
      }
      co_await close(std::move(log));
    });
    start();
    run([this]() -> Task<void> {
      auto log = co_await open();
      end_ = log->log_end();
      const auto all = co_await log->read(Offset{0}, {.end = end_, .max_bytes = 1 << 20});
      const Bytes bytes = flatten(all->records);
      record::BatchReader reader(bytes);
      while (const auto batch = reader.next()) {
        written_.push_back({batch->base_offset(), batch->last_offset(),
                            Bytes(batch->bytes().begin(), batch->bytes().end())});
      }
      co_await close(std::move(log));
    });
  }
  // Whether these bytes are what was written from the batch with `from` on. The leader epoch of a
  // batch is nowhere checked.
  bool is_as_written(Offset from, ByteView bytes) {
    auto batch =
        std::ranges::find_if(written_, [&](const auto& each) { return each.last >= from; });
    constexpr std::size_t epoch_at = 12;
    while (!bytes.empty()) {
      if (batch == written_.end() || bytes.size() < batch->bytes.size()) return false;
      Bytes there(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(batch->bytes.size()));
      std::copy_n(batch->bytes.begin() + epoch_at, 4, there.begin() + epoch_at);
      if (there != batch->bytes) return false;
      bytes = bytes.subspan(there.size());
      ++batch;
    }
    return true;
  }
  // Reads on from `from`, a few times or to damage; false where that was not right.
  Task<bool> read_on(Log* log, Offset from, std::int32_t max_bytes) {
    for (int reads = 0; reads < 5 && from < end_; ++reads) {
      const auto fetched = co_await log->read(from, {.end = end_, .max_bytes = max_bytes});
      if (!fetched) co_return fetched.error().code == ErrorCode::corrupt_message;
      const Bytes bytes = flatten(fetched->records);
      if (bytes.empty() || !is_as_written(from, bytes)) co_return false;
      record::BatchReader reader(bytes);
      while (const auto batch = reader.next()) from = batch->next_offset();
    }
    co_return true;
  }
  // Offsets where a reader was given something wrong.
  std::vector<std::int64_t> wrong_readers(const std::string& name, std::size_t bit,
                                          std::int32_t max_bytes) {
    flip(name, bit);
    const Offset base = *parse_segment_file_name(name.substr(0, name.find('.')), "");
    std::vector<std::int64_t> wrong;
    start();
    run([&]() -> Task<void> {
      auto log = co_await open();
      for (Offset from = base + -3; from < base + 28; from += 1) {
        if (!co_await read_on(log.get(), from, max_bytes)) wrong.push_back(from.value());
      }
      co_await close(std::move(log));
    });
    flip(name, bit);
    return wrong;
  }
  // In the header of a batch, or one of some others.
  bool is_interesting(const std::string& name, std::size_t bit) {
    if (bit % 37 == 0) return true;
    std::size_t at = 0;
    for (const WrittenBatch& batch : written_) {
      if (batch.base < *parse_segment_file_name(name, suffix::log)) continue;
      if (bit / 8 >= at && bit / 8 < at + record::format::header_bytes) return true;
      at += batch.bytes.size();
    }
    return false;
  }
  void expect_right_readers(const std::string& ending) {
    const auto names = files(ending);
    ASSERT_GE(names.size(), 3U);
    const std::string& name = names[1];
    const auto size = disk_->file_size(std::string(root) + "/topic-0/" + name);
    for (std::size_t bit = 0; bit < static_cast<std::size_t>(*size) * 8; ++bit) {
      if (ending == ".log" && !is_interesting(name, bit)) continue;
      const std::int32_t max_bytes = bit % 3 == 0 ? 1 : 300;
      const auto wrong = wrong_readers(name, bit, max_bytes);
      ASSERT_TRUE(wrong.empty()) << name << ": byte " << bit / 8 << ", bit " << bit % 8 << ": "
                                 << wrong.size() << " readers, the first at " << wrong.front();
    }
  }

  Offset end_;
  std::vector<WrittenBatch> written_;
};

TEST_F(ReadDamageTest, NobodyIsGivenWhatABitOfTheIndexHasMadeOfTheLog) {
  expect_right_readers(".index");
}

TEST_F(ReadDamageTest, NobodyIsGivenWhatABitOfTheLogHasMadeOfIt) { expect_right_readers(".log"); }

}  // namespace
}  // namespace arus::storage
