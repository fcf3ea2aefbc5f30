// How a log directory is, in sentences.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cli/log_dir_view.h"

namespace arus::cli {

// What retention does with a topic. Estimates, from offsets: records need not be of one size.
struct TopicRetention {
  bool deletes = true;
  std::int64_t retention_ms = -1;
  std::int64_t retention_bytes = -1;  // of each partition
  std::int64_t soon_bytes = 0;        // that a day from now will be older than retention.ms
};

struct TopicSize {
  std::string topic;
  std::int64_t size_bytes = 0;
};

// The largest first.
std::vector<TopicSize> largest_topics(const std::vector<LogView>& logs);

// How full it is, what is refused since when, what has failed.
std::string explain_state(const LogDirView& directory, std::int64_t now_ms);
// What fills it, and what of that goes by itself.
std::string explain_contents(const std::vector<TopicSize>& topics,
                             const std::map<std::string, TopicRetention>& retention);

}  // namespace arus::cli
