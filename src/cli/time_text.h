// Moments and durations as people and Kafka's programs write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace arus::cli {

// "2026-11-24T10:00:00.000", with "Z", "+01" or "+01:00" behind it; without any it is UTC. Kafka's
// programs insist on the fraction. Milliseconds since 1970. INVALID_TIMESTAMP, also for durations.
Result<std::int64_t> parse_date_time(std::string_view text);

// The same, also without the fraction, without the seconds and as the day alone, or milliseconds
// since 1970.
Result<std::int64_t> parse_moment(std::string_view text);

// "P1DT2H30M10.5S", as Java reads it; milliseconds. Signs are allowed before every number.
Result<std::int64_t> parse_duration(std::string_view text);

// "850 ms", "12 s", "3 min 20 s", "2 h 5 min", "4 d 3 h".
std::string duration_text(std::int64_t ms);
// "2026-11-24T10:00:00.000Z".
std::string moment_text(std::int64_t ms);

}  // namespace arus::cli
