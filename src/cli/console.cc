#include "cli/console.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace arus::cli {
namespace {

constexpr int poll_ms = 100;  // how soon a reader of a silent input learns that it has to stop

}  // namespace

void Console::out(std::string_view text) {
  if (captured_out_ != nullptr) {
    captured_out_->append(text);
    return;
  }
  buffer_.append(text);
  if (buffer_.size() >= buffer_bytes) flush();
}

void Console::err(std::string_view text) {
  if (captured_err_ != nullptr) {
    captured_err_->append(text);
    return;
  }
  flush();
  write(STDERR_FILENO, text);
}

void Console::flush() {
  if (buffer_.empty()) return;
  write(STDOUT_FILENO, buffer_);
  buffer_.clear();
}

void Console::write(int descriptor, std::string_view text) {
  while (!text.empty() && !(broken_ && descriptor == STDOUT_FILENO)) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      pollfd entry{descriptor, POLLOUT, 0};
      ::poll(&entry, 1, poll_ms);
    } else if (errno != EINTR) {
      if (descriptor == STDOUT_FILENO) broken_ = true;
      return;
    }
  }
}

bool Console::in_is_terminal() const { return ::isatty(STDIN_FILENO) == 1; }
bool Console::out_is_terminal() const {
  return captured_out_ == nullptr && ::isatty(STDOUT_FILENO) == 1;
}
bool Console::err_is_terminal() const {
  return captured_err_ == nullptr && ::isatty(STDERR_FILENO) == 1;
}

StopSignal::StopSignal(env::RealEnvironment& environment) {
  environment.on_stop_signal([flag = stopping, waiters = event] {
    *flag = true;
    waiters->notify_all();
  });
}

LineInput::LineInput(env::Environment& environment, int descriptor, const bool& stopping)
    : worker_(environment.make_worker("input")), descriptor_(descriptor), stopping_(stopping) {}

env::Task<Result<std::vector<std::string>>> LineInput::next() {
  for (;;) {
    if (ended_ || stopping_) co_return std::vector<std::string>{};
    auto lines = co_await env::run_on(*worker_, [this] { return read_lines(); });
    if (!lines || !lines->empty()) co_return lines;
  }
}

// On the worker. Nothing when nothing came for a while, or at the end.
Result<std::vector<std::string>> LineInput::read_lines() {
  std::vector<std::string> lines;
  pollfd entry{descriptor_, POLLIN, 0};
  if (::poll(&entry, 1, poll_ms) == 0) return lines;
  const std::size_t before = rest_.size();
  rest_.resize(before + chunk_bytes);
  const ssize_t count = ::read(descriptor_, rest_.data() + before, chunk_bytes);
  rest_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return lines;
  if (count < 0) {
    return fail({ErrorCode::unknown_server_error,
                 fmt::format("The input cannot be read: {}", std::strerror(errno)), errno});
  }
  std::size_t start = 0;
  for (std::size_t end = rest_.find('\n', before); end != std::string::npos;
       end = rest_.find('\n', start)) {
    std::string_view line{rest_.data() + start, end - start};
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    start = end + 1;
  }
  rest_.erase(0, start);
  if (count == 0) {
    ended_ = true;
    if (!rest_.empty()) lines.push_back(std::exchange(rest_, {}));
  }
  if (rest_.size() > max_line_bytes) {
    return fail(ErrorCode::message_too_large,
                fmt::format("A line of the input is longer than {} bytes", max_line_bytes));
  }
  return lines;
}

}  // namespace arus::cli
