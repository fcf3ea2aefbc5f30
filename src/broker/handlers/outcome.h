// Error codes and texts as answers carry them.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"

namespace arus::broker {

// The text beside a code: null for success, never empty otherwise.
[[nodiscard]] inline std::optional<std::string> message_of(const Error& error) {
  if (error.code == ErrorCode::none) return std::nullopt;
  return error.message.empty() ? std::string(error_name(error.code)) : error.message;
}
[[nodiscard]] inline std::optional<std::string> message_of(ErrorCode code) {
  return message_of(Error{code, {}, 0});
}

// For answers with one code and one text for the whole request.
template <class Response>
Response failed_as_whole(const Error& error) {
  Response response;
  response.error_code = error.code;
  if constexpr (requires { response.error_message; }) response.error_message = message_of(error);
  return response;
}
template <class Response, class Request>
Response refused_as_whole(const Request& request, ErrorCode code) {
  static_cast<void>(request);
  return failed_as_whole<Response>(Error{code, {}, 0});
}

}  // namespace arus::broker
