// For tests of consumer groups: a machine of classic and consumer groups, topics, and members that
// speak to it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/group/classic_group.h"
#include "coordinator/group/classic_groups.h"
#include "coordinator/group/consumer_group.h"
#include "coordinator/group/consumer_groups.h"
#include "coordinator/runtime/machine_testing.h"
#include "protocol/coordinator_record.h"
#include "protocol/record/group_metadata_key.h"
#include "protocol/record/group_metadata_value.h"

namespace arus::coordinator {

class ConsumerMachine final : public Machine {
 public:
  explicit ConsumerMachine(GroupSettings settings = {})
      : timers_(env::TimePoint{}),
        surroundings_{.settings = std::move(settings),
                      .image = std::make_shared<const metadata::MetadataImage>(),
                      .random = [this] { return ++drawn_ * 0x9E3779B97F4A7C15ULL; }},
        classic_(surroundings_, groups_, timers_),
        consumer_(surroundings_, groups_, timers_, classic_) {}

  Result<> replay(const ReplayedRecord& record) override {
    const auto type = protocol::coordinator_prefix(record.key);
    if (!type) return fail(type.error());
    if (*type != protocol::GroupMetadataKey::record_key) {
      const auto known = consumer_.replay(*type, record);
      if (!known) return fail(known.error());
      ARUS_ASSERT(*known);
      return {};
    }
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
    consumer_.loaded(turn);
  }
  void on_image(Turn& turn, const metadata::ImagePointer& image,
                const metadata::MetadataDelta& delta) override {
    surroundings_.image = image;
    consumer_.on_image(turn, delta);
  }
  Timers& timers() override { return timers_; }

  [[nodiscard]] ClassicGroups& classic() { return classic_; }
  [[nodiscard]] ConsumerGroups& consumer() { return consumer_; }
  [[nodiscard]] Groups& groups() { return groups_; }
  [[nodiscard]] GroupSettings& settings() { return surroundings_.settings; }
  [[nodiscard]] const metadata::ImagePointer& image() const { return surroundings_.image; }

 private:
  Timers timers_;  // outlives the groups, whose timers are armed in it
  GroupSurroundings surroundings_;
  Groups groups_;
  ClassicGroups classic_;
  ConsumerGroups consumer_;
  std::uint64_t drawn_ = 0;
};

// Topics by name with their numbers of partitions, as an image. Ids depend on the name only.
inline Uuid id_of(std::string_view topic) {
  return Uuid::of_halves(std::hash<std::string_view>{}(topic), 0x42);
}
inline metadata::ImagePointer image_of(const std::map<std::string, std::int32_t>& topics,
                                       std::int64_t offset) {
  auto image = std::make_shared<metadata::MetadataImage>();
  image->offset = Offset{offset};
  for (const auto& [name, partitions] : topics) {
    auto topic = std::make_shared<metadata::TopicImage>();
    topic->name = name;
    topic->id = id_of(name);
    for (std::int32_t i = 0; i < partitions; ++i) {
      topic->partitions.push_back(std::make_shared<metadata::PartitionImage>());
    }
    image->topics = image->topics.with(name, topic);
    image->topic_names = image->topic_names.with(topic->id, name);
  }
  return image;
}

using Beat = protocol::ConsumerGroupHeartbeatResponse;

// One group, "g", and the topics of the cluster.
class ConsumerBench {
 public:
  // Assignments follow at once.
  static GroupSettings quick() {
    GroupSettings settings;
    settings.consumer_assignment_interval_ms = 0;
    settings.initial_rebalance_delay_ms = 0;
    return settings;
  }
  explicit ConsumerBench(std::map<std::string, std::int32_t> topics = {{"t", 4}},
                         GroupSettings settings = quick())
      : machine(std::move(settings)), bench(machine), topics_(std::move(topics)) {
    bench.turn([&](Turn& turn) { machine.loaded(turn, image_of(topics_, 1)); });
  }

  void set_topics(std::map<std::string, std::int32_t> topics) {
    metadata::MetadataDelta delta;
    for (const auto& [name, partitions] : topics) {
      const auto before = topics_.find(name);
      if (before == topics_.end() || before->second != partitions) {
        delta.created_or_changed_topics.push_back(id_of(name));
      }
    }
    for (const auto& [name, partitions] : topics_) {
      if (!topics.contains(name)) delta.deleted_topics.push_back({.name = name, .id = id_of(name)});
    }
    topics_ = std::move(topics);
    const auto image = image_of(topics_, ++image_offset_);
    bench.turn([&](Turn& turn) { machine.on_image(turn, image, delta); });
  }
  void set_group_config(const std::string& key, const std::string& value) {
    auto image = std::make_shared<metadata::MetadataImage>(*machine.image());
    image->config_map = image->config_map.with(
        metadata::ConfigResource{metadata::ConfigResourceType::group, "g"},
        std::make_shared<const metadata::ConfigMap>(metadata::ConfigMap{{key, value}}));
    bench.turn([&](Turn& turn) { machine.on_image(turn, image, {}); });
  }

