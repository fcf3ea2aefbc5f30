// JSON as commands print it, and the little of it that they read.
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
#include "base/result.h"

namespace arus::cli {

// With quotes; control characters, quotes and backslashes escaped.
std::string json_text(std::string_view text);
// Text where the bytes are UTF-8, else {"base64":"…"}; null for nothing.
std::string json_bytes(const std::optional<Bytes>& bytes);
[[nodiscard]] bool is_utf8(ByteView bytes);

// Builds an object or array piece by piece: commas are its own business.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& text(std::string_view value) { return raw(json_text(value)); }
  JsonWriter& number(std::int64_t value) { return raw(std::to_string(value)); }
  JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
  JsonWriter& null() { return raw("null"); }
  JsonWriter& raw(std::string_view value);
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string text_;
  bool needs_comma_ = false;
};

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
