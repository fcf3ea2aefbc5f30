// The file .kafka_cleanshutdown: written last by an orderly stop, removed by the next start.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace arus::storage {

[[nodiscard]] std::string encode_clean_shutdown(std::int64_t broker_epoch);
// The broker epoch; −1 where the marker names none (Kafka before 3.7 left it empty). Nothing where
// the text is no such marker: then the stop does not count as clean.
[[nodiscard]] std::optional<std::int64_t> parse_clean_shutdown(std::string_view text);

}  // namespace arus::storage
