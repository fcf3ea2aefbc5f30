#include "raft/driver/snapshot_id.h"

#include <fmt/core.h>

#include <charconv>

namespace arus::raft {
namespace {

template <class Number>
bool parse_digits(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && out >= 0;
}

}  // namespace

std::string SnapshotId::file_name() const {
  return fmt::format("{:020}-{:010}.checkpoint", end.value(), epoch.value());
}

std::optional<SnapshotId> SnapshotId::parse_file_name(std::string_view name) {
  constexpr std::string_view suffix = ".checkpoint";
  if (name.size() != 20 + 1 + 10 + suffix.size() || !name.ends_with(suffix) || name[20] != '-') {
    return std::nullopt;
  }
  std::int64_t end = 0;
  std::int32_t epoch = 0;
  if (!parse_digits(name.substr(0, 20), end) || !parse_digits(name.substr(21, 10), epoch)) {
    return std::nullopt;
  }
  return SnapshotId{Offset{end}, LeaderEpoch{epoch}};
}

}  // namespace arus::raft
