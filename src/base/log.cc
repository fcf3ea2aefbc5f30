#include "base/log.h"

#define SPDLOG_FMT_EXTERNAL
#define SPDLOG_HEADER_ONLY
#define SPDLOG_NO_THREAD_ID
#define SPDLOG_NO_ATOMIC_LEVELS
#include <fmt/format.h>
#include <spdlog/details/log_msg.h>
#include <spdlog/formatter.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

// Compiled once, in fmt.cc.
FMT_BEGIN_NAMESPACE
namespace detail {
extern template void vformat_to(buffer<char>&, string_view,
                                basic_format_args<FMT_BUFFER_CONTEXT(char)>, locale_ref);
}
FMT_END_NAMESPACE

namespace arus {
namespace {

using spdlog::details::log_msg;
using spdlog::level::level_enum;

level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return level_enum::trace;
    case LogLevel::debug:
      return level_enum::debug;
    case LogLevel::info:
      return level_enum::info;
    case LogLevel::warning:
      return level_enum::warn;
    case LogLevel::error:
      return level_enum::err;
    case LogLevel::off:
      break;
  }
  return level_enum::off;
}

std::string_view level_word(level_enum level) {
  switch (level) {
    case level_enum::trace:
      return "TRACE";
    case level_enum::debug:
      return "DEBUG";
    case level_enum::info:
      return "INFO";
    case level_enum::warn:
      return "WARN";
    default:
      return "ERROR";
  }
}

// "2025-01-31T08:00:00.123Z", whatever the time zone of the machine.
void append_time(spdlog::log_clock::time_point when, spdlog::memory_buf_t& out) {
  using std::chrono::milliseconds;
  const auto since_epoch = std::chrono::duration_cast<milliseconds>(when.time_since_epoch());
  const std::time_t seconds = static_cast<std::time_t>(since_epoch.count() / 1000);
  std::tm fields{};
  gmtime_r(&seconds, &fields);
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                 fields.tm_year + 1900, fields.tm_mon + 1, fields.tm_mday, fields.tm_hour,
                 fields.tm_min, fields.tm_sec, since_epoch.count() % 1000);
}

// An event is one line: what would end it, or steer a terminal, is written as an escape.
void append_line_text(std::string_view text, spdlog::memory_buf_t& out) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == '\n') {
      out.append(std::string_view{"\\n"});
    } else if (byte < 0x20 && byte != '\t') {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    } else {
      out.push_back(c);
    }
  }
}

// The bytes of the UTF-8 character that `text` begins with; 0 when it begins with none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return 0;
  }
  const bool overlong = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xf0 && byte(1) < 0x90);
  const bool surrogate = lead == 0xed && byte(1) > 0x9f;
  const bool too_large = lead == 0xf4 && byte(1) > 0x8f;
  return overlong || surrogate || too_large ? 0 : length;
}

