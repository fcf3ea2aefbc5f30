#include "coordinator/group/classic_member.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
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
  // Positions in order of their names, so that a repeated one follows the first of its name.
  std::vector<std::size_t> order(offered.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {},
                    [&](std::size_t i) { return std::pair(std::string_view(offered[i].name), i); });
  std::vector<bool> is_repeated(offered.size());
  for (std::size_t i = 1; i < order.size(); ++i) {
    is_repeated[order[i]] = offered[order[i]].name == offered[order[i - 1]].name;
  }
  std::vector<ClassicProtocol> protocols;
  protocols.reserve(offered.size());
  for (std::size_t i = 0; i < offered.size(); ++i) {
    if (is_repeated[i]) continue;
    protocols.push_back({offered[i].name, own_copy(offered[i].metadata.view())});
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
