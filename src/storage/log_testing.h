// What the tests of this layer share: a directory of their own, and batches.
#pragma once

#include <filesystem>
#include <string>

#include "base/assert.h"
#include "base/log.h"
#include "env/environment.h"
#include "record/builder.h"
#include "record/validator.h"
#include "storage/log_directory.h"

namespace arus::storage {

inline const Uuid test_topic_id = Uuid::of_halves(7, 11);

// A folder below the system's temporary one, removed with this.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    // Damage is what most tests are about; its reports would hide everything else.
    set_log_level("storage", LogLevel::off);
    std::string pattern = (std::filesystem::temp_directory_path() / "arus-XXXXXX").string();
    ARUS_ASSERT(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(std::string_view name) const {
    return path_ + "/" + std::string(name);
  }

 private:
  std::string path_;
};

struct TestBatch {
  int records = 1;
  std::size_t value_bytes = 10;
  std::int64_t timestamp_ms = 1'000;  // of the first record; each later one is 1 ms later
  record::BatchOptions options;
};

inline Slice make_batch(const TestBatch& spec = {}) {
  record::BatchBuilder builder(spec.options);
  for (int i = 0; i < spec.records; ++i) {
    const Bytes value(spec.value_bytes, static_cast<std::uint8_t>('a' + i % 26));
    const std::string key = "k" + std::to_string(i);
    builder.append(spec.timestamp_ms + i, as_bytes(key), ByteView(value));
  }
  return Slice(builder.build());
}

inline record::ValidatedBatch facts_of(const Slice& batch) {
  const auto view = record::BatchView::parse(batch.view());
  ARUS_ASSERT(view);
  return {.size_bytes = view->size_bytes(),
          .count = view->count(),
          .compression = view->compression(),
          .timestamp_type = view->timestamp_type(),
          .max_timestamp_ms = view->max_timestamp_ms(),
          .max_timestamp_delta = view->count() - 1,
          .producer_id = view->producer_id(),
          .producer_epoch = view->producer_epoch(),
          .base_sequence = view->base_sequence(),
          .last_sequence = view->last_sequence(),
          .transactional = view->is_transactional(),
          .control = view->is_control()};
}

inline Result<Appended> append(Log& log, const Slice& batch, AppendOptions options = {}) {
  if (options.leader_epoch.value() <= 0) options.leader_epoch = LeaderEpoch{0};
  options.from_coordinator = options.from_coordinator || facts_of(batch).control;
  return log.append(batch, facts_of(batch), options);
}

inline std::shared_ptr<config::TopicConfig> test_config() {
  return std::make_shared<config::TopicConfig>();
}

}  // namespace arus::storage
