// The operating system's errors as ours.
#pragma once

#include <string>

#include "base/result.h"

namespace arus::env {

// What the system says about an errno, such as "No space left on device".
std::string describe_os_error(int os_error);
// "path: what: No such file or directory".
Error storage_error(const std::string& path, const char* what, int os_error);
// The same for a flush. Its os_error never says that the disk is full: the system has taken those
// bytes and may have lost them, so that nothing is won by waiting for space.
Error flush_error(const std::string& path, const char* what, int os_error);
// Whether the device itself has failed, and not only this operation: not the lack of space,
// descriptors or a name.
[[nodiscard]] bool is_device_failure(const Error& error);
// "what: Connection reset by peer".
Error network_error(const std::string& what, int os_error);

}  // namespace arus::env
