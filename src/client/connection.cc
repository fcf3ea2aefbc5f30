#include "client/connection.h"

#include <fmt/core.h>

#include "client/version.h"
#include "protocol/api/api_versions.h"
#include "protocol/frame.h"

namespace arus::client {
namespace {

constexpr std::size_t read_chunk_bytes = 64 * 1024;
constexpr std::size_t max_write_batch_bytes = std::size_t{4} << 20;  // handed to one write

std::string api_name(std::int16_t api_key) {
  const protocol::ApiInfo* info = protocol::api_info(api_key);
  return info == nullptr ? fmt::format("API {}", api_key) : std::string(info->name);
}

// The versions that an answer lists, and what they end up as.
BrokerVersions versions_of(const protocol::ApiVersionsResponse& answer) {
  BrokerVersions versions;
  for (const auto& api : answer.api_keys) {
    versions.apis[api.api_key] = {api.min_version, api.max_version};
  }
  for (const auto& feature : answer.supported_features) {
    versions.features.push_back({feature.name, feature.min_version, feature.max_version, {}});
  }
  for (const auto& feature : answer.finalized_features) {
    const auto found = std::ranges::find(versions.features, feature.name, &FeatureLevel::name);
    if (found != versions.features.end()) {
      found->finalized = feature.max_version_level;
    } else {
      versions.features.push_back({feature.name, 0, 0, feature.max_version_level});
    }
  }
  versions.finalized_epoch = answer.finalized_features_epoch;
  return versions;
}

}  // namespace

Connection::Connection(env::Environment& environment, std::unique_ptr<env::Socket> socket,
                       env::Address address, const ClientOptions& options)
    : environment_(environment),
      socket_(std::move(socket)),
      address_(std::move(address)),
      client_id_(options.client_id),
      frames_(
          static_cast<std::int32_t>(std::min<std::size_t>(options.max_response_bytes, INT32_MAX))) {
}

Connection::~Connection() { ARUS_ASSERT(closed() && gate_.running() == 0); }

env::Task<Result<std::shared_ptr<Connection>>> Connection::open(env::Environment& environment,
                                                                env::Address address,
                                                                const ClientOptions& options,
                                                                env::TimePoint deadline) {
  const env::TimePoint limit =
      std::min(deadline, environment.clock().now() + options.connect_timeout);
  auto socket = co_await environment.connect(address, limit);
  if (!socket) {
    co_return fail(
        {ErrorCode::network_exception,
         fmt::format("No connection to {}: {}", address.to_string(), socket.error().message),
         socket.error().os_error});
  }
  auto connection =
      std::make_shared<Connection>(environment, std::move(*socket), std::move(address), options);
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
    return fail(
        ErrorCode::unsupported_version,
        fmt::format("The broker at {} does not serve {}", address_.to_string(), api_name(api_key)));
  }
  const std::int16_t low = std::max(lowest, found->second.min);
  const std::int16_t high = std::min(highest, found->second.max);
  if (low > high) {
    return fail(ErrorCode::unsupported_version,
                fmt::format("The broker at {} serves {} in versions {} to {}, this client knows {} "
                            "to {}",
                            address_.to_string(), api_name(api_key), found->second.min,
                            found->second.max, lowest, highest));
  }
  return high;
}

std::int32_t Connection::take_correlation_id() {
  const std::int32_t id = next_correlation_id_;
  next_correlation_id_ = id == INT32_MAX ? 0 : id + 1;
  return id;
}

Chain Connection::numbered(Writer frame, std::int32_t correlation_id) const {
  constexpr std::size_t correlation_id_at = 4;  // behind key and version
  frame.patch_i32(correlation_id_at, correlation_id);
  return protocol::make_frame(std::move(frame));
}

env::Task<Result<Slice>> Connection::exchange(std::int16_t api_key, std::int16_t version,
                                              Writer frame, env::TimePoint deadline) {
  while (!closed() && waiting_.size() >= max_queued_requests) {
    if (!co_await place_event_.wait_until(deadline)) {
      co_return fail(ErrorCode::request_timed_out,
                     fmt::format("Too many requests wait for {}", address_.to_string()));
    }
  }
  if (closed()) co_return fail(*failure_);
  const std::int32_t id = take_correlation_id();
  const env::OneShot<Result<Slice>> answer;
  waiting_.push_back(
      {id, protocol::response_header_version(*protocol::api_info(api_key), version), answer});
  outgoing_.push_back({numbered(std::move(frame), id), {}});
  outgoing_event_.notify_all();
  auto arrived = co_await answer.wait_until(deadline);
  if (!arrived) {
    Error late{ErrorCode::request_timed_out, fmt::format("{} did not answer {} in time",
                                                         address_.to_string(), api_name(api_key))};
    close(late);
    co_return fail(std::move(late));
  }
  co_return std::move(*arrived);
}

