#include "client/version.h"

namespace arus::client {

std::string_view version() { return ARUS_VERSION; }

}  // namespace arus::client
