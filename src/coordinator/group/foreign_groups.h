// Groups of protocols that are not served: kept as a directory brought them.
#pragma once

#include "coordinator/group/groups.h"
#include "coordinator/runtime/machine.h"

namespace arus::coordinator {

// Share groups (keys 10 to 15) and streams groups (keys 17, 19 to 23): their records stay in the
// log as they are and never become tombstones, their names are taken (GROUP_ID_NOT_FOUND for a
// request of another protocol), and their offsets do not expire. A part of the group machine.
class ForeignGroups {
 public:
  explicit ForeignGroups(Groups& groups) : groups_(groups) {}
  // False for a key that is none of these.
  Result<bool> replay(std::int16_t type, const ReplayedRecord& record);

 private:
  Groups& groups_;
};

}  // namespace arus::coordinator
