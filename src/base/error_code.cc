#include "base/error_code.h"

namespace arus {

std::string_view error_name(ErrorCode code) {
  switch (code) {
#define ARUS_ERROR_CODE(name, number, text, retriable) \
  case ErrorCode::name:                                \
    return text;
    ARUS_ERROR_CODES(ARUS_ERROR_CODE)
#undef ARUS_ERROR_CODE
  }
  return "UNKNOWN_SERVER_ERROR";
}

bool is_retriable(ErrorCode code) {
  switch (code) {
#define ARUS_ERROR_CODE(name, number, text, retriable) \
  case ErrorCode::name:                                \
    return retriable;
    ARUS_ERROR_CODES(ARUS_ERROR_CODE)
#undef ARUS_ERROR_CODE
  }
  return false;
}

}  // namespace arus
