#include "cli/json.h"

#include <fmt/core.h>

#include <charconv>

#include "base/base64.h"

namespace arus::cli {

bool is_utf8(ByteView bytes) {
  std::size_t i = 0;
  while (i < bytes.size()) {
    const std::uint8_t first = bytes[i];
    const std::size_t length = first < 0x80              ? 1
                               : (first & 0xe0U) == 0xc0 ? 2
                               : (first & 0xf0U) == 0xe0 ? 3
                               : (first & 0xf8U) == 0xf0 ? 4
                                                         : 0;
    if (length == 0 || i + length > bytes.size()) return false;
    std::uint32_t point = length == 1 ? first : first & (0x7fU >> length);
    for (std::size_t k = 1; k < length; ++k) {
      if ((bytes[i + k] & 0xc0U) != 0x80) return false;
      point = point << 6 | (bytes[i + k] & 0x3fU);
    }
    constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < least[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
      return false;
    }
    i += length;
  }
  return true;
}

std::string json_bytes(const std::optional<Bytes>& bytes) {
  if (!bytes) return "null";
  if (is_utf8(*bytes)) return json_text(as_text(*bytes));
  return fmt::format("{{\"base64\":{}}}", json_text(encode_base64(*bytes)));
}

const Json* Json::member(const std::string& name) const {
  const auto* object = as<Object>();
  if (object == nullptr) return nullptr;
  const auto found = object->find(name);
  return found == object->end() ? nullptr : &found->second;
}

namespace {

class JsonParser {
 public:
  explicit JsonParser(std::string_view text) : text_(text) {}

  Result<Json> whole() {
    auto value = parse(0);
    if (!value) return value;
    skip_blanks();
    if (at_ != text_.size()) return wrong();
    return value;
  }

 private:
  std::unexpected<Error> wrong() const {
    return fail(ErrorCode::invalid_request, fmt::format("The JSON is wrong at byte {}", at_));
  }
  void skip_blanks() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").contains(text_[at_])) ++at_;
  }
  bool take(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  Result<Json> parse(int depth) {
    if (depth > max_json_depth) return wrong();
    skip_blanks();
    if (at_ >= text_.size()) return wrong();
    if (take('{')) return object(depth);
    if (take('[')) return array(depth);
    if (text_[at_] == '"') {
      auto text = string();
      if (!text) return fail(std::move(text).error());
      return Json{std::move(*text)};
    }
    if (take_word("true")) return Json{true};
    if (take_word("false")) return Json{false};
    if (take_word("null")) return Json{nullptr};
    return number();
  }

  Result<Json> object(int depth) {
    Json::Object members;
    if (take('}')) return Json{std::move(members)};
    do {
      skip_blanks();
      auto name = string();
      if (!name) return fail(std::move(name).error());
      if (!take(':')) return wrong();
      auto value = parse(depth + 1);
      if (!value) return value;
      members.insert_or_assign(std::move(*name), std::move(*value));
    } while (take(','));
    if (!take('}')) return wrong();
    return Json{std::move(members)};
  }

  Result<Json> array(int depth) {
    Json::Array items;
    if (take(']')) return Json{std::move(items)};
    do {
      auto value = parse(depth + 1);
      if (!value) return value;
      items.push_back(std::move(*value));
    } while (take(','));
    if (!take(']')) return wrong();
    return Json{std::move(items)};
  }

  Result<Json> number() {
    const char* first = text_.data() + at_;
    const char* last = text_.data() + text_.size();
    std::int64_t whole = 0;
    auto [end, error] = std::from_chars(first, last, whole);
    const bool more = end < last && std::string_view(".eE").contains(*end);
    if (error == std::errc{} && !more) {
      at_ += static_cast<std::size_t>(end - first);
      return Json{whole};
    }
    double decimal = 0;
    const auto parsed = std::from_chars(first, last, decimal);
    if (parsed.ec != std::errc{}) return wrong();
    at_ += static_cast<std::size_t>(parsed.ptr - first);
    return Json{decimal};
  }

  Result<std::string> string() {
    if (at_ >= text_.size() || text_[at_] != '"') return wrong();
    ++at_;
    std::string out;
    while (at_ < text_.size() && text_[at_] != '"') {
      const char c = text_[at_++];
      if (static_cast<unsigned char>(c) < 0x20) return wrong();
      if (c != '\\') {
        out += c;
        continue;
      }
      if (at_ >= text_.size()) return wrong();
      const char escaped = text_[at_++];
      constexpr std::string_view from = "\"\\/bfnrt";
      constexpr std::string_view to = "\"\\/\b\f\n\r\t";
      if (const auto place = from.find(escaped); place != std::string_view::npos) {
        out += to[place];
      } else if (escaped == 'u') {
        if (!append_point(out)) return wrong();
      } else {
        return wrong();
      }
    }
    if (at_ >= text_.size()) return wrong();
    ++at_;
    return out;
  }

  std::optional<std::uint32_t> hex() {
    if (at_ + 4 > text_.size()) return std::nullopt;
    std::uint32_t value = 0;
    const char* first = text_.data() + at_;
    const auto [end, error] = std::from_chars(first, first + 4, value, 16);
    if (error != std::errc{} || end != first + 4) return std::nullopt;
    at_ += 4;
    return value;
  }

  bool append_point(std::string& out) {
    auto point = hex();
    if (!point) return false;
    if (*point >= 0xd800 && *point < 0xdc00) {
      if (!take_word("\\u")) return false;
      const auto low = hex();
      if (!low || *low < 0xdc00 || *low >= 0xe000) return false;
      point = 0x10000 + ((*point - 0xd800) << 10) + (*low - 0xdc00);
    } else if (*point >= 0xdc00 && *point < 0xe000) {
      return false;
    }
    const auto byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
    if (*point < 0x80) {
      byte(*point);
    } else if (*point < 0x800) {
      byte(0xc0 | *point >> 6);
      byte(0x80 | (*point & 0x3fU));
    } else if (*point < 0x10000) {
      byte(0xe0 | *point >> 12);
      byte(0x80 | (*point >> 6 & 0x3fU));
      byte(0x80 | (*point & 0x3fU));
    } else {
      byte(0xf0 | *point >> 18);
      byte(0x80 | (*point >> 12 & 0x3fU));
      byte(0x80 | (*point >> 6 & 0x3fU));
      byte(0x80 | (*point & 0x3fU));
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<Json> parse_json(std::string_view text) { return JsonParser(text).whole(); }

}  // namespace arus::cli
