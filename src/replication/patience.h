// How long clients wait for a disk.
#pragma once

#include "env/time.h"

namespace arus::replication {

// Of a request, for logs that a slow disk keeps from opening: better told than left waiting.
inline constexpr env::Duration open_patience = env::seconds(5);

}  // namespace arus::replication
