// Expected failures are values: Result<T> holds a T or an Error.
#pragma once

#include <expected>
#include <string>
#include <utility>

#include "base/error_code.h"

namespace arus {

// Why something that was asked for did not happen. `code` is what a client is told; `message` is a
// whole sentence for people, without a final full stop; `os_error` is the errno behind it, or 0.
struct Error {
  ErrorCode code = ErrorCode::unknown_server_error;
  std::string message;
  int os_error = 0;
};

template <class T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message = {}) {
  return std::unexpected(Error{code, std::move(message), 0});
}

[[nodiscard]] inline std::unexpected<Error> fail(Error error) {
  return std::unexpected(std::move(error));
}

}  // namespace arus

// Returns the error of `expression` from the enclosing function, or goes on.
#define ARUS_TRY(expression)                                      \
  do {                                                            \
    if (auto arus_try_result = (expression); !arus_try_result) {  \
      return std::unexpected(std::move(arus_try_result).error()); \
    }                                                             \
  } while (false)

// The same in a coroutine.
#define ARUS_CO_TRY(expression)                                      \
  do {                                                               \
    if (auto arus_try_result = (expression); !arus_try_result) {     \
      co_return std::unexpected(std::move(arus_try_result).error()); \
    }                                                                \
  } while (false)
