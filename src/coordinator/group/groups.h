// The groups of one partition, by name.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "coordinator/group/group.h"

namespace arus::coordinator {

// Owner: the group machine, which hands it to its parts.
class Groups {
 public:
  // Null where there is none.
  [[nodiscard]] Group* find(std::string_view id) const;
  // The group where it is of type G; null otherwise.
  template <class G>
  [[nodiscard]] G* find_as(std::string_view id) const {
    return dynamic_cast<G*>(find(id));
  }
  // In place of whatever has this name.
  Group& put(std::unique_ptr<Group> group);
  void erase(std::string_view id);
  [[nodiscard]] std::size_t size() const { return groups_.size(); }
  // In no particular order that anything stored or answered may depend on.
  template <class Function>
  void for_each(Function function) const {
    for (const auto& [id, group] : groups_) function(*group);
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<std::string, std::unique_ptr<Group>, Hash, std::equal_to<>> groups_;
};

}  // namespace arus::coordinator
