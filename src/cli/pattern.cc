#include "cli/pattern.h"

#include <fmt/core.h>
#include <re2/re2.h>

namespace arus::cli {

Pattern::Pattern(std::unique_ptr<re2::RE2> expression) : expression_(std::move(expression)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern> Pattern::of(std::string_view text) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto expression = std::make_unique<re2::RE2>(re2::StringPiece(text.data(), text.size()), options);
  if (!expression->ok()) {
    return fail(ErrorCode::invalid_regular_expression,
                fmt::format("{} is an invalid regex: {}", text, expression->error()));
  }
  return Pattern(std::move(expression));
}

Result<Pattern> Pattern::of_list(std::string_view text) {
  std::string expression;
  for (const char c : text) {
    if (c == ' ' || c == '"' || c == '\'') continue;
    expression += c == ',' ? '|' : c;
  }
  return of(expression);
}

bool Pattern::matches(std::string_view name) const {
  return re2::RE2::FullMatch(re2::StringPiece(name.data(), name.size()), *expression_);
}

}  // namespace arus::cli
