// What administrators ask of the groups of one partition: listing, describing, deleting.
#include <algorithm>
#include <utility>

#include "coordinator/group/classic_group.h"
#include "coordinator/group/consumer_group.h"
#include "coordinator/group/group_machine.h"

namespace arus::coordinator {
namespace {

// Classic groups that do not exist are described as dead; from this version on that is an error.
constexpr std::int16_t unknown_is_error_from_version = 6;

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// An empty list asks for all.
bool is_asked_for(const std::vector<std::string>& names, std::string_view name) {
  return names.empty() || std::ranges::any_of(names, [name](const std::string& asked) {
           return equal_ignoring_case(asked, name);
         });
}

std::string why_not(const Group* group, const std::string& id, std::string_view kind) {
  if (group == nullptr) return "Group " + id + " not found.";
  return "Group " + id + " is not a " + std::string(kind) + " group.";
}

}  // namespace

void GroupMachine::describe_group(Turn& turn, std::string id, std::int16_t api_version,
                                  Reply<protocol::DescribeGroupsResponse::DescribedGroup> reply) {
  using Described = protocol::DescribeGroupsResponse::DescribedGroup;
  if (const auto* const group = groups_.find_as<ClassicGroup>(id)) {
    turn.answer<Described>(std::move(reply), classic_.describe(*group, api_version));
    return;
  }
  Described dead;
  dead.group_state = "Dead";
  if (api_version >= unknown_is_error_from_version) {
    dead.error_code = ErrorCode::group_id_not_found;
    dead.error_message = why_not(groups_.find(id), id, "classic");
  }
  dead.group_id = std::move(id);
  turn.answer<Described>(std::move(reply), std::move(dead));
}

void GroupMachine::describe_consumer_group(
    Turn& turn, std::string id,
    Reply<protocol::ConsumerGroupDescribeResponse::DescribedGroup> reply) {
  using Described = protocol::ConsumerGroupDescribeResponse::DescribedGroup;
  if (const auto* const group = groups_.find_as<ConsumerGroup>(id)) {
    turn.answer<Described>(std::move(reply), consumer_.describe(*group));
    return;
  }
  Described unknown;
  unknown.error_code = ErrorCode::group_id_not_found;
  unknown.error_message = why_not(groups_.find(id), id, "consumer");
  unknown.group_id = std::move(id);
  turn.answer<Described>(std::move(reply), std::move(unknown));
}

void GroupMachine::list_groups(
    Turn& turn, std::vector<std::string> states, std::vector<std::string> types,
    Reply<std::vector<protocol::ListGroupsResponse::ListedGroup>> reply) {
  using Listed = protocol::ListGroupsResponse::ListedGroup;
  std::vector<Listed> listed;
  groups_.for_each([&](const Group& group) {
    const std::string_view type = group_kind_name(group.kind());
    if (!is_asked_for(states, group.state_name()) || !is_asked_for(types, type)) return;
    Listed& entry = listed.emplace_back();
    entry.group_id = group.id();
    entry.protocol_type = group.protocol_type();
    entry.group_state = group.state_name();
    entry.group_type = type;
  });
  std::ranges::sort(listed, {}, &Listed::group_id);
  turn.answer<std::vector<Listed>>(std::move(reply), std::move(listed));
}

void GroupMachine::delete_group(Turn& turn, std::string id, Reply<ErrorCode> reply) {
  const Group* const group = groups_.find(id);
  ErrorCode code = ErrorCode::none;
  if (group == nullptr) {
    code = ErrorCode::group_id_not_found;
  } else if (const auto allowed = group->check_delete(); !allowed) {
    code = allowed.error().code;
  }
  if (code == ErrorCode::none) {
    offsets_.append_tombstones(turn, id);
    // Removing its last offset may have removed a group that was nothing else.
    if (const Group* const left = groups_.find(id)) left->append_tombstones(turn);
  }
  turn.answer<ErrorCode>(std::move(reply), code);
}

}  // namespace arus::coordinator
