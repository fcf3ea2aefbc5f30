// The little of JSON that commands read, and how they print bytes in it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"

namespace arus::cli {

// Text where the bytes are UTF-8, else {"base64":"…"}; null for nothing.
std::string json_bytes(const std::optional<Bytes>& bytes);
[[nodiscard]] bool is_utf8(ByteView bytes);

// A value read from JSON. Depth and size are bounded by the reader.
struct Json {
  using Array = std::vector<Json>;
  using Object = std::map<std::string, Json>;
  std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Array, Object> value;

  [[nodiscard]] const Json* member(const std::string& name) const;
  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&value);
  }
};
inline constexpr int max_json_depth = 64;
Result<Json> parse_json(std::string_view text);

}  // namespace arus::cli
