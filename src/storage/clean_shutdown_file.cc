#include "storage/clean_shutdown_file.h"

#include <algorithm>
#include <charconv>

namespace arus::storage {

namespace {
constexpr std::string_view prefix = "{\"version\":0,\"brokerEpoch\":";
}  // namespace

std::string encode_clean_shutdown(std::int64_t broker_epoch) {
  return std::string(prefix) + std::to_string(broker_epoch) + "}";
}

std::optional<std::int64_t> parse_clean_shutdown(std::string_view text) {
  std::string packed;
  std::ranges::copy_if(text, std::back_inserter(packed),
                       [](char c) { return c != ' ' && c != '\n' && c != '\r' && c != '\t'; });
  if (packed.empty()) return -1;
  if (!packed.starts_with(prefix) || !packed.ends_with('}')) return std::nullopt;
  std::int64_t epoch = 0;
  const char* const begin = packed.data() + prefix.size();
  const char* const end = packed.data() + packed.size() - 1;
  const auto [stop, error] = std::from_chars(begin, end, epoch);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return epoch;
}

}  // namespace arus::storage
