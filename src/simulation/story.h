// What has happened in a run, in words, and the first invariant that was broken.
#pragma once

#include <fmt/core.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "env/simulated.h"

namespace arus::simulation {

// Headlines (starts, ends, faults) are all kept; of what clients see only the last lines of each
// subject are, since a failure is about one of them.
class Story {
 public:
  // With `aloud` every line is printed as it comes, for runs that do not reach their end.
  Story(const env::Simulation& simulation, bool aloud) : simulation_(simulation), aloud_(aloud) {}

  template <class... Args>
  void headline(fmt::format_string<Args...> format, Args&&... args) {
    add_headline(fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void note(const std::string& subject, fmt::format_string<Args...> format, Args&&... args) {
    add_note(subject, fmt::format(format, std::forward<Args>(args)...));
  }
  // An invariant does not hold. The first one counts; what comes after may be its consequence.
  template <class... Args>
  void fail(const std::string& subject, fmt::format_string<Args...> format, Args&&... args) {
    add_failure(subject, fmt::format(format, std::forward<Args>(args)...));
  }

  [[nodiscard]] bool failed() const { return failure_.has_value(); }
  [[nodiscard]] const std::optional<std::string>& failure() const { return failure_; }
  // Headlines and, after a failure, what happened to its subject, in order of time.
  [[nodiscard]] std::string text() const;

 private:
  static constexpr std::size_t most_notes = 40;  // of each subject
  struct Line {
    std::uint64_t number;
    std::string text;
  };

  void add_headline(std::string text);
  void add_note(const std::string& subject, std::string text);
  void add_failure(const std::string& subject, std::string text);
  [[nodiscard]] Line make_line(const std::string& text);
  [[nodiscard]] std::string stamped(const std::string& text) const;

  const env::Simulation& simulation_;
  const bool aloud_;
  std::uint64_t lines_ = 0;
  std::vector<Line> headlines_;
  std::map<std::string, std::deque<Line>> notes_;
  std::optional<std::string> failure_;
  std::string failed_subject_;
};

}  // namespace arus::simulation
