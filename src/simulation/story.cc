#include "simulation/story.h"

#include <algorithm>
#include <cstdio>

namespace arus::simulation {

std::string Story::stamped(const std::string& text) const {
  const auto since_start = simulation_.now().time_since_epoch();
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(since_start).count();
  return fmt::format("{:4}.{:06} {}", us / 1'000'000, us % 1'000'000, text);
}

Story::Line Story::make_line(const std::string& text) {
  Line line{lines_++, stamped(text)};
  if (aloud_) {
    fmt::print("{}\n", line.text);
    static_cast<void>(std::fflush(stdout));
  }
  return line;
}

void Story::add_headline(std::string text) {
  if (failed()) return;
  headlines_.push_back(make_line(text));
}

void Story::add_note(const std::string& subject, std::string text) {
  if (failed()) return;
  auto& notes = notes_[subject];
  notes.push_back(make_line(subject + ": " + text));
  if (notes.size() > most_notes) notes.pop_front();
}

void Story::add_failure(const std::string& subject, std::string text) {
  if (failed()) return;
  failure_ = stamped(subject + ": " + text);
  failed_subject_ = subject;
}

std::string Story::text() const {
  std::vector<Line> lines = headlines_;
  const auto notes = notes_.find(failed_subject_);
  if (failed() && notes != notes_.end()) {
    lines.insert(lines.end(), notes->second.begin(), notes->second.end());
  }
  std::ranges::sort(lines, {}, &Line::number);
  std::string text;
  for (const Line& line : lines) text += line.text + "\n";
  if (failure_) text += *failure_ + "\n";
  return text;
}

}  // namespace arus::simulation
