// The state machine of one partition at work: loaded from its log, appending to it, answering when
// that is durable.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "coordinator/runtime/machine.h"
#include "env/environment.h"
#include "metadata/image_publisher.h"
#include "replication/partition_table.h"

namespace arus::coordinator {

// One partition of a coordinator's topic. Owner: its loop.
//
// Holds: decisions run only while it is active, one at a time; the log's records up to the machine
// are exactly those that were replayed into it; answers leave in the order of their turns.
class Shard;

// The shards of one loop. Follows the image. Owner: its loop.
class ShardSet;

}  // namespace arus::coordinator
