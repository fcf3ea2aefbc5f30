#include "client/connection.h"

#include <fmt/core.h>

#include "client/wire.h"

namespace arus::client {
namespace {

constexpr std::size_t read_chunk_bytes = 64 * 1024;
constexpr std::size_t max_write_batch_bytes = std::size_t{4} << 20;  // handed to one write

}  // namespace

Connection::Connection(env::Environment& environment, std::unique_ptr<env::Socket> socket,
                       env::Address address, const ClientOptions& options)
    : environment_(environment),
      socket_(std::move(socket)),
      address_(std::move(address)),
      client_id_(options.client_id),
      frames_(static_cast<std::int32_t>(
          std::min<std::size_t>(options.max_response_bytes, INT32_MAX))) {}

Connection::~Connection() { ARUS_ASSERT(closed() && gate_.running() == 0); }

env::Task<Result<std::shared_ptr<Connection>>> Connection::open(env::Environment& environment,
                                                                env::Address address,
                                                                const ClientOptions& options,
                                                                env::TimePoint deadline) {
  const env::TimePoint limit =
      std::min(deadline, environment.clock().now() + options.connect_timeout);
  auto socket = co_await environment.connect(address, limit);
  if (!socket) {
    co_return fail({ErrorCode::network_exception,
                    fmt::format("No connection to {}: {}", address.to_string(),
                                socket.error().message),
                    socket.error().os_error});
  }
  auto connection = std::make_shared<Connection>(environment, std::move(*socket),
                                                 std::move(address), options);
  env::spawn(connection->gate_, connection->read_answers());
  env::spawn(connection->gate_, connection->write_requests());
  auto negotiated = co_await connection->ask_versions(limit);
  if (!negotiated) {
    co_await connection->shut();
    co_return fail(std::move(negotiated).error());
  }
  co_return connection;
}

Result<std::int16_t> Connection::negotiate(std::int16_t api_key, std::int16_t lowest,
                                           std::int16_t highest) const {
  const auto found = versions_.apis.find(api_key);
  if (found == versions_.apis.end()) {
    return fail(ErrorCode::unsupported_version,
                fmt::format("The broker at {} does not serve {}", address_.to_string(),
                            wire::api_name(api_key)));
  }
  const std::int16_t low = std::max(lowest, found->second.min);
  const std::int16_t high = std::min(highest, found->second.max);
  if (low > high) {
    return fail(ErrorCode::unsupported_version,
                fmt::format("The broker at {} serves {} in versions {} to {}, this client knows {} "
                            "to {}",
                            address_.to_string(), wire::api_name(api_key), found->second.min,
                            found->second.max, lowest, highest));
  }
  return high;
}

env::Task<Result<Slice>> Connection::exchange(std::int16_t api_key, std::int16_t version,
                                              Writer body, env::TimePoint deadline) {
  while (!closed() && waiting_.size() >= max_queued_requests) {
    if (!co_await place_event_.wait_until(deadline)) {
      co_return fail(ErrorCode::request_timed_out,
                     fmt::format("Too many requests wait for {}", address_.to_string()));
    }
  }
  if (closed()) co_return fail(*failure_);
  const std::int32_t correlation_id = next_correlation_id_;
  next_correlation_id_ = next_correlation_id_ == INT32_MAX ? 0 : next_correlation_id_ + 1;
  const env::OneShot<Result<Slice>> answer;
  waiting_.push_back({correlation_id, wire::response_header_version(api_key, version), answer});
  outgoing_.push_back(
      {wire::request_frame(api_key, version, correlation_id, client_id_, std::move(body)), {}});
  outgoing_event_.notify_all();
  auto arrived = co_await answer.wait_until(deadline);
  if (!arrived) {
    Error late{ErrorCode::request_timed_out,
               fmt::format("{} did not answer {} in time", address_.to_string(),
                           wire::api_name(api_key))};
    close(late);
    co_return fail(std::move(late));
  }
  co_return std::move(*arrived);
}

env::Task<Result<>> Connection::write_only(std::int16_t api_key, std::int16_t version, Writer body,
                                           env::TimePoint deadline) {
  if (closed()) co_return fail(*failure_);
  const std::int32_t correlation_id = next_correlation_id_;
  next_correlation_id_ = next_correlation_id_ == INT32_MAX ? 0 : next_correlation_id_ + 1;
  const env::OneShot<Result<>> written;
  outgoing_.push_back(
      {wire::request_frame(api_key, version, correlation_id, client_id_, std::move(body)),
       written});
  outgoing_event_.notify_all();
  auto done = co_await written.wait_until(deadline);
  if (!done) {
    Error late{ErrorCode::request_timed_out,
               fmt::format("{} took no bytes in time", address_.to_string())};
    close(late);
    co_return fail(std::move(late));
  }
  co_return std::move(*done);
}

void Connection::close(Error error) {
  if (closed()) return;
  failure_ = std::move(error);
  socket_->close();
  for (const auto& waiting : std::exchange(waiting_, {})) waiting.answer.set(fail(*failure_));
  for (const auto& outgoing : std::exchange(outgoing_, {})) {
    if (outgoing.written) outgoing.written->set(fail(*failure_));
  }
  outgoing_event_.notify_all();
  place_event_.notify_all();
}

env::Task<void> Connection::shut() {
  close({ErrorCode::network_exception, "The connection was closed by this side"});
  co_await gate_.close();
}

env::Task<void> Connection::write_requests() {
  while (!closed()) {
    if (outgoing_.empty()) {
      co_await outgoing_event_.wait();
      continue;
    }
    // What has queued up meanwhile leaves in one write.
    std::vector<Outgoing> batch;
    std::vector<ByteView> pieces;
    std::size_t bytes = 0;
    while (!outgoing_.empty() && bytes < max_write_batch_bytes) {
      batch.push_back(std::move(outgoing_.front()));
      outgoing_.pop_front();
      bytes += size_of(batch.back().frame);
    }
    for (const auto& outgoing : batch) {
      for (const auto& piece : outgoing.frame) pieces.push_back(piece.view());
    }
    auto written = co_await socket_->write(pieces);
    if (!written) {
      close({ErrorCode::network_exception,
             fmt::format("Writing to {} failed: {}", address_.to_string(), written.error().message),
             written.error().os_error});
    }
    for (const auto& outgoing : batch) {
      if (outgoing.written) {
        outgoing.written->set(written ? Result<>{} : Result<>{fail(*failure_)});
      }
    }
  }
}

env::Task<void> Connection::read_answers() {
  Bytes buffer(read_chunk_bytes);
  std::vector<Slice> frames;
  while (!closed()) {
    const MutableByteView direct = frames_.direct_target();
    const MutableByteView target = direct.empty() ? MutableByteView(buffer) : direct;
    auto count = co_await socket_->read_some(target);
    if (closed()) co_return;
    if (!count || *count == 0) {
      close({ErrorCode::network_exception,
             !count ? fmt::format("Reading from {} failed: {}", address_.to_string(),
                                  count.error().message)
                    : fmt::format("{} closed the connection", address_.to_string()),
             count ? 0 : count.error().os_error});
      co_return;
    }
    if (!direct.empty()) {
      frames_.filled(*count, frames);
    } else if (auto fed = frames_.feed(target.first(*count), frames); !fed) {
      close({ErrorCode::corrupt_message,
             fmt::format("{} sent a frame that cannot be: {}", address_.to_string(),
                         fed.error().message)});
      co_return;
    }
    for (auto& frame : frames) {
      if (auto taken = deliver(frame); !taken) {
        close(std::move(taken).error());
        co_return;
      }
    }
    frames.clear();
  }
}

Result<> Connection::deliver(const Slice& frame) {
  if (waiting_.empty()) {
    return fail(ErrorCode::corrupt_message,
                fmt::format("{} sent an answer to no request", address_.to_string()));
  }
  const Waiting waiting = waiting_.front();
  auto body = wire::open_response(frame, waiting.response_header_version, waiting.correlation_id);
  if (!body) {
    return fail(ErrorCode::corrupt_message,
                fmt::format("{}: {}", address_.to_string(), body.error().message));
  }
  waiting_.pop_front();
  place_event_.notify_all();
  waiting.answer.set(std::move(*body));
  return {};
}

}  // namespace arus::client
