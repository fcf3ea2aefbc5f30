// One connection to one broker: negotiated versions, pipelined requests, answers in order.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "client/options.h"
#include "client/question.h"
#include "env/environment.h"
#include "net/frame_reader.h"
#include "protocol/header.h"

namespace arus::client {

// The versions of one API that a broker serves.
struct VersionRange {
  std::int16_t min = 0;
  std::int16_t max = -1;
};

struct FeatureLevel {
  std::string name;
  std::int16_t min = 0;
  std::int16_t max = 0;
  std::optional<std::int16_t> finalized;
};

// What the broker said about itself when the connection was opened.
struct BrokerVersions {
  std::map<std::int16_t, VersionRange> apis;
  std::vector<FeatureLevel> features;
  std::int64_t finalized_epoch = -1;
};

// Requests go out in the order they were sent and may overlap while they wait; answers come back in
// that order. An answer that nobody asked for, that does not decode, or that is late closes the
// connection, and everything that waits on it fails with NETWORK_EXCEPTION or REQUEST_TIMED_OUT;
// a closed connection stays closed. At most max_queued_requests wait for answers, further ones wait
// for a place.
// Owner: the loop it was opened on. The last owner awaits shut() before letting go.
class Connection {
 public:
  // Connects and asks for the versions. UNSUPPORTED_VERSION from brokers older than Kafka 0.10.
  static env::Task<Result<std::shared_ptr<Connection>>> open(env::Environment& environment,
                                                             env::Address address,
                                                             const ClientOptions& options,
                                                             env::TimePoint deadline);
  Connection(env::Environment& environment, std::unique_ptr<env::Socket> socket,
             env::Address address, const ClientOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] const env::Address& address() const { return address_; }
  [[nodiscard]] const BrokerVersions& versions() const { return versions_; }
  [[nodiscard]] bool closed() const { return failure_.has_value(); }

  // The highest version of an API that both sides know, within `lowest` and `highest`, which are
  // ours; UNSUPPORTED_VERSION when there is none.
  [[nodiscard]] Result<std::int16_t> negotiate(std::int16_t api_key, std::int16_t lowest,
                                               std::int16_t highest) const;

  // Sends a request in the newest version that both sides know (and that `highest` allows) and
  // gives the decoded answer. The error codes inside an answer are the caller's to look at.
  template <class Request>
  env::Task<Result<typename Request::Response>> ask(Request request, env::TimePoint deadline,
                                                    std::int16_t highest = INT16_MAX);
  // The same; the answer is in its place when this succeeds.
  env::Task<Result<>> ask(Question question, env::TimePoint deadline);

  // For Produce with acks=0, which has no answer: completes when the bytes are written.
  template <class Request>
  env::Task<Result<>> tell(Request request, env::TimePoint deadline);

  // Fails everything that waits, with this error, and everything sent from now on.
  void close(Error error);
  // Closes, and completes when no task of this connection runs any more.
  env::Task<void> shut();

 private:
  struct Waiting {
    std::int32_t correlation_id;
    std::int16_t response_header_version;
    env::OneShot<Result<Slice>> answer;  // the body, without the header
  };
  struct Outgoing {
    Chain frame;
    std::optional<env::OneShot<Result<>>> written;
  };

  // `frame` is the request with its header; its correlation id is set here.
  env::Task<Result<Slice>> exchange(std::int16_t api_key, std::int16_t version, Writer frame,
                                    env::TimePoint deadline);
  env::Task<Result<>> tell(Question question, env::TimePoint deadline);
  env::Task<Result<>> write_only(Writer frame, env::TimePoint deadline);
  Chain numbered(Writer frame, std::int32_t correlation_id) const;
  std::int32_t take_correlation_id();
  [[nodiscard]] Result<Writer> request_bytes(const Question& question, std::int16_t version) const;
  env::Task<Result<>> ask_versions(env::TimePoint deadline);
  env::Task<void> read_answers();
  env::Task<void> write_requests();
  Result<> deliver(const Slice& frame);

  env::Environment& environment_;
  std::unique_ptr<env::Socket> socket_;
  env::Address address_;
  std::string client_id_;
  net::FrameReader frames_;
  BrokerVersions versions_;
  std::int32_t next_correlation_id_ = 0;
  std::deque<Waiting> waiting_;
  std::deque<Outgoing> outgoing_;
  env::Event outgoing_event_;
  env::Event place_event_;
  std::optional<Error> failure_;
  env::Gate gate_;
};

template <class Request>
env::Task<Result<typename Request::Response>> Connection::ask(Request request,
                                                              env::TimePoint deadline,
                                                              std::int16_t highest) {
  std::optional<typename Request::Response> answer;
  auto asked = co_await ask(question(request, answer, highest), deadline);
  if (!asked) co_return fail(std::move(asked).error());
  co_return std::move(*answer);
}

template <class Request>
env::Task<Result<>> Connection::tell(Request request, env::TimePoint deadline) {
  std::optional<typename Request::Response> none;
  co_return co_await tell(question(request, none, Request::max_version), deadline);
}

}  // namespace arus::client
