// How long clients wait for a disk.
#pragma once

#include "env/time.h"

namespace arus::replication {

// Of a request, for logs that a slow disk keeps from opening and for what it reads of them: better
// told than left waiting.
inline constexpr env::Duration disk_patience = env::seconds(5);

}  // namespace arus::replication
