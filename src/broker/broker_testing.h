// For tests: a broker in this process, and a client that speaks in the protocol's own structs.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/endian.h"
#include "broker/broker.h"
#include "env/environment.h"
#include "protocol/api/create_topics.h"
#include "protocol/api/find_coordinator.h"
#include "protocol/api/metadata.h"
#include "protocol/frame.h"
#include "protocol/header.h"
#include "record/builder.h"

namespace arus::broker::testing {

// A directory that is removed with its contents.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string pattern = std::filesystem::temp_directory_path() / "arus_broker_XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::shared_ptr<const config::BrokerConfig> config_for(const std::string& directory,
                                                              config::ConfigMap overrides = {}) {
  config::ConfigMap properties = config::standalone_properties(directory, "127.0.0.1:0");
  for (auto& [key, value] : overrides) properties[key] = value;
  auto config = config::BrokerConfig::make(std::move(properties));
  ARUS_ASSERT(config);
  return std::make_shared<const config::BrokerConfig>(std::move(*config));
}

// One connection. Requests are sent one by one; an answer is awaited at once or later.
class Client {
 public:
  static env::Task<std::unique_ptr<Client>> connect(env::Environment& environment,
                                                    env::Address address) {
    auto socket =
        co_await environment.connect(address, environment.clock().now() + env::seconds(10));
    ARUS_ASSERT(socket);
    co_return std::make_unique<Client>(std::move(*socket));
  }
  explicit Client(std::unique_ptr<env::Socket> socket) : socket_(std::move(socket)) {}
  ~Client() { socket_->close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  template <class Request>
  env::Task<void> send(Request request, std::int16_t version) {
    Writer out;
    protocol::write_request_head(out, Request::api_key, version, ++correlation_id_, "test");
    request.encode(out, version);
    const Bytes frame = flatten(protocol::make_frame(std::move(out)));
    const ByteView view = frame;
    static_cast<void>(co_await socket_->write({&view, 1}));
  }
  env::Task<void> send_bytes(Bytes bytes) {
    const ByteView view = bytes;
    static_cast<void>(co_await socket_->write({&view, 1}));
  }
  // A frame without its length; nothing when the broker has hung up.
  env::Task<std::optional<Slice>> receive_frame() {
    Bytes head(4);
    if (!co_await fill(head)) co_return std::nullopt;
    Bytes body(static_cast<std::size_t>(load_big<std::int32_t>(head.data())));
    if (!co_await fill(body)) co_return std::nullopt;
    co_return Slice(std::move(body));
  }
  template <class Request>
  env::Task<std::optional<typename Request::Response>> receive(std::int16_t version) {
    const auto frame = co_await receive_frame();
    if (!frame) co_return std::nullopt;
    const auto header =
        protocol::response_header_version(*protocol::api_info(Request::api_key), version);
    const std::size_t skip = header == 1 ? 5 : 4;
    auto response = Request::Response::decode(frame->sub(skip, frame->size() - skip), version);
    ARUS_ASSERT(response);
    co_return std::move(*response);
  }
  template <class Request>
  env::Task<std::optional<typename Request::Response>> ask(Request request, std::int16_t version) {
    co_await send(std::move(request), version);
    co_return co_await receive<Request>(version);
  }

 private:
  env::Task<bool> fill(Bytes& bytes) {
    std::size_t have = 0;
    while (have < bytes.size()) {
      const auto count = co_await socket_->read_some({bytes.data() + have, bytes.size() - have});
      if (!count || *count == 0) co_return false;
      have += *count;
    }
    co_return true;
  }

  std::unique_ptr<env::Socket> socket_;
  std::int32_t correlation_id_ = 0;
};

inline protocol::MetadataRequest metadata_of(const std::string& topic, bool create = true) {
  protocol::MetadataRequest request;
  request.topics->emplace_back().name = topic;
  request.allow_auto_topic_creation = create;
  return request;
}

// A broker and a first client of it.
struct Node {
  std::unique_ptr<Broker> broker;
  std::unique_ptr<Client> client;
  [[nodiscard]] env::Address address() const { return broker->addresses().front(); }
};

// Runs a test on a real environment.
template <class Test>
void on_machine(Test test, std::size_t loops = 1) {
  const auto environment = env::make_real_environment({.loops = loops, .pool_threads = 2});
  env::run_until_done(*environment, test(*environment));
}

inline env::Task<Node> start(env::Environment& environment, const std::string& directory,
                             config::ConfigMap overrides = {}) {
  auto broker =
      co_await Broker::start(environment, {.config = config_for(directory, std::move(overrides))});
  if (!broker) ADD_FAILURE() << broker.error().message;
  ARUS_ASSERT(broker);
  Node node{.broker = std::move(*broker), .client = nullptr};
  node.client = co_await Client::connect(environment, node.address());
  co_return node;
}

inline env::Task<void> stop(Node& node) {
  node.client.reset();
  const auto stopped = co_await node.broker->stop();
  EXPECT_TRUE(stopped) << stopped.error().message;
  node.broker.reset();
}

// A topic of one replica; gives its id.
inline env::Task<Uuid> create_topic(Client& client, std::string name, std::int32_t partitions,
                                    config::ConfigMap configs = {}) {
  protocol::CreateTopicsRequest request;
  request.timeout_ms = 10'000;
  auto& topic = request.topics.emplace_back();
  topic.name = std::move(name);
  topic.num_partitions = partitions;
  topic.replication_factor = 1;
  for (auto& [key, value] : configs) {
    auto& config = topic.configs.emplace_back();
    config.name = key;
    config.value = value;
  }
  const auto created = co_await client.ask(std::move(request), 7);
  ARUS_ASSERT(created);
  EXPECT_EQ(created->topics.front().error_code, ErrorCode::none);
  co_return created->topics.front().topic_id;
}

// Makes the topic of groups (0) or of transactions (1) and waits until "g" has a coordinator there.
inline env::Task<void> find_coordinator(Client& client, std::int8_t type) {
  protocol::FindCoordinatorRequest request;
  request.key_type = type;
  request.coordinator_keys = {"g"};
  const auto found = co_await client.ask(request, 4);
  EXPECT_EQ(found->coordinators.front().error_code, ErrorCode::none);
}

}  // namespace arus::broker::testing
