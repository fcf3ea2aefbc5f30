// Files of the commit log that hold anything: whatever is read from them lies inside them, and a
// partition that it names is restored or refused.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/log.h"
#include "base/reader.h"
#include "env/simulated.h"
#include "env/simulated/disk.h"
#include "storage/commit_log_reader.h"

namespace arus::storage {
namespace {

constexpr const char* root = "/data";

void write_file(env::FileSystem& files, const std::string& path, ByteView bytes) {
  const auto file = files.open(path, env::OpenMode::create);
  ARUS_ASSERT(file && (*file)->write_at(bytes, 0));
}

// Entries that are whole, as the input says, so that what stands behind checksums is reached too.
Bytes make_lap(Reader& input, std::uint64_t generation) {
  Bytes file = encode(CommitLogHeader{generation, 1U + input.u8() % 4U, {}});
  while (input.remaining() > 8) {
    CommitLogEntry entry{.sequence = input.u8(),
                         .type = static_cast<CommitLogEntryType>(input.u8() % 3),
                         .name = {"topic", input.u8() % 2},
                         .topic_id = Uuid::of_halves(1, 200),
                         .segment = Offset{input.i8()},
                         .position = input.i16(),
                         .base_offset = Offset{input.i8()}};
    const std::size_t size = std::min<std::size_t>(input.u8(), input.remaining());
    const Slice payload = Slice::copy_of(input.bytes(size));
    encode(entry, {payload}, commit_log_salt(generation), file);
    file.insert(file.end(), payload.view().begin(), payload.view().end());
  }
  return file;
}

}  // namespace
}  // namespace arus::storage

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace arus;
  using namespace arus::storage;
  set_log_level("storage", LogLevel::off);
  const ByteView bytes{data, size};
  static_cast<void>(parse_commit_log_header(bytes));
  if (const auto entry = parse_commit_log_entry(bytes, 1)) {
    ARUS_ASSERT(entry->payload_at <= entry->size_bytes && entry->size_bytes <= size);
  }
  env::Simulation simulation({.seed = 1});
  const auto disk = simulation.make_disk();
  const std::string folder = std::string(root) + "/topic-0";
  ARUS_ASSERT(disk->create_directories(folder).has_value());
  Reader input(bytes);
  const bool raw = input.u8() % 2 == 0;
  const std::size_t segment = std::min<std::size_t>(input.u8(), input.remaining());
  write_file(*disk, folder + "/00000000000000000000.log", input.bytes(segment));
  if (raw) {
    write_file(*disk, std::string(root) + "/arus-commit-log-0", input.rest());
  } else {
    write_file(*disk, std::string(root) + "/arus-commit-log-0", make_lap(input, 3));
  }
  const auto found = read_commit_log(*disk, root);
  ARUS_ASSERT(found.has_value());
  for (const auto& [id, partition] : found->partitions) {
    for (const FoundWrite& write : partition.writes) {
      ARUS_ASSERT(write.payload_at + write.size_bytes <= found->laps[write.lap].size_bytes);
    }
    const auto restored = restore_logged_writes(*disk, folder, partition, found->laps);
    // A second time there is nothing to write, unless one write lies over another.
    if (restored && partition.writes.size() == 1) {
      const auto again = restore_logged_writes(*disk, folder, partition, found->laps);
      ARUS_ASSERT(again && !*again);
    }
  }
  return 0;
}
