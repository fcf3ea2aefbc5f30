#include "coordinator/group/target_assignment.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace arus::coordinator {
namespace {

using TopicIndex = std::map<std::string_view, std::uint32_t>;

// The topics of the group that exist, in order of their ids, and where each name stands.
TopicIndex list_topics(const ConsumerGroup& group, const metadata::MetadataImage& image,
                       std::vector<AssignedTopic>& topics) {
  std::vector<std::pair<AssignedTopic, std::string_view>> found;
  for (const auto name : group.subscribed_topics()) {
    const auto topic = image.topic(name);
    if (topic == nullptr) continue;
    found.emplace_back(
        AssignedTopic{topic->id, static_cast<std::int32_t>(topic->partitions.size())}, name);
  }
  std::ranges::sort(found, {}, [](const auto& one) -> const Uuid& { return one.first.id; });
  TopicIndex index;
  for (const auto& [topic, name] : found) {
    index.emplace(name, static_cast<std::uint32_t>(topics.size()));
    topics.push_back(topic);
  }
  return index;
}

std::vector<std::uint32_t> topics_of(const ConsumerGroup& group, const MemberMetadata& metadata,
                                     const TopicIndex& index) {
  std::vector<std::uint32_t> topics;
  const auto add = [&](const std::vector<std::string>& names) {
    for (const auto& name : names) {
      const auto found = index.find(name);
      if (found != index.end()) topics.push_back(found->second);
    }
  };
  add(metadata.topic_names);
  if (!metadata.topic_regex.empty()) {
    const auto resolved = group.resolved_regexes().find(metadata.topic_regex);
    if (resolved != group.resolved_regexes().end()) add(resolved->second.topics);
  }
  std::ranges::sort(topics);
  const auto repeated = std::ranges::unique(topics);
  topics.erase(repeated.begin(), repeated.end());
  return topics;
}

}  // namespace

std::map<std::string, PartitionSet> changed_targets(const ConsumerGroup& group,
                                                    const metadata::MetadataImage& image,
                                                    Assignor assignor) {
  AssignmentInput input;
  const TopicIndex index = list_topics(group, image, input.topics);
  input.members.reserve(group.members().size());
  const MemberMetadata* last = nullptr;
  for (const auto& [id, member] : group.members()) {
    const MemberMetadata& metadata = member->metadata();
    // Most groups' members subscribe alike: what was found for the one before holds again.
    const bool alike = last != nullptr && last->topic_names == metadata.topic_names &&
                       last->topic_regex == metadata.topic_regex;
    input.members.push_back(
        {.id = id,
         .instance_id = metadata.instance_id
                            ? std::optional<std::string_view>(*metadata.instance_id)
                            : std::nullopt,
         .topics = alike ? input.members.back().topics : topics_of(group, metadata, index),
         .previous = &group.target_of(id)});
    last = &metadata;
  }
  std::vector<PartitionSet> assigned = assignor(input);
  std::map<std::string, PartitionSet> changed;
  for (std::size_t i = 0; i < assigned.size(); ++i) {
    const auto before = group.targets().find(input.members[i].id);
    if (before != group.targets().end() && before->second == assigned[i]) continue;
    changed.emplace(input.members[i].id, std::move(assigned[i]));
  }
  return changed;
}

}  // namespace arus::coordinator
