// Subscriptions by regular expression (RE2 syntax, matching whole names).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "metadata/image.h"

namespace arus::coordinator {

// Memory for one compiled expression: one that needs more is refused. Matching takes time in
// proportion to the length of a name, whatever the expression.
inline constexpr std::int64_t max_regex_bytes = 1 << 20;
inline constexpr std::size_t max_regex_length = 8'192;
// Names that one expression stands for, in bytes, so that they fit into a record. Of more, the
// first in order count.
inline constexpr std::size_t max_resolved_bytes = 512U << 10U;

// INVALID_REGULAR_EXPRESSION with Kafka's sentence.
[[nodiscard]] Result<> check_regex(const std::string& regex);

// The topics of the image that match and pass `may_see`, ascending. None for an expression that
// does not compile: a newer version may have stored it.
[[nodiscard]] std::vector<std::string> matching_topics(
    const std::string& regex, const metadata::MetadataImage& image,
    const std::function<bool(std::string_view)>& may_see);

}  // namespace arus::coordinator
