// What the members of a group are to have.
#pragma once

#include <map>
#include <string>

#include "coordinator/group/assignors/assignor.h"
#include "coordinator/group/consumer_group.h"
#include "metadata/image.h"

namespace arus::coordinator {

// The new targets of those members whose target changes, by id.
[[nodiscard]] std::map<std::string, PartitionSet> changed_targets(
    const ConsumerGroup& group, const metadata::MetadataImage& image, Assignor assignor);

}  // namespace arus::coordinator