  static protocol::ConsumerGroupHeartbeatRequest joining(const std::string& member,
                                                         std::vector<std::string> topics = {"t"}) {
    protocol::ConsumerGroupHeartbeatRequest request;
    request.group_id = "g";
    request.member_id = member;
    request.rebalance_timeout_ms = 60'000;
    request.subscribed_topic_names = std::move(topics);
    request.topic_partitions.emplace();
    return request;
  }
  // A heartbeat that says nothing but what it must; `owned` where it says what it owns.
  static protocol::ConsumerGroupHeartbeatRequest beating(const std::string& member,
                                                         std::int32_t epoch,
                                                         std::optional<PartitionSet> owned = {}) {
    protocol::ConsumerGroupHeartbeatRequest request;
    request.group_id = "g";
    request.member_id = member;
    request.member_epoch = epoch;
    if (owned) {
      auto& into = request.topic_partitions.emplace();
      for (const auto& topic : *owned) {
        auto& one = into.emplace_back();
        one.topic_id = topic.topic;
        one.partitions = topic.partitions;
      }
    }
    return request;
  }

  Result<Beat> send(
      protocol::ConsumerGroupHeartbeatRequest request,
      MayDescribe may = [](std::string_view) { return true; }) {
    Answer<Beat> answer;
    bench.turn([&](Turn& turn) {
      machine.consumer().heartbeat(
          turn, {.client_id = "client", .client_host = "/127.0.0.1", .api_version = 1},
          std::move(request), may, answer.reply());
    });
    return answer.result();
  }
  Result<Beat> join(const std::string& member, std::vector<std::string> topics = {"t"}) {
    return send(joining(member, std::move(topics)));
  }

  [[nodiscard]] ConsumerGroup* group() { return machine.groups().find_as<ConsumerGroup>("g"); }
  [[nodiscard]] const ConsumerMember& member(const std::string& id) { return *group()->member(id); }

  ConsumerMachine machine;
  MachineBench bench;

 private:
  std::map<std::string, std::int32_t> topics_;
  std::int64_t image_offset_ = 1;
};

inline PartitionSet partitions_in(const std::optional<Beat::Assignment>& assignment) {
  PartitionSet set;
  if (!assignment) return set;
  for (const auto& topic : assignment->topic_partitions) {
    set.push_back({topic.topic_id, topic.partitions});
  }
  return normalized(std::move(set));
}

// What the stored state of a group is, as text: equal texts are equal states.
inline std::string stored_state(const ConsumerGroup& group) {
  std::string text = group.id() + " " + std::to_string(group.epoch()) + " " +
                     std::to_string(group.metadata_hash()) + " " +
                     std::to_string(group.assignment_epoch()) + " " +
                     std::to_string(group.assignment_timestamp_ms()) + "\n";
  const auto add = [&](const OwnedPartitions& owned) {
    for (const auto& topic : owned) {
      text += " " + topic.topic.to_string() + ":";
      for (const auto& one : topic.partitions) {
        text += std::to_string(one.partition) + "@" + std::to_string(one.epoch) + ",";
      }
    }
    text += ";";
  };
  for (const auto& [id, member] : group.members()) {
    const MemberMetadata& metadata = member->metadata();
    text += id + " " + metadata.instance_id.value_or("-") + " " + metadata.topic_regex;
    for (const auto& topic : metadata.topic_names) text += " " + topic;
    const CurrentAssignment& current = member->current();
    text += " " + std::to_string(current.epoch) + " " + std::to_string(current.previous_epoch) +
            " " + std::to_string(static_cast<int>(current.state));
    add(current.assigned);
    add(current.pending_revocation);
    text += "\n";
  }
  for (const auto& [id, target] : group.targets()) {
    text += id + " is to have";
    for (const auto& topic : target) {
      text += " " + topic.topic.to_string() + ":";
      for (const auto partition : topic.partitions) text += std::to_string(partition) + ",";
    }
    text += "\n";
  }
  for (const auto& [regex, resolved] : group.resolved_regexes()) {
    text += regex + " " + std::to_string(resolved.version);
    for (const auto& topic : resolved.topics) text += " " + topic;
    text += "\n";
  }
  for (const auto topic : group.subscribed_topics()) text += std::string(topic) + " ";
  return text;
}

}  // namespace arus::coordinator
