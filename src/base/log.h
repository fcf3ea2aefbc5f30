// The process's own structured log: one line per event, key=value fields, levels per component.
#pragma once

#include <fmt/core.h>

#include <atomic>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace arus {

enum class LogLevel : int { trace, debug, info, warning, error, off };

// A named source of log lines, for example "storage.log". Components live for the whole process
// and are made at namespace scope; two of the same name share one level. Levels may be changed at
// any time from any thread.
class LogComponent {
 public:
  explicit LogComponent(const char* name);
  [[nodiscard]] bool enabled(LogLevel level) const {
    return static_cast<int>(level) >= level_->load(std::memory_order_relaxed);
  }

  template <class... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) const {
    if (enabled(LogLevel::debug))
      write(LogLevel::debug, fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) const {
    if (enabled(LogLevel::info))
      write(LogLevel::info, fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void warning(fmt::format_string<Args...> format, Args&&... args) const {
    if (enabled(LogLevel::warning))
      write(LogLevel::warning, fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) const {
    if (enabled(LogLevel::error))
      write(LogLevel::error, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  void write(LogLevel level, std::string&& text) const;
  const char* name_;
  const std::atomic<int>* level_;  // the lowest LogLevel that is written
};

enum class LogFormat { text, json };

// Where lines go is standard error. Thread-safe.
void set_log_format(LogFormat format);
// For the component of this name and those whose names begin with it and a dot; "" is all. The
// longest name that was given a level decides. At first everything is at info.
void set_log_level(std::string_view component, LogLevel level);
// Takes such a level away again; the one of the next shorter name counts then.
void clear_log_level(std::string_view component);
[[nodiscard]] LogLevel log_level(std::string_view component);
// Names of all components, sorted, for BROKER_LOGGER configs.
[[nodiscard]] std::vector<std::string> log_components();
// Waits until every line is with the operating system.
void flush_log();

}  // namespace arus
