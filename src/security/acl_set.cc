#include "security/acl_set.h"

#include <algorithm>

#include "base/assert.h"

namespace arus::security {
namespace {

void add_to_list(ShardedMap<std::string, AclList>& map, const AclPointer& entry) {
  const std::string& name = entry->binding.resource_name;
  const AclList* found = map.find(name);
  AclList list = found ? *found : AclList{};
  list.push_back(entry);
  map.set(name, std::move(list));
}

// Whether the last ACL of that name has gone.
bool remove_from_list(ShardedMap<std::string, AclList>& map, const AclEntry& entry) {
  const std::string& name = entry.binding.resource_name;
  const AclList* found = map.find(name);
  ARUS_ASSERT(found != nullptr);
  AclList list = *found;
  std::erase_if(list, [&](const AclPointer& other) { return other->id == entry.id; });
  if (list.empty()) {
    map.erase(name);
    return true;
  }
  map.set(name, std::move(list));
  return false;
}

void sort_by_binding(AclList& list) {
  std::ranges::sort(list, [](const AclPointer& a, const AclPointer& b) {
    return std::tie(a->binding, a->id) < std::tie(b->binding, b->id);
  });
}

}  // namespace

const AclSet::TypeIndex* AclSet::index_of(ResourceType type) const {
  return types_[static_cast<std::size_t>(type)].get();
}

void AclSet::add_to(TypeIndex& index, const AclPointer& entry) {
  if (entry->binding.pattern_type != PatternType::prefixed) {
    add_to_list(index.literal, entry);
    return;
  }
  if (index.prefixed.find(entry->binding.resource_name) == nullptr) {
    ++index.prefix_lengths[entry->binding.resource_name.size()];
  }
  add_to_list(index.prefixed, entry);
}

void AclSet::remove_from(TypeIndex& index, const AclEntry& entry) {
  if (entry.binding.pattern_type != PatternType::prefixed) {
    remove_from_list(index.literal, entry);
    return;
  }
  if (!remove_from_list(index.prefixed, entry)) return;
  const auto length = index.prefix_lengths.find(entry.binding.resource_name.size());
  ARUS_ASSERT(length != index.prefix_lengths.end());
  if (--length->second == 0) index.prefix_lengths.erase(length);
}

std::shared_ptr<const AclSet> AclSet::with(const Uuid& id, const AclBinding& binding) const {
  if (find(id)) return without(id)->with(id, binding);
  const auto type = static_cast<std::size_t>(binding.resource_type);
  ARUS_ASSERT(type < type_count);
  const auto entry =
      std::make_shared<const AclEntry>(id, binding, HostAddress::parse(binding.host));
  auto changed = std::make_shared<AclSet>(*this);
  changed->by_id_.set(id, entry);
  auto index =
      types_[type] ? std::make_shared<TypeIndex>(*types_[type]) : std::make_shared<TypeIndex>();
  add_to(*index, entry);
  changed->types_[type] = std::move(index);
  return changed;
}

std::shared_ptr<const AclSet> AclSet::without(const Uuid& id) const {
  auto changed = std::make_shared<AclSet>(*this);
  const AclPointer entry = find(id);
  if (!entry) return changed;
  const auto type = static_cast<std::size_t>(entry->binding.resource_type);
  changed->by_id_.erase(id);
  auto index = std::make_shared<TypeIndex>(*types_[type]);
  remove_from(*index, *entry);
  changed->types_[type] = std::move(index);
  return changed;
}

AclPointer AclSet::find(const Uuid& id) const {
  const AclPointer* found = by_id_.find(id);
  return found ? *found : nullptr;
}

std::optional<Uuid> AclSet::find_equal(const AclBinding& binding) const {
  const TypeIndex* index = index_of(binding.resource_type);
  if (index == nullptr) return std::nullopt;
  const auto& map =
      binding.pattern_type == PatternType::prefixed ? index->prefixed : index->literal;
  const AclList* list = map.find(binding.resource_name);
  if (list == nullptr) return std::nullopt;
  const auto found = std::ranges::find_if(
      *list, [&](const AclPointer& entry) { return entry->binding == binding; });
  if (found == list->end()) return std::nullopt;
  return (*found)->id;
}

AclList AclSet::all() const {
  AclList list;
  list.reserve(size());
  by_id_.for_each([&](const Uuid&, const AclPointer& entry) { list.push_back(entry); });
  sort_by_binding(list);
  return list;
}

AclList AclSet::matching(const AclFilter& filter) const {
  AclList list;
  by_id_.for_each([&](const Uuid&, const AclPointer& entry) {
    if (filter.matches(entry->binding)) list.push_back(entry);
  });
  sort_by_binding(list);
  return list;
}

void AclSet::visit_covering(ResourceType type, std::string_view name,
                            const std::function<void(const AclEntry&)>& visit) const {
  const TypeIndex* index = index_of(type);
  if (index == nullptr) return;
  const auto visit_list = [&](const AclList* list) {
    if (list == nullptr) return;
    for (const AclPointer& entry : *list) visit(*entry);
  };
  visit_list(index->literal.find(std::string(name)));
  if (name != wildcard_name) visit_list(index->literal.find(std::string(wildcard_name)));
  for (const auto& [length, count] : index->prefix_lengths) {
    if (length > name.size()) break;
    visit_list(index->prefixed.find(std::string(name.substr(0, length))));
  }
}

void AclSet::visit_type(ResourceType type,
                        const std::function<void(const AclEntry&)>& visit) const {
  const TypeIndex* index = index_of(type);
  if (index == nullptr) return;
  const auto visit_list = [&](const std::string&, const AclList& list) {
    for (const AclPointer& entry : list) visit(*entry);
  };
  index->literal.for_each(visit_list);
  index->prefixed.for_each(visit_list);
}

}  // namespace arus::security
