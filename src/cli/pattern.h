// Regular expressions that users give to pick topics.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace arus::cli {

// Matches a whole name, as Java's does. RE2's syntax: without back references and look-around, in
// time linear in the name.
class Pattern {
 public:
  static Result<Pattern> of(std::string_view text);
  // Kafka's lists of names: commas are alternatives, blanks are nothing.
  static Result<Pattern> of_list(std::string_view text);
  Pattern(Pattern&&) noexcept;
  ~Pattern();
  [[nodiscard]] bool matches(std::string_view name) const;

 private:
  explicit Pattern(std::unique_ptr<re2::RE2> expression);
  std::unique_ptr<re2::RE2> expression_;
};

// What RE2 has against the expression, in the words of its Java port (Kafka's); nothing if it is
// valid.
std::optional<std::string> regex_complaint(std::string_view text);

}  // namespace arus::cli
