// Messages as JSON, for logs, dumps and tests: the library arus_protocol_catalog.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error_code.h"
#include "base/ids.h"
#include "base/uuid.h"

namespace arus::protocol {

// Builds the JSON of one message at one version, in the shape that Kafka's own tools print: names
// in camel case, bytes as base64, uuids as their text, a tagged field at its default left out.
class MessagePrinter {
 public:
  static constexpr std::int16_t all_versions = -1;  // every field is printed

  explicit MessagePrinter(std::int16_t version) : version_(version) {}
  // Whether fields of these versions are printed.
  [[nodiscard]] bool has(std::int16_t low, std::int16_t high) const {
    return version_ == all_versions || (low <= version_ && version_ <= high);
  }
  void begin_object() { text_ += '{'; }
  void end_object() { text_ += '}'; }
  template <class T>
  void member(std::string_view name, const T& content) {
    key(name);
    value(content);
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  void key(std::string_view name);
  void value(bool content);
  void value(std::int64_t content);
  void value(std::int8_t content) { value(std::int64_t{content}); }
  void value(std::int16_t content) { value(std::int64_t{content}); }
  void value(std::int32_t content) { value(std::int64_t{content}); }
  void value(std::uint16_t content) { value(std::int64_t{content}); }
  void value(std::uint32_t content) { value(std::int64_t{content}); }
  void value(double content);
  void value(ErrorCode content) { value(static_cast<std::int64_t>(content)); }
  void value(BrokerId content) { value(content.value()); }
  void value(ProducerId content) { value(content.value()); }
  void value(const Uuid& content);
  void value(const std::string& content);
  void value(const Slice& content);
  template <class T>
  void value(const std::optional<T>& content) {
    if (content) {
      value(*content);
    } else {
      text_ += "null";
    }
  }
  template <class T>
  void value(const std::vector<T>& items) {
    text_ += '[';
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) text_ += ',';
      value(items[i]);
    }
    text_ += ']';
  }
  template <class T>
  void value(const T& message) {
    message.print(*this);
  }

  std::string text_;
  std::int16_t version_;
};

template <class Message>
[[nodiscard]] std::string to_json(const Message& message, std::int16_t version) {
  MessagePrinter out(version);
  message.print(out);
  return out.take();
}

// All fields, whichever versions have them.
template <class Message>
  requires requires(const Message& message, MessagePrinter& out) { message.print(out); }
[[nodiscard]] std::string to_string(const Message& message) {
  return to_json(message, MessagePrinter::all_versions);
}

}  // namespace arus::protocol
