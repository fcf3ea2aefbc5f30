// All ACLs of the cluster at one point of the metadata log, indexed for decisions.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/uuid.h"
#include "security/acl.h"
#include "security/host_address.h"
#include "security/sharded_map.h"

namespace arus::security {

// A binding under its id, with the host parsed once.
struct AclEntry {
  Uuid id;
  AclBinding binding;
  std::optional<HostAddress> address;  // of `host`, where it is an address
};
using AclPointer = std::shared_ptr<const AclEntry>;
using AclList = std::vector<AclPointer>;

// Immutable. with() and without() make a new set that shares all but what changed, at a cost that
// does not grow with the number of ACLs beyond one shard of each index. Ids are unique, bindings
// too. Never walked in hash order where the order can be seen: all() is sorted.
class AclSet {
 public:
  AclSet() = default;

  // The same id again replaces what was there.
  [[nodiscard]] std::shared_ptr<const AclSet> with(const Uuid& id, const AclBinding& binding) const;
  // The same set where the id is not in it.
  [[nodiscard]] std::shared_ptr<const AclSet> without(const Uuid& id) const;

  [[nodiscard]] std::size_t size() const { return by_id_.size(); }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] AclPointer find(const Uuid& id) const;
  // Whether an equal rule is there already, and under which id.
  [[nodiscard]] std::optional<Uuid> find_equal(const AclBinding& binding) const;
  // Sorted by binding.
  [[nodiscard]] AclList all() const;
  // Those that the filter finds, sorted by binding, so that equal patterns stand together.
  [[nodiscard]] AclList matching(const AclFilter& filter) const;

  // Calls `visit` with the ACLs of every pattern that covers the resource: its own literal name,
  // "*", and each prefix of it.
  void visit_covering(ResourceType type, std::string_view name,
                      const std::function<void(const AclEntry&)>& visit) const;
  // Every ACL of the type, in no order that may be shown.
  void visit_type(ResourceType type, const std::function<void(const AclEntry&)>& visit) const;

 private:
  static constexpr std::size_t type_count = 8;  // one more than the largest ResourceType
  struct TypeIndex {
    ShardedMap<std::string, AclList> literal;
    ShardedMap<std::string, AclList> prefixed;
    std::map<std::size_t, std::size_t> prefix_lengths;  // length → how many prefixes have it
  };
  [[nodiscard]] const TypeIndex* index_of(ResourceType type) const;
  static void add_to(TypeIndex& index, const AclPointer& entry);
  static void remove_from(TypeIndex& index, const AclEntry& entry);

  ShardedMap<Uuid, AclPointer> by_id_;
  std::array<std::shared_ptr<const TypeIndex>, type_count> types_;
};

}  // namespace arus::security
