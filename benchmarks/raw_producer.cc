#include "benchmarks/raw_producer.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "base/endian.h"
#include "benchmarks/process.h"
#include "protocol/api/produce.h"
#include "protocol/frame.h"
#include "protocol/header.h"
#include "record/builder.h"

namespace arus::benchmark {
namespace {

constexpr std::int16_t produce_version = 9;

struct Target {
  std::string topic;
  int partition = 0;
};

Target target(const TopicSet& topics, int i) {
  return {
      topics.topics == 0 ? topics.name : topics.name + "-" + std::to_string(i / topics.partitions),
      i % topics.partitions};
}

Slice batch_of(std::size_t record_bytes) {
  const Bytes value(record_bytes, 0x5a);
  record::BatchBuilder builder;
  builder.append(std::chrono::duration_cast<std::chrono::milliseconds>(
                     std::chrono::system_clock::now().time_since_epoch())
                     .count(),
                 std::nullopt, ByteView(value));
  return Slice(builder.build());
}

Bytes request_for(const std::vector<Target>& targets, const Slice& batch) {
  protocol::ProduceRequest request;
  request.acks = -1;
  request.timeout_ms = 30'000;
  for (const Target& one : targets) {
    if (request.topic_data.empty() || request.topic_data.back().name != one.topic) {
      request.topic_data.emplace_back().name = one.topic;
    }
    auto& partition = request.topic_data.back().partition_data.emplace_back();
    partition.index = one.partition;
    partition.records = batch;
  }
  Writer out;
  protocol::write_request_head(out, protocol::ProduceRequest::api_key, produce_version, 1, "bench");
  request.encode(out, produce_version);
  return flatten(protocol::make_frame(std::move(out)));
}

bool read_all(int socket, std::uint8_t* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t count = ::read(socket, bytes, size);
    if (count <= 0) return false;
    bytes += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

void write_all(int socket, const Bytes& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = ::write(socket, bytes.data() + done, bytes.size() - done);
    if (count <= 0) std::exit(1);
    done += static_cast<std::size_t>(count);
  }
}

// How many partitions of the next answer failed.
int read_answer(int socket) {
  std::uint8_t head[4];
  Bytes body;
  if (read_all(socket, head, sizeof head)) {
    body.resize(static_cast<std::size_t>(load_big<std::int32_t>(head)));
  }
  if (body.empty() || !read_all(socket, body.data(), body.size())) {
    std::fprintf(stderr, "benchmark: the server has hung up\n");
    std::exit(1);
  }
  const Slice frame(std::move(body));
  const auto answer =
      protocol::ProduceResponse::decode(frame.sub(5, frame.size() - 5), produce_version);
  int failed = 0;
  if (!answer) return 1;
  for (const auto& topic : answer->responses) {
    for (const auto& partition : topic.partition_responses)
      failed += partition.error_code != ErrorCode::none;
  }
  return failed;
}

// Sends `count` requests, `make(i)` each, when they are `due(i)`.
template <class Make, class Due>
RawOutcome exchange(int port, int count, const Make& make, const Due& due) {
  const int socket = greeted_connection(port);
  if (socket < 0) std::exit(1);
  RawOutcome outcome;
  outcome.latencies_s.reserve(static_cast<std::size_t>(count));
  const double began = now_s();
  std::thread reader([&] {
    for (int i = 0; i < count; ++i) {
      outcome.failed += read_answer(socket);
      outcome.latencies_s.push_back(now_s() - began - due(i));
    }
    outcome.took_s = now_s() - began;
  });
  for (int i = 0; i < count; ++i) {
    sleep_until(began + due(i));
    write_all(socket, make(i));
  }
  reader.join();
  ::close(socket);
  return outcome;
}

}  // namespace

std::vector<std::string> TopicSet::names() const {
  if (topics == 0) return {name};
  std::vector<std::string> names;
  for (int i = 0; i < topics; ++i) names.push_back(name + "-" + std::to_string(i));
  return names;
}

RawOutcome produce_paced(int port, const TopicSet& topics, std::size_t record_bytes,
                         double requests_per_s, double seconds) {
  const int all = topics.all_partitions();
  const Slice batch = batch_of(record_bytes);
  std::vector<Bytes> requests;
  for (int i = 0; i < all; ++i) requests.push_back(request_for({target(topics, i)}, batch));
  return exchange(
      port, static_cast<int>(requests_per_s * seconds),
      [&](int i) -> const Bytes& { return requests[static_cast<std::size_t>(i % all)]; },
      [&](int i) { return i / requests_per_s; });
}

RawOutcome produce_from_many(int port, const TopicSet& topics, std::size_t record_bytes,
                             int connections, double requests_per_s, double seconds) {
  const Bytes request = request_for({target(topics, 0)}, batch_of(record_bytes));
  const auto count = static_cast<std::size_t>(requests_per_s * seconds);
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<int> sockets;
  for (int i = 0; i < connections; ++i) {
    const int socket = greeted_connection(port);
    if (socket < 0) std::exit(1);
    epoll_event wanted{.events = EPOLLIN, .data = {.u32 = static_cast<std::uint32_t>(i)}};
    ::epoll_ctl(poll, EPOLL_CTL_ADD, socket, &wanted);
    sockets.push_back(socket);
  }
  const auto all = static_cast<std::size_t>(connections);
  const double began = now_s();
  const auto due = [&](std::size_t i) { return began + static_cast<double>(i) / requests_per_s; };
  RawOutcome outcome;
  std::vector<std::size_t> answered(all);  // of each connection
  for (std::size_t sent = 0; outcome.latencies_s.size() < count;) {
    while (sent < count && due(sent) <= now_s()) write_all(sockets[sent++ % all], request);
    epoll_event ready[64];
    const int found = ::epoll_wait(poll, ready, 64, 1);
    for (int k = 0; k < found; ++k) {
      const std::size_t from = ready[k].data.u32;
      outcome.failed += read_answer(sockets[from]);
      outcome.latencies_s.push_back(now_s() - due(from + all * answered[from]++));
    }
  }
  outcome.took_s = now_s() - began;
  for (const int socket : sockets) ::close(socket);
  ::close(poll);
  return outcome;
}

RawOutcome produce_to_each(int port, const TopicSet& topics, std::size_t record_bytes,
                           int at_once) {
  const int all = topics.all_partitions();
  const Slice batch = batch_of(record_bytes);
  std::vector<Bytes> requests;
  for (int i = 0; i < all;) {
    std::vector<Target> targets;
    for (int k = 0; k < at_once && i < all; ++k) targets.push_back(target(topics, i++));
    requests.push_back(request_for(targets, batch));
  }
  return exchange(
      port, static_cast<int>(requests.size()),
      [&](int i) -> const Bytes& { return requests[static_cast<std::size_t>(i)]; },
      [](int) { return 0.0; });
}

RawOutcome produce_in_turn(int port, const std::string& topic, std::size_t record_bytes,
                           int requests) {
  const Bytes request = request_for({{topic, 0}}, batch_of(record_bytes));
  const int socket = greeted_connection(port);
  if (socket < 0) std::exit(1);
  RawOutcome outcome;
  const double began = now_s();
  for (int i = 0; i < requests; ++i) {
    const double sent = now_s();
    write_all(socket, request);
    outcome.failed += read_answer(socket);
    outcome.latencies_s.push_back(now_s() - sent);
  }
  outcome.took_s = now_s() - began;
  ::close(socket);
  return outcome;
}

}  // namespace arus::benchmark
