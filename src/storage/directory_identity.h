// Whose log directory it is.
#pragma once

#include <cstdint>
#include <string>

#include "base/uuid.h"

namespace arus::storage {

// What meta.properties says (version 1). `cluster_id` is compared as text.
struct DirectoryIdentity {
  std::string cluster_id;
  std::int32_t node_id = -1;
  Uuid directory_id;
};

}  // namespace arus::storage