env::Task<Result<>> Connection::write_only(Writer frame, env::TimePoint deadline) {
  if (closed()) co_return fail(*failure_);
  const env::OneShot<Result<>> written;
  outgoing_.push_back({numbered(std::move(frame), take_correlation_id()), written});
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

Result<Writer> Connection::request_bytes(const Question& question, std::int16_t version) const {
  Writer out;
  protocol::write_request_head(out, question.api_key, version, 0, client_id_);
  ARUS_TRY(question.encode(question.request, out, version));
  return out;
}

env::Task<Result<>> Connection::ask(Question question, env::TimePoint deadline) {
  const auto version = negotiate(question.api_key, question.lowest, question.highest);
  if (!version) co_return fail(version.error());
  auto frame = request_bytes(question, *version);
  if (!frame) co_return fail(std::move(frame).error());
  auto body = co_await exchange(question.api_key, *version, std::move(*frame), deadline);
  if (!body) co_return fail(std::move(body).error());
  if (auto decoded = question.decode(question.answer, *body, *version); !decoded) {
    Error damaged{ErrorCode::corrupt_message,
                  address_.to_string() + ": " + decoded.error().message};
    close(damaged);
    co_return fail(std::move(damaged));
  }
  co_return Result<>{};
}

env::Task<Result<>> Connection::tell(Question question, env::TimePoint deadline) {
  const auto version = negotiate(question.api_key, question.lowest, question.highest);
  if (!version) co_return fail(version.error());
  auto frame = request_bytes(question, *version);
  if (!frame) co_return fail(std::move(frame).error());
  co_return co_await write_only(std::move(*frame), deadline);
}

// Newest version first; a broker that does not know it says so in the form of version 0, with the
// versions that it does know (KIP-511).
env::Task<Result<>> Connection::ask_versions(env::TimePoint deadline) {
  protocol::ApiVersionsRequest request;
  request.client_software_name = "arus";
  request.client_software_version = std::string(version());
  constexpr auto key = protocol::ApiVersionsRequest::api_key;
  std::optional<protocol::ApiVersionsResponse> none;  // decoded here, for two versions
  const Question asked = question(request, none, protocol::ApiVersionsRequest::max_version);
  std::int16_t version = protocol::ApiVersionsRequest::max_version;
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto frame = request_bytes(asked, version);
    if (!frame) co_return fail(std::move(frame).error());
    auto body = co_await exchange(key, version, std::move(*frame), deadline);
    if (!body) co_return fail(std::move(body).error());
    auto answer = protocol::ApiVersionsResponse::decode(*body, version);
    if (!answer) answer = protocol::ApiVersionsResponse::decode(*body, 0);
    if (!answer) {
      co_return fail(ErrorCode::corrupt_message,
                     fmt::format("{} does not answer as a Kafka broker does: {}",
                                 address_.to_string(), answer.error().message));
    }
    versions_ = versions_of(*answer);
    if (answer->error_code == ErrorCode::none) co_return Result<>{};
    if (answer->error_code != ErrorCode::unsupported_version) {
      co_return fail(answer->error_code,
                     fmt::format("{}: {}", address_.to_string(), error_name(answer->error_code)));
    }
    const auto known = versions_.apis.find(key);
    version =
        known == versions_.apis.end() ? std::int16_t{0} : std::min(version, known->second.max);
  }
  co_return fail(ErrorCode::unsupported_version,
                 fmt::format("{} serves no version of ApiVersions that this client knows",
                             address_.to_string()));
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
      close({ErrorCode::corrupt_message, fmt::format("{} sent a frame that cannot be: {}",
                                                     address_.to_string(), fed.error().message)});
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
  Reader in{frame.view()};
  const std::int32_t correlation_id = in.i32();
  if (waiting.response_header_version > 0) {
    const std::uint32_t tags = in.uvarint();
    for (std::uint32_t i = 0; i < tags && in.ok(); ++i) {
      static_cast<void>(in.uvarint());
      in.skip(in.uvarint());
    }
  }
  if (!in.ok() || correlation_id != waiting.correlation_id) {
    return fail(ErrorCode::corrupt_message,
                fmt::format("{} answered with the wrong header", address_.to_string()));
  }
  waiting_.pop_front();
  place_event_.notify_all();
  waiting.answer.set(frame.sub(in.position(), in.remaining()));
  return {};
}

}  // namespace arus::client
