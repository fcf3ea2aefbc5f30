#include "env/real/readiness.h"

#include <unistd.h>

#include <cerrno>

namespace arus::env {

int Readiness::join() {
  if (asio_) return 0;
  asio_.emplace(loop_.io());
  boost::system::error_code error;
  asio_->assign(descriptor_, error);
  if (!error) return 0;
  asio_.reset();
  return error.value();
}

void Readiness::close() {
  if (descriptor_ < 0) return;
  const int descriptor = std::exchange(descriptor_, -1);
  if (asio_) {
    boost::system::error_code ignored;
    asio_->close(ignored);
    asio_.reset();
  } else {
    ::close(descriptor);
  }
}

bool Readiness::Wait::await_suspend(std::coroutine_handle<> handle) {
  ARUS_ASSERT(loop_.is_current());
  error_ = readiness_->closed() ? ECANCELED : readiness_->join();
  if (error_ != 0) return false;
  handle_ = handle;
  priority_ = loop_.priority();
  if (deadline_ != never) loop_.arm(*this, deadline_);
  const auto type = direction_ == Direction::read ? asio::posix::descriptor_base::wait_read
                                                  : asio::posix::descriptor_base::wait_write;
  readiness_->asio_->async_wait(
      type, [this](const boost::system::error_code& error) { complete(error.value()); });
  return true;
}

void Readiness::Wait::fire() {
  // The completion, with ECANCELED, may already be on its way after a close().
  if (readiness_->closed()) return;
  timed_out_ = true;
  boost::system::error_code ignored;
  readiness_->asio_->cancel(ignored);
}

void Readiness::Wait::complete(int error) {
  if (armed()) loop_.disarm(*this);
  error_ = error == ECANCELED && timed_out_ ? ETIMEDOUT : error;
  loop_.post([handle = handle_] { handle.resume(); }, priority_);
}

}  // namespace arus::env
