#include "coordinator/group/classic_member.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "coordinator/group/classic_group.h"
#include "coordinator/group/classic_groups.h"

namespace arus::coordinator {

Slice own_copy(ByteView bytes) {
  if (bytes.empty()) return {};
  const auto owner = std::make_shared_for_overwrite<std::uint8_t[]>(bytes.size());
  std::memcpy(owner.get(), bytes.data(), bytes.size());
  return {std::shared_ptr<const void>(owner, owner.get()), {owner.get(), bytes.size()}};
}

std::vector<ClassicProtocol> classic_protocols(
    const std::vector<protocol::JoinGroupRequest::JoinGroupRequestProtocol>& offered) {
  std::vector<ClassicProtocol> protocols;
  protocols.reserve(offered.size());
  std::vector<std::string_view> names;
  names.reserve(offered.size());
  for (const auto& protocol : offered) names.push_back(protocol.name);
  std::ranges::sort(names);
  const bool repeated = std::ranges::adjacent_find(names) != names.end();
  std::vector<std::string_view> seen;
  for (const auto& protocol : offered) {
    if (repeated) {
      const auto at = std::ranges::lower_bound(seen, std::string_view(protocol.name));
      if (at != seen.end() && *at == protocol.name) continue;
      seen.insert(at, protocol.name);
    }
    protocols.push_back({protocol.name, own_copy(protocol.metadata.view())});
  }
  return protocols;
}

ClassicMember::ClassicMember(ClassicGroup& group, ClassicMemberParts parts)
    : group_(group), parts_(std::move(parts)) {}

Slice ClassicMember::metadata(std::string_view protocol) const {
  for (const auto& offered : parts_.protocols) {
    if (offered.name == protocol) return offered.metadata;
  }
  return {};
}

std::size_t ClassicMember::held_bytes() const {
  std::size_t bytes = sizeof *this + parts_.member_id.size() + parts_.client_id.size();
  if (parts_.instance_id) bytes += parts_.instance_id->size();
  for (const auto& protocol : parts_.protocols) {
    bytes += sizeof protocol + protocol.name.size() + protocol.metadata.size();
  }
  return bytes;
}

void ClassicMember::fire(Turn& turn) { group_.decisions_->session_expired(turn, group_, *this); }

void PendingMember::fire(Turn& turn) { group_.decisions_->pending_expired(turn, group_, *this); }

}  // namespace arus::coordinator
