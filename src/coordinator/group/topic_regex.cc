#include "coordinator/group/topic_regex.h"

#include <fmt/core.h>
#include <re2/re2.h>

#include "base/log.h"

namespace arus::coordinator {
namespace {

const LogComponent log("coordinator.group");

RE2::Options options() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(max_regex_bytes);
  return options;
}

// What is wrong, in the words that Kafka's library has for it.
std::string_view describe(const RE2& regex) {
  switch (regex.error_code()) {
    case RE2::NoError:
      return "";
    case RE2::ErrorBadEscape:
      return "invalid escape sequence";
    case RE2::ErrorBadCharClass:
      return "invalid character class";
    case RE2::ErrorBadCharRange:
      return "invalid character class range";
    case RE2::ErrorMissingBracket:
      return "missing closing ]";
    case RE2::ErrorMissingParen:
      return "missing closing )";
    case RE2::ErrorUnexpectedParen:
      return "unexpected )";
    case RE2::ErrorTrailingBackslash:
      return "trailing backslash at end of expression";
    case RE2::ErrorRepeatArgument:
      return "missing argument to repetition operator";
    case RE2::ErrorRepeatSize:
      return "invalid repeat count";
    case RE2::ErrorRepeatOp:
      return "invalid nested repetition operator";
    case RE2::ErrorBadPerlOp:
      return "invalid or unsupported Perl syntax";
    case RE2::ErrorBadUTF8:
      return "invalid UTF-8";
    case RE2::ErrorBadNamedCapture:
      return "invalid named capture";
    case RE2::ErrorPatternTooLarge:
      return "expression too large";
    case RE2::ErrorInternal:
      break;
  }
  return "internal error";
}

std::unexpected<Error> invalid(const std::string& regex, std::string_view why) {
  return fail(
      ErrorCode::invalid_regular_expression,
      fmt::format("SubscribedTopicRegex `{}` is not a valid regular expression: {}.", regex, why));
}

}  // namespace

Result<> check_regex(const std::string& regex) {
  if (regex.size() > max_regex_length) {
    return invalid(regex.substr(0, 64) + "…", "expression too large");
  }
  const RE2 compiled(regex, options());
  if (!compiled.ok()) return invalid(regex, describe(compiled));
  return {};
}

std::vector<std::string> matching_topics(const std::string& regex,
                                         const metadata::MetadataImage& image,
                                         const std::function<bool(std::string_view)>& may_see) {
  std::vector<std::string> topics;
  const RE2 compiled(regex, options());
  if (!compiled.ok()) return topics;
  std::size_t bytes = 0;
  for (const auto& [name, topic] : image.topics) {
    if (!RE2::FullMatch(name, compiled)) continue;
    if (may_see && !may_see(name)) continue;
    bytes += name.size();
    if (bytes > max_resolved_bytes) {
      log.warning("A regular expression matches more topics than one can stand for: {}", regex);
      break;
    }
    topics.push_back(name);
  }
  return topics;
}

}  // namespace arus::coordinator
