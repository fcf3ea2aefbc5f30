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

std::optional<std::string> regex_complaint(std::string_view text) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  const re2::RE2 expression(re2::StringPiece(text.data(), text.size()), options);
  if (expression.ok()) return std::nullopt;
  switch (expression.error_code()) {
    case re2::RE2::ErrorBadEscape:
      return "invalid escape sequence";
    case re2::RE2::ErrorBadCharClass:
      return "invalid character class";
    case re2::RE2::ErrorBadCharRange:
      return "invalid character class range";
    case re2::RE2::ErrorMissingBracket:
      return "missing closing ]";
    case re2::RE2::ErrorMissingParen:
      return "missing closing )";
    case re2::RE2::ErrorUnexpectedParen:
      return "unexpected )";
    case re2::RE2::ErrorTrailingBackslash:
      return "trailing backslash at end of expression";
    case re2::RE2::ErrorRepeatArgument:
      return "missing argument to repetition operator";
    case re2::RE2::ErrorRepeatSize:
      return "invalid repeat count";
    case re2::RE2::ErrorRepeatOp:
      return "invalid nested repetition operator";
    case re2::RE2::ErrorBadPerlOp:
      return "invalid or unsupported Perl syntax";
    case re2::RE2::ErrorBadUTF8:
      return "invalid UTF-8";
    case re2::RE2::ErrorBadNamedCapture:
      return "invalid named capture";
    case re2::RE2::NoError:
    case re2::RE2::ErrorInternal:
    case re2::RE2::ErrorPatternTooLarge:
      break;
  }
  return expression.error();
}

}  // namespace arus::cli
