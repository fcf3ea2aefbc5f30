// Which topics a member of a group wants, and what the cluster knows of them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "client/cluster.h"

namespace arus::client {

// By name, by a predicate over all names, or by a pattern that only the coordinator understands.
// Holds: names() are the topics to ask the group for; `topics()` those of them that exist.
// Owner: a GroupConsumer.
class GroupSubscription {
 public:
  GroupSubscription(Cluster& cluster, bool create_topics, bool exclude_internal)
      : cluster_(cluster), create_topics_(create_topics), exclude_internal_(exclude_internal) {}

  void choose_topics(std::set<std::string> names);
  void choose_matching(std::function<bool(std::string_view)> likes);
  void choose_pattern(std::string regex);

  [[nodiscard]] bool chosen() const { return chosen_; }
  [[nodiscard]] const std::set<std::string>& names() const { return names_; }
  [[nodiscard]] const std::optional<std::string>& pattern() const { return pattern_; }
  [[nodiscard]] const std::map<std::string, TopicPointer>& topics() const { return topics_; }
  [[nodiscard]] std::map<std::string, std::int32_t> partition_counts() const;
  // Partition counts of other topics, which other members of the group want.
  env::Task<Result<std::map<std::string, std::int32_t>>> count_partitions(
      std::set<std::string> names, env::TimePoint deadline);

  // Rises when names() or pattern() become others.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  [[nodiscard]] bool refreshed() const { return refreshed_; }
  [[nodiscard]] env::TimePoint refresh_due() const { return refresh_due_; }
  // Asks the cluster anew. What an application must hear of (an invalid name, no permission) is
  // the error; what passes is tried again soon.
  env::Task<Result<>> refresh(env::TimePoint deadline);

 private:
  void begin();
  void take(std::map<std::string, TopicPointer> topics);

  Cluster& cluster_;
  bool create_topics_;
  bool exclude_internal_;
  bool chosen_ = false;
  std::function<bool(std::string_view)> likes_;
  std::optional<std::string> pattern_;
  std::set<std::string> names_;
  std::map<std::string, TopicPointer> topics_;
  std::uint64_t version_ = 0;
  std::uint64_t choice_ = 0;  // a refresh of an earlier choice is dropped
  bool refreshed_ = false;
  int failures_ = 0;
  env::TimePoint refresh_due_{};
};

}  // namespace arus::client
