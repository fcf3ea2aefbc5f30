#include <fmt/core.h>

#include <algorithm>

#include "cli/progress.h"
#include "cli/time_text.h"
#include "cli/why_disk.h"

namespace arus::cli {

namespace {

constexpr std::size_t shown_topics = 5;

std::string bytes_text(std::int64_t bytes) {
  return size_text(static_cast<std::uint64_t>(std::max<std::int64_t>(bytes, 0)));
}

std::string since(std::int64_t at_ms, std::int64_t now_ms) {
  return fmt::format("for {} (since {})", duration_text(std::max<std::int64_t>(now_ms - at_ms, 0)),
                     moment_text(at_ms));
}

std::string explain_space(const LogDirView& directory) {
  if (directory.total_bytes <= 0) return {};
  const double used = 100.0 * static_cast<double>(directory.total_bytes - directory.usable_bytes) /
                      static_cast<double>(directory.total_bytes);
  std::string text =
      fmt::format("Its disk is {:.0f} % full: {} of {} are free.", used,
                  bytes_text(directory.usable_bytes), bytes_text(directory.total_bytes));
  if (directory.health.reserve_bytes > 0) {
    text += fmt::format(" {} of them are a reserve that producers do not get.",
                        bytes_text(directory.health.reserve_bytes));
  }
  return text;
}

std::string explain_retention(const TopicRetention& of) {
  if (!of.deletes) return "compacted, nothing goes for its age";
  if (of.retention_ms < 0 && of.retention_bytes < 0) return "kept for ever";
  std::string text;
  if (of.retention_ms >= 0) text = "kept for " + duration_text(of.retention_ms);
  if (of.retention_bytes >= 0) {
    text += fmt::format("{}up to {} a partition", text.empty() ? "kept " : ", ",
                        bytes_text(of.retention_bytes));
  }
  if (of.retention_ms >= 0) {
    text += fmt::format(", about {} of it go within a day", bytes_text(of.soon_bytes));
  }
  return text;
}

}  // namespace

std::vector<TopicSize> largest_topics(const std::vector<LogView>& logs) {
  std::map<std::string, std::int64_t> sizes;
  for (const auto& log : logs) sizes[log.name.topic] += log.size_bytes;
  std::vector<TopicSize> topics;
  for (const auto& [topic, size] : sizes) topics.push_back({topic, size});
  std::ranges::sort(topics, std::greater{}, [](const TopicSize& topic) {
    return std::pair(topic.size_bytes, topic.topic);
  });
  return topics;
}

std::string explain_state(const LogDirView& directory, std::int64_t now_ms) {
  const auto& health = directory.health;
  std::string text;
  if (!health.failure.empty()) {
    text = fmt::format(
        "It is offline {}: {}. What is on it answers KAFKA_STORAGE_ERROR until the disk is "
        "repaired and the server is started again.",
        since(health.failed_at_ms, now_ms), health.failure);
  } else if (directory.error != ErrorCode::none && health.stalled_since_ms == 0) {
    text = fmt::format("It answers {}.", error_name(directory.error));
  } else if (health.stalled_since_ms > 0) {
    text = fmt::format(
        "Its disk does not answer {}. Producers get REQUEST_TIMED_OUT until it does; other "
        "directories are not held up.",
        since(health.stalled_since_ms, now_ms));
  } else if (health.waiting_for_space) {
    text =
        "Its disk is full to the last byte: what was accepted waits to be written, and is written "
        "when there is space. Delete records or topics, or make space by other means.";
  } else if (health.full_since_ms > 0) {
    text = fmt::format(
        "Its disk is full but for the reserve {}: producers get KAFKA_STORAGE_ERROR and try again; "
        "they are served when there is space. Reading, deleting and retention go on.",
        since(health.full_since_ms, now_ms));
  } else {
    text = "It works.";
  }
  const std::string space = explain_space(directory);
  if (!space.empty()) text += " " + space;
  if (health.uncleanable_logs > 0) {
    text += fmt::format(
        " Compaction of {} partitions of this broker fails and is tried again; the server's log "
        "names them.",
        health.uncleanable_logs);
  }
  return text;
}

std::string explain_contents(const std::vector<TopicSize>& topics,
                             const std::map<std::string, TopicRetention>& retention) {
  std::string text;
  for (std::size_t i = 0; i < std::min(topics.size(), shown_topics); ++i) {
    const TopicSize& topic = topics[i];
    text += fmt::format("  {:>10}  {}", bytes_text(topic.size_bytes), topic.topic);
    const auto of = retention.find(topic.topic);
    if (of != retention.end()) text += ": " + explain_retention(of->second);
    text += "\n";
  }
  if (topics.size() > shown_topics) {
    std::int64_t rest = 0;
    for (std::size_t i = shown_topics; i < topics.size(); ++i) rest += topics[i].size_bytes;
    text +=
        fmt::format("  {:>10}  {} other topics\n", bytes_text(rest), topics.size() - shown_topics);
  }
  return text;
}

}  // namespace arus::cli
