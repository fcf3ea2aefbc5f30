// A log whose files hold anything: it opens or is refused, and what it opens as can be opened
// again.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/log.h"
#include "base/reader.h"
#include "env/simulated.h"
#include "env/simulated/disk.h"
#include "storage/file_names.h"
#include "storage/log_recovery.h"
#include "storage/verify_partition.h"

namespace arus::storage {
namespace {

constexpr const char* folder = "/data/topic-0";

void write_file(env::FileSystem& files, Offset base, std::string_view kind, ByteView bytes) {
  auto file = files.open(join_path(folder, segment_file_name(base, kind)), env::OpenMode::create);
  ARUS_ASSERT(file.has_value());
  if (!bytes.empty()) ARUS_ASSERT((*file)->write_at(bytes, 0).has_value());
}

// The input's first bytes say how the rest is divided among the files.
LoadRequest fill(env::FileSystem& files, Reader& input) {
  const std::uint8_t flags = input.u8();
  const Offset point{input.u8() % 4};
  const LoadRequest request{
      .path = folder,
      .recovery_point = point,
      .clean = (flags & 1) != 0,
      .contiguous_from = (flags & 2) != 0 ? std::optional(point) : std::nullopt,
      .index_interval_bytes = 64};
  const auto piece = [&input] {
    return input.bytes(std::min<std::size_t>(input.u8(), input.remaining()));
  };
  if ((flags & 4) != 0) write_file(files, Offset{0}, suffix::offset_index, piece());
  if ((flags & 8) != 0) write_file(files, Offset{0}, suffix::time_index, piece());
  if ((flags & 16) != 0) write_file(files, Offset{0}, suffix::transaction_index, piece());
  if ((flags & 32) != 0) write_file(files, Offset{1}, suffix::producer_snapshot, piece());
  if ((flags & 64) != 0) write_file(files, Offset{2}, suffix::log, piece());
  write_file(files, Offset{0}, suffix::log, input.bytes(input.remaining()));
  return request;
}

}  // namespace
}  // namespace arus::storage

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace arus;
  using namespace arus::storage;
  set_log_level("storage", LogLevel::off);
  env::Simulation simulation({.seed = 1});
  const auto disk = simulation.make_disk();
  ARUS_ASSERT(disk->create_directories(folder).has_value());
  Reader input({data, size});
  LoadRequest request = fill(*disk, input);
  // Checking the same files comes to an end and changes nothing that recovery would see.
  PartitionCheck check(*disk, {.path = folder,
                               .name = {"topic", 0},
                               .clean = request.clean,
                               .offsets = {.recovery_point = request.recovery_point},
                               .has_recovery_point = true});
  while (check.step()) {
  }
  const auto loaded = load_log(*disk, request);
  if (!loaded) return 0;
  ARUS_ASSERT(loaded->log_start <= loaded->log_end);
  // Recovery leaves what it can stand on itself: a second one finds the same end.
  request.clean = false;
  request.recovery_point = Offset{0};
  const auto again = load_log(*disk, request);
  ARUS_ASSERT(again.has_value());
  if (!loaded->segments.empty() && (data[0] & 1) == 0) {
    ARUS_ASSERT(again->log_end <= loaded->log_end);
  }
  const auto third = load_log(*disk, request);
  ARUS_ASSERT(third && third->log_end == again->log_end);
  return 0;
}
