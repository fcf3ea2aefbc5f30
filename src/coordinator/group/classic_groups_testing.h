// For tests of classic groups: a machine of nothing else, and members that speak to it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/group/classic_group.h"
#include "coordinator/group/classic_groups.h"
#include "coordinator/runtime/machine_testing.h"
#include "protocol/coordinator_record.h"
#include "protocol/record/consumer_protocol_subscription.h"

namespace arus::coordinator {

class ClassicMachine final : public Machine {
 public:
  explicit ClassicMachine(GroupSettings settings = {})
      : timers_(env::TimePoint{}),
        surroundings_{.settings = std::move(settings),
                      .image = std::make_shared<const metadata::MetadataImage>(),
                      .random = [this] { return ++drawn_; }},
        classic_(surroundings_, groups_, timers_) {}

  Result<> replay(const ReplayedRecord& record) override {
    auto key = protocol::decode_coordinator_key<protocol::GroupMetadataKey>(record.key);
    if (!key) return fail(key.error());
    if (!record.value) return classic_.replay(*key, std::nullopt);
    auto value = protocol::decode_coordinator_value<protocol::GroupMetadataValue>(*record.value);
    if (!value) return fail(value.error());
    return classic_.replay(*key, *value);
  }
  void loaded(Turn& turn, metadata::ImagePointer image) override {
    surroundings_.image = std::move(image);
    classic_.loaded(turn);
  }
  void on_image(Turn&, const metadata::ImagePointer&, const metadata::MetadataDelta&) override {}
  Timers& timers() override { return timers_; }

  [[nodiscard]] ClassicGroups& classic() { return classic_; }
  [[nodiscard]] Groups& groups() { return groups_; }
  [[nodiscard]] GroupSettings& settings() { return surroundings_.settings; }
  [[nodiscard]] GroupSurroundings& surroundings() { return surroundings_; }

 private:
  Timers timers_;
  GroupSurroundings surroundings_;
  Groups groups_;
  ClassicGroups classic_;
  std::uint64_t drawn_ = 0;
};

// What a consumer says to its leader.
inline Slice subscription_to(const std::vector<std::string>& topics) {
  Writer out;
  out.i16(0);
  protocol::ConsumerProtocolSubscription{.topics = topics}.encode(out, 0);
  return Slice(out.take_bytes());
}

inline Slice text_bytes(std::string_view text) { return Slice::copy_of(as_bytes(text)); }

// How a test says who joins.
struct JoinOptions {
  std::string member_id;
  std::optional<std::string> instance_id;
  std::string protocol_type = "consumer";
  std::vector<std::pair<std::string, Slice>> protocols = {{"range", subscription_to({"t"})}};
  std::int32_t session_timeout_ms = 10'000;
  std::int32_t rebalance_timeout_ms = 60'000;
  std::int16_t version = 9;
  std::string client_id = "client";
};

using JoinAnswer = Answer<protocol::JoinGroupResponse>;
using SyncAnswer = Answer<protocol::SyncGroupResponse>;

// One group at a time, and its machine.
class ClassicBench {
 public:
  static GroupSettings quick() {
    GroupSettings settings;
    settings.initial_rebalance_delay_ms = 0;
    return settings;
  }
  explicit ClassicBench(GroupSettings settings = quick())
      : machine(std::move(settings)), bench(machine) {}

  JoinAnswer join(const JoinOptions& options = {}) {
    protocol::JoinGroupRequest request;
    request.group_id = group_id;
    request.member_id = options.member_id;
    request.group_instance_id = options.instance_id;
    request.protocol_type = options.protocol_type;
    for (const auto& [name, metadata] : options.protocols) {
      request.protocols.push_back({.name = name, .metadata = metadata});
    }
    request.session_timeout_ms = options.session_timeout_ms;
    request.rebalance_timeout_ms = options.rebalance_timeout_ms;
    const GroupCaller caller{options.client_id, "/127.0.0.1", options.version};
    JoinAnswer answer;
    bench.turn([&](Turn& turn) {
      machine.classic().join(turn, caller, std::move(request), answer.reply());
    });
    return answer;
  }
  // Joins again with the id that it was given.
  JoinAnswer join_twice(JoinOptions options = {}) {
    const JoinAnswer first = join(options);
    options.member_id = first.value().member_id;
    return join(options);
  }
  SyncAnswer sync(const protocol::JoinGroupResponse& as,
                  const std::vector<std::pair<std::string, std::string>>& assignments = {},
                  std::optional<std::string> instance_id = {}) {
    protocol::SyncGroupRequest request;
    request.group_id = group_id;
    request.member_id = as.member_id;
    request.generation_id = as.generation_id;
    request.group_instance_id = std::move(instance_id);
    request.protocol_type = as.protocol_type;
    request.protocol_name = as.protocol_name;
    for (const auto& [id, bytes] : assignments) {
      request.assignments.push_back({.member_id = id, .assignment = text_bytes(bytes)});
    }
    return sync(std::move(request));
  }
  SyncAnswer sync(protocol::SyncGroupRequest request) {
    SyncAnswer answer;
    bench.turn(
        [&](Turn& turn) { machine.classic().sync(turn, {}, std::move(request), answer.reply()); });
    return answer;
  }
  ErrorCode heartbeat(const std::string& member_id, std::int32_t generation,
                      std::optional<std::string> instance_id = {}) {
    Answer<protocol::HeartbeatResponse> answer;
    bench.turn([&](Turn& turn) {
      machine.classic().heartbeat(turn, {},
                                  {.group_id = group_id,
                                   .generation_id = generation,
                                   .member_id = member_id,
                                   .group_instance_id = std::move(instance_id)},
                                  answer.reply());
    });
    return answer.value().error_code;
  }
  protocol::LeaveGroupResponse leave(
      std::vector<protocol::LeaveGroupRequest::MemberIdentity> members) {
    Answer<protocol::LeaveGroupResponse> answer;
    bench.turn([&](Turn& turn) {
      machine.classic().leave(turn, {}, {.group_id = group_id, .members = std::move(members)},
                              answer.reply());
    });
    return answer.value();
  }
  void pass_ms(std::int64_t ms) { bench.pass(env::milliseconds(ms)); }

  [[nodiscard]] ClassicGroup* find() { return machine.groups().find_as<ClassicGroup>(group_id); }
  [[nodiscard]] ClassicGroup& group() { return *find(); }
  [[nodiscard]] protocol::GroupMetadataValue stored(std::size_t back = 0) const {
    const auto& logged = bench.log().at(bench.log().size() - 1 - back);
    return *protocol::decode_coordinator_value<protocol::GroupMetadataValue>(*logged.record.value);
  }

  // A stable group of one dynamic member; its id.
  std::string one_member(const JoinOptions& options = {}) {
    const JoinAnswer joined = join_twice(options);
    pass_ms(1);
    sync(joined.value(), {{joined.value().member_id, "all"}});
    return joined.value().member_id;
  }

  ClassicMachine machine;
  MachineBench bench;
  std::string group_id = "g";
};

}  // namespace arus::coordinator
