// What checking a stopped log directory finds, and what can be done about it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/topic_partition.h"

namespace arus::storage {

// note: a start puts it right as a matter of course, or it harms nothing. warning: something is
// wrong, but everything that was stored is there. error: records or metadata are damaged or gone.
enum class Severity : std::uint8_t { note, warning, error };
[[nodiscard]] std::string_view severity_name(Severity severity);

enum class RepairKind : std::uint8_t {
  rebuild_indexes,  // of one segment, from its batches
  set_file_aside,   // under another name; a start makes it again
  cut_log,          // at a damaged batch; only where that is asked for
};

struct Repair {
  RepairKind kind = RepairKind::set_file_aside;
  std::string file;            // what is set aside, or the `.log`
  TopicPartition partition;    // of a `.log`
  Offset segment;              // its base
  std::int64_t position = 0;   // where to cut
  Offset offset;               // the log's end after a cut
  Offset end;                  // and before it
  std::int64_t cut_bytes = 0;  // of this segment and all later ones
  std::int32_t index_interval_bytes = 4096;
};

struct Finding {
  Severity severity = Severity::note;
  std::string file;                      // or directory
  std::optional<std::int64_t> position;  // byte in the file
  std::optional<Offset> offset;          // in the log
  std::string problem;                   // a sentence
  std::string at_start;                  // what a start of the server does, a sentence
  std::optional<Repair> repair;
};

// "path, byte 12, offset 3".
[[nodiscard]] std::string place_of(const Finding& finding);
// What the repair would change, a sentence.
[[nodiscard]] std::string describe(const Repair& repair);

struct VerifyTotals {
  std::int64_t partitions = 0;
  std::int64_t segments = 0;
  std::int64_t size_bytes = 0;
  std::int64_t batches = 0;
  std::int64_t records = 0;
  void add(const VerifyTotals& other);
};

}  // namespace arus::storage
