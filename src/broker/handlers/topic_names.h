// Which topic names there may be, and which belong to the brokers themselves.
#pragma once

#include <string_view>

namespace arus::broker {

inline constexpr std::size_t max_topic_name_length = 249;

// 1 to 249 of a–z, A–Z, 0–9, '.', '_' and '-', but not "." or "..".
[[nodiscard]] bool is_topic_name(std::string_view name);
// __consumer_offsets, __transaction_state and __share_group_state.
[[nodiscard]] bool is_internal_topic(std::string_view name);

}  // namespace arus::broker
