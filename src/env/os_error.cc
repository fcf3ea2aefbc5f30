#include "env/os_error.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace arus::env {

std::string describe_os_error(int os_error) {
  return std::error_code(os_error, std::generic_category()).message();
}

Error storage_error(const std::string& path, const char* what, int os_error) {
  return {ErrorCode::kafka_storage_error, path + ": " + what + ": " + describe_os_error(os_error),
          os_error};
}

Error flush_error(const std::string& path, const char* what, int os_error) {
  Error error = storage_error(path, what, os_error);
  if (os_error == ENOSPC || os_error == EDQUOT) error.os_error = EIO;
  return error;
}

bool is_device_failure(const Error& error) {
  static constexpr int failures[] = {EIO, EROFS, ENXIO, ENODEV, EUCLEAN, ESTALE, EREMOTEIO};
  return std::ranges::find(failures, error.os_error) != std::end(failures);
}

Error network_error(const std::string& what, int os_error) {
  return {ErrorCode::network_exception, what + ": " + describe_os_error(os_error), os_error};
}

}  // namespace arus::env
