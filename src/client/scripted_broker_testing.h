// A broker of the simulation that answers what a test tells it to.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/uuid.h"
#include "client/cluster.h"
#include "env/simulated.h"
#include "net/frame_reader.h"
#include "protocol/api/api_versions.h"
#include "protocol/api/fetch.h"
#include "protocol/api/find_coordinator.h"
#include "protocol/api/metadata.h"
#include "protocol/frame.h"
#include "protocol/header.h"

namespace arus::client {

// Serves the APIs that a test has given an answer to, and by itself ApiVersions, Metadata (topic
// "t" of two partitions), FindCoordinator (this broker) and Fetch (nothing new).
// Owner: loop 0 of its environment. stop() is awaited before it is destroyed.
class ScriptedBroker {
 public:
  static constexpr std::uint16_t port = 9092;
  static constexpr std::size_t chunk_bytes = 4096;
  static constexpr std::int32_t max_frame_bytes = 1 << 20;

  explicit ScriptedBroker(env::SimulatedEnvironment& environment, std::string host)
      : environment_(environment), host_(std::move(host)) {
    on<protocol::MetadataRequest>([this](const auto&) { return metadata(); });
    on<protocol::FindCoordinatorRequest>([this](const protocol::FindCoordinatorRequest& request) {
      protocol::FindCoordinatorResponse answer;
      for (const auto& key : request.coordinator_keys) {
        auto& one = answer.coordinators.emplace_back();
        one.key = key;
        one.node_id = BrokerId{1};
        one.host = host_;
        one.port = port;
      }
      return answer;
    });
    on<protocol::FetchRequest>([](const auto&) { return protocol::FetchResponse{}; },
                               env::milliseconds(100));
  }

  // What the next requests of this kind are answered with, after a while.
  template <class Request>
  void on(std::function<typename Request::Response(const Request&)> answer,
          env::Duration after = {}) {
    handlers_[Request::api_key] = {
        Request::min_version, Request::max_version, after,
        [answer = std::move(answer)](const Slice& body, std::int16_t version, Writer& out) {
          const auto request = Request::decode(body, version);
          ARUS_ASSERT(request);
          answer(*request).encode(out, version);
        }};
  }

  void start() {
    auto listener = environment_.listen(environment_.loop(0), {host_, port}, 16);
    ARUS_ASSERT(listener);
    listener_ = std::move(*listener);
    env::spawn(gate_, accept());
  }
  env::Task<void> stop() {
    listener_->close();
    for (const auto& socket : sockets_) socket->close();
    co_await gate_.close();
  }

  [[nodiscard]] static Uuid topic_id() { return Uuid::of_halves(7, 7); }

 private:
  struct Handler {
    std::int16_t min_version;
    std::int16_t max_version;
    env::Duration after;
    std::function<void(const Slice&, std::int16_t, Writer&)> answer;
  };

  protocol::MetadataResponse metadata() const {
    protocol::MetadataResponse answer;
    auto& broker = answer.brokers.emplace_back();
    broker.node_id = BrokerId{1};
    broker.host = host_;
    broker.port = port;
    answer.controller_id = BrokerId{1};
    auto& topic = answer.topics.emplace_back();
    topic.name = "t";
    topic.topic_id = topic_id();
    for (std::int32_t index = 0; index < 2; ++index) {
      auto& partition = topic.partitions.emplace_back();
      partition.partition_index = index;
      partition.leader_id = BrokerId{1};
      partition.leader_epoch = 0;
    }
    return answer;
  }

  env::Task<void> accept() {
    for (;;) {
      auto socket = co_await listener_->accept(environment_.loop(0));
      if (!socket) co_return;
      sockets_.push_back(std::move(*socket));
      env::spawn(gate_, serve(*sockets_.back()));
    }
  }

  env::Task<void> serve(env::Socket& socket) {
    net::FrameReader frames{max_frame_bytes};
    Bytes buffer(chunk_bytes);
    std::vector<Slice> requests;
    for (;;) {
      auto count = co_await socket.read_some(buffer);
      if (!count || *count == 0) co_return;
      ARUS_ASSERT(frames.feed(ByteView(buffer).first(*count), requests));
      for (const auto& request : std::exchange(requests, {})) {
        if (!co_await answer(socket, request)) co_return;
      }
    }
  }

  env::Task<bool> answer(env::Socket& socket, Slice frame) {
    const auto head = protocol::read_request_head(frame.view());
    ARUS_ASSERT(head);
    const Slice body = frame.sub(head->size_bytes, frame.size() - head->size_bytes);
    Writer out;
    if (head->api_key == protocol::ApiVersionsRequest::api_key) {
      protocol::write_response_head(out, 0, head->correlation_id);
      versions().encode(out, head->version);
    } else {
      const Handler& handler = handlers_.at(head->api_key);
      if (handler.after > env::Duration{}) co_await env::sleep_for(handler.after);
      const auto header_version =
          protocol::response_header_version(*protocol::api_info(head->api_key), head->version);
      protocol::write_response_head(out, header_version, head->correlation_id);
      handler.answer(body, head->version, out);
    }
    const Bytes bytes = flatten(protocol::make_frame(std::move(out)));
    const ByteView pieces[] = {bytes};
    co_return (co_await socket.write(pieces)).has_value();
  }

  protocol::ApiVersionsResponse versions() const {
    protocol::ApiVersionsResponse answer;
    for (const auto& [key, handler] : handlers_) {
      auto& api = answer.api_keys.emplace_back();
      api.api_key = key;
      api.min_version = handler.min_version;
      api.max_version = handler.max_version;
    }
    return answer;
  }

  env::SimulatedEnvironment& environment_;
  std::string host_;
  std::map<std::int16_t, Handler> handlers_;
  std::unique_ptr<env::Listener> listener_;
  std::vector<std::unique_ptr<env::Socket>> sockets_;
  env::Gate gate_;
};

}  // namespace arus::client
