#include "storage/verify.h"

#include <fmt/core.h>

namespace arus::storage {

std::string_view severity_name(Severity severity) {
  static constexpr std::string_view names[] = {"note", "warning", "error"};
  return names[static_cast<std::size_t>(severity)];
}

std::string place_of(const Finding& finding) {
  std::string place = finding.file;
  if (finding.position) place += fmt::format(", byte {}", *finding.position);
  if (finding.offset) place += fmt::format(", offset {}", finding.offset->value());
  return place;
}

std::string describe(const Repair& repair) {
  switch (repair.kind) {
    case RepairKind::rebuild_indexes:
      return fmt::format("make the indexes of {} again from its batches", repair.file);
    case RepairKind::set_file_aside:
      return fmt::format("rename {} to end in .damaged, so that a start makes it again",
                         repair.file);
    case RepairKind::cut_log:
      break;
  }
  return fmt::format(
      "cut {} at offset {}: offsets {} to {} are LOST to readers; {} bytes, from byte {} of {} on "
      "and in all later segments, are moved to files beside it that end in .cut",
      repair.partition.to_string(), repair.offset.value(), repair.offset.value(),
      repair.end.value() - 1, repair.cut_bytes, repair.position, repair.file);
}

void VerifyTotals::add(const VerifyTotals& other) {
  partitions += other.partitions;
  segments += other.segments;
  size_bytes += other.size_bytes;
  batches += other.batches;
  records += other.records;
}

}  // namespace arus::storage
