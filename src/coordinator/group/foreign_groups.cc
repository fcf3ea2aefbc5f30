#include "coordinator/group/foreign_groups.h"

#include <set>
#include <utility>

#include "base/reader.h"

namespace arus::coordinator {
namespace {

// Types of keys in __consumer_offsets. All of them begin with the group's name; a member's key goes
// on with the member's.
namespace key_type {
constexpr std::int16_t share_member = 10;
constexpr std::int16_t share_group = 11;
constexpr std::int16_t first_of_share = 10;
constexpr std::int16_t last_of_share = 15;
constexpr std::int16_t streams_group = 17;
constexpr std::int16_t streams_member = 19;
constexpr std::int16_t first_of_other_streams = 19;
constexpr std::int16_t last_of_other_streams = 23;
}  // namespace key_type

bool is_of_share(std::int16_t type) {
  return type >= key_type::first_of_share && type <= key_type::last_of_share;
}
bool is_of_streams(std::int16_t type) {
  return type == key_type::streams_group ||
         (type >= key_type::first_of_other_streams && type <= key_type::last_of_other_streams);
}

// A group that another server has kept. Holds its name, and knows its members' names to tell
// whether it has any.
class ForeignGroup final : public Group {
 public:
  ForeignGroup(std::string id, GroupKind kind) : Group(std::move(id)), kind_(kind) {}

  GroupKind kind() const override { return kind_; }
  std::string_view state_name() const override { return has_members() ? "Stable" : "Empty"; }
  std::string protocol_type() const override { return std::string(group_kind_name(kind_)); }
  bool has_members() const override { return !members_.empty(); }

  Result<> check_offset_commit(const OffsetCommitter&) const override { return not_served(); }
  Result<> check_offset_fetch(std::optional<std::string_view>, std::int32_t) const override {
    return not_served();
  }
  bool is_subscribed_to(std::string_view) const override { return true; }
  Result<> check_delete() const override { return not_served(); }
  Result<> check_offset_delete() const override { return not_served(); }
  void append_tombstones(Turn&) const override {}
  std::optional<Expiry> expiry() const override { return std::nullopt; }

  void set_member(std::string id, bool present) {
    if (present) {
      members_.insert(std::move(id));
    } else {
      members_.erase(id);
    }
  }

 private:
  [[nodiscard]] Result<> not_served() const {
    return fail(ErrorCode::group_id_not_found, "Group " + id() + " is a " +
                                                   std::string(group_kind_name(kind_)) +
                                                   " group, which this version only keeps");
  }

  GroupKind kind_;
  std::set<std::string, std::less<>> members_;
};

std::string read_string(Reader& in) {
  const std::int16_t length = in.i16();
  if (!in.ok() || length < 0) return {};
  return std::string(as_text(in.bytes(static_cast<std::size_t>(length))));
}

}  // namespace

Result<bool> ForeignGroups::replay(std::int16_t type, const ReplayedRecord& record) {
  if (!is_of_share(type) && !is_of_streams(type)) return false;
  const bool group_itself = type == key_type::share_group || type == key_type::streams_group;
  const bool member = type == key_type::share_member || type == key_type::streams_member;
  Reader in{record.key};
  static_cast<void>(in.i16());
  const std::string id = read_string(in);
  std::string member_id = member ? read_string(in) : std::string();
  if (!in.ok()) return fail(ErrorCode::corrupt_message, "The key of a group is cut short");
  auto* group = groups_.find_as<ForeignGroup>(id);
  if (group_itself && !record.value) {
    if (group != nullptr) groups_.erase(id);
    return true;
  }
  if (!record.value && group == nullptr) return true;
  if (group == nullptr) {
    const GroupKind kind = is_of_share(type) ? GroupKind::share : GroupKind::streams;
    group = static_cast<ForeignGroup*>(&groups_.put(std::make_unique<ForeignGroup>(id, kind)));
  }
  if (member) group->set_member(std::move(member_id), record.value.has_value());
  return true;
}

}  // namespace arus::coordinator