// The inside of a JSON string. What is not UTF-8 becomes the replacement character.
void append_json_text(std::string_view text, spdlog::memory_buf_t& out) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const char c = text.front();
    if (length == 0) {
      out.append(std::string_view{"\\ufffd"});
    } else if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out.append(std::string_view{"\\n"});
    } else if (length == 1 && static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

std::string_view view_of(spdlog::string_view_t text) { return {text.data(), text.size()}; }

class TextFormatter : public spdlog::formatter {
 public:
  void format(const log_msg& message, spdlog::memory_buf_t& out) override {
    append_time(message.time, out);
    fmt::format_to(std::back_inserter(out), " {:<5} ", level_word(message.level));
    out.append(view_of(message.logger_name));
    out.append(std::string_view{": "});
    append_line_text(view_of(message.payload), out);
    out.push_back('\n');
  }
  [[nodiscard]] std::unique_ptr<formatter> clone() const override {
    return std::make_unique<TextFormatter>();
  }
};

class JsonFormatter : public spdlog::formatter {
 public:
  void format(const log_msg& message, spdlog::memory_buf_t& out) override {
    out.append(std::string_view{"{\"time\":\""});
    append_time(message.time, out);
    fmt::format_to(std::back_inserter(out), "\",\"level\":\"{}\",\"component\":\"",
                   level_word(message.level));
    append_json_text(view_of(message.logger_name), out);
    out.append(std::string_view{"\",\"message\":\""});
    append_json_text(view_of(message.payload), out);
    out.append(std::string_view{"\"}\n"});
  }
  [[nodiscard]] std::unique_ptr<formatter> clone() const override {
    return std::make_unique<JsonFormatter>();
  }
};

// Lines to standard error, each in one write. spdlog's own sink does the same, but brings the
// patterns of its formatters into this file: two thirds of what it took to compile. Thread-safe.
class ErrorStream {
 public:
  void set_formatter(std::unique_ptr<spdlog::formatter> formatter) {
    const std::lock_guard lock(mutex_);
    formatter_ = std::move(formatter);
  }

  void log(const log_msg& message) {
    const std::lock_guard lock(mutex_);
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    std::fwrite(line.data(), 1, line.size(), stderr);
    std::fflush(stderr);
  }

  void flush() {
    const std::lock_guard lock(mutex_);
    std::fflush(stderr);
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<spdlog::formatter> formatter_;
};

// Levels by component name, and the sink. Made at the first use and never destroyed, because
// components at namespace scope may write until the last of them is gone. Thread-safe.
class Log {
 public:
  static Log& instance() {
    static Log& log = *new Log;
    return log;
  }

  const std::atomic<int>* level_of_component(const char* name) {
    const std::lock_guard lock(mutex_);
    auto& level = components_[name];
    if (!level) level = std::make_unique<std::atomic<int>>(static_cast<int>(level_for(name)));
    return level.get();
  }

  void set_level(std::string_view name, LogLevel level) {
    const std::lock_guard lock(mutex_);
    levels_[std::string(name)] = level;
    refresh();
  }

  void clear_level(std::string_view name) {
    const std::lock_guard lock(mutex_);
    levels_.erase(std::string(name));
    refresh();
  }

  LogLevel level(std::string_view name) {
    const std::lock_guard lock(mutex_);
    return level_for(name);
  }

  std::vector<std::string> components() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    for (const auto& [name, level] : components_) names.push_back(name);
    return names;
  }

  void set_format(LogFormat format) {
    if (format == LogFormat::json) {
      sink_.set_formatter(std::make_unique<JsonFormatter>());
    } else {
      sink_.set_formatter(std::make_unique<TextFormatter>());
    }
  }

  void write(const char* component, LogLevel level, std::string_view text) {
    const log_msg message(spdlog::string_view_t(component), to_spdlog(level),
                          spdlog::string_view_t(text.data(), text.size()));
    sink_.log(message);
  }

  void flush() { sink_.flush(); }

 private:
  Log() { sink_.set_formatter(std::make_unique<TextFormatter>()); }

  // The level of the longest configured name that is `name` or a parent of it.
  [[nodiscard]] LogLevel level_for(std::string_view name) const {
    for (;;) {
      const auto found = levels_.find(name);
      if (found != levels_.end()) return found->second;
      if (name.empty()) return LogLevel::info;
      const std::size_t dot = name.rfind('.');
      name = dot == std::string_view::npos ? std::string_view{} : name.substr(0, dot);
    }
  }

  void refresh() {
    for (auto& [name, level] : components_) {
      level->store(static_cast<int>(level_for(name)), std::memory_order_relaxed);
    }
  }

  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<std::atomic<int>>> components_;
  std::map<std::string, LogLevel, std::less<>> levels_;
  ErrorStream sink_;  // has a lock of its own: a line is written whole
};

}  // namespace

LogComponent::LogComponent(const char* name)
    : name_(name), level_(Log::instance().level_of_component(name)) {}

void LogComponent::write(LogLevel level, std::string&& text) const {
  Log::instance().write(name_, level, text);
}

void set_log_format(LogFormat format) { Log::instance().set_format(format); }

void set_log_level(std::string_view component, LogLevel level) {
  Log::instance().set_level(component, level);
}

void clear_log_level(std::string_view component) { Log::instance().clear_level(component); }

LogLevel log_level(std::string_view component) { return Log::instance().level(component); }

std::vector<std::string> log_components() { return Log::instance().components(); }

void flush_log() { Log::instance().flush(); }

}  // namespace arus
