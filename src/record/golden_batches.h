// The batches in tests/golden/batches.jsonl, for tests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "record/batch_format.h"

namespace arus::record {

struct GoldenHeader {
  std::string name;
  std::optional<Bytes> value;
};

struct GoldenRecord {
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0;
  std::optional<Bytes> key;
  std::optional<Bytes> value;
  std::vector<GoldenHeader> headers;
  std::string control_type;  // of a control record
};

// What Kafka wrote and what it says of it. The fields of format 2 are absent before it.
struct GoldenBatch {
  std::string name;
  Bytes bytes;
  std::int64_t magic = 0;
  std::int64_t base_offset = 0;  // of the first record
  std::int64_t last_offset = 0;
  std::string compression;
  std::string timestamp_type;
  std::int64_t max_timestamp_ms = 0;
  std::int64_t crc = 0;
  std::int64_t leader_epoch = -1;
  std::int64_t base_timestamp_ms = -1;
  std::int64_t attributes = 0;
  std::int64_t producer_id = -1;
  std::int64_t producer_epoch = -1;
  std::int64_t base_sequence = -1;
  bool transactional = false;
  bool control = false;
  std::vector<GoldenRecord> records;
};

// Throws std::runtime_error for a file that is absent or not understood.
std::vector<GoldenBatch> load_golden_batches();
// The one of this name; throws where there is none.
GoldenBatch golden_batch(const std::string& name);

}  // namespace arus::record
