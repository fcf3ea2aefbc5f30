#include "coordinator/group/groups.h"

#include <utility>

namespace arus::coordinator {

Group* Groups::find(std::string_view id) const {
  const auto found = groups_.find(id);
  return found == groups_.end() ? nullptr : found->second.get();
}

Group& Groups::put(std::unique_ptr<Group> group) {
  auto& place = groups_[group->id()];
  place = std::move(group);
  return *place;
}

void Groups::erase(std::string_view id) {
  const auto found = groups_.find(id);
  if (found != groups_.end()) groups_.erase(found);
}

}  // namespace arus::coordinator
