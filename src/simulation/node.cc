#include "simulation/node.h"

#include <fmt/core.h>

#include <cstdlib>

#include "env/simulated/network.h"

namespace arus::simulation {
namespace {

using Started = Result<std::unique_ptr<broker::Broker>>;

constexpr env::Duration start_limit = env::seconds(120);
constexpr env::Duration stop_limit = env::seconds(300);

env::Task<Result<>> stop_and_destroy(std::unique_ptr<broker::Broker> broker) {
  auto stopped = co_await broker->stop();
  broker.reset();
  co_return stopped;
}

}  // namespace

Node::Node(env::Simulation& simulation, const Plan& plan, Story& story)
    : simulation_(simulation), plan_(plan), story_(story), disk_(simulation.make_disk()) {
  for (std::size_t i = 0; i < plan.directories; ++i) {
    directories_.push_back("/data-" + std::to_string(i));
  }
}

Node::~Node() = default;

std::shared_ptr<const config::BrokerConfig> Node::make_config() const {
  std::string paths;
  for (const auto& directory : directories_) paths += (paths.empty() ? "" : ",") + directory;
  config::ConfigMap properties =
      config::standalone_properties(paths, fmt::format("{}:{}", node_host, node_port));
  const std::string upkeep = std::to_string(upkeep_interval_ms);
  // What takes minutes elsewhere takes seconds here.
  for (const auto& [key, value] :
       config::ConfigMap{{"auto.create.topics.enable", "false"},
                         {"log.initial.task.delay.ms", "200"},
                         {"log.retention.check.interval.ms", upkeep},
                         {"log.cleaner.backoff.ms", "300"},
                         {"log.segment.delete.delay.ms", "1000"},
                         {"offsets.topic.num.partitions", "2"},
                         {"offsets.retention.check.interval.ms", upkeep},
                         {"transaction.state.log.num.partitions", "2"},
                         {"transaction.abort.timed.out.transaction.cleanup.interval.ms", "1000"},
                         {"transaction.remove.expired.transaction.cleanup.interval.ms", upkeep},
                         {"producer.id.expiration.check.interval.ms", upkeep},
                         {"log.cleaner.dedupe.buffer.size", "1000000"}}) {
    properties[key] = value;
  }
  for (const auto& [key, value] : plan_.properties) properties[key] = value;
  auto config = config::BrokerConfig::make(std::move(properties));
  ARUS_ASSERT(config);
  return std::make_shared<const config::BrokerConfig>(std::move(*config));
}

Result<> Node::start() {
  environment_ =
      simulation_.make_environment({.host = node_host,
                                    .name = {},
                                    .loops = plan_.loops,
                                    .disk = disk_,
                                    .wall_ms = env::NodeOptions{}.wall_ms + clock_ahead_ms_});
  broker::BrokerOptions options{.config = make_config(), .descriptors = plan_.descriptors};
  options.directory.commit_log = plan_.commit_log;
  options.directory.checkpoint_interval_ms = plan_.checkpoint_interval_ms;
  std::optional<Started> started = run_within(
      *environment_, broker::Broker::start(*environment_, std::move(options)), start_limit);
  if (!started) {
    story_.fail("node", "the start does not end");
    return fail(ErrorCode::request_timed_out, "the start does not end");
  }
  if (!*started) {
    leave_environment();
    return fail(started->error());
  }
  broker_ = std::move(**started);
  return {};
}

Result<> Node::take_down() {
  const auto stopped = run_within(*environment_, stop_and_destroy(std::move(broker_)), stop_limit);
  if (!stopped) {
    story_.fail("node", "the stop does not end");
    static_cast<void>(environment_.release());  // what hangs stays as it is
    return fail(ErrorCode::request_timed_out, "the stop does not end");
  }
  leave_environment();
  return *stopped;
}

void Node::leave_environment() {
  simulation_.run_for(afterlife_);
  environment_ = nullptr;
}

Result<> Node::stop() { return take_down(); }

void Node::end(const std::optional<env::CrashPolicy>& power) {
  disk_->cut_power();
  for (const char* const host : {clients_host, inspector_host}) set_reachable(host, false);
  if (broker_ != nullptr) static_cast<void>(take_down());
  disk_->set_fault_hook(nullptr);
  if (power) {
    disk_->crash(*power);
  } else {
    disk_->kill_process();
  }
}

void Node::jump_clock(std::int64_t by_ms) {
  clock_ahead_ms_ += by_ms;
  if (environment_ != nullptr) environment_->jump_wall_clock(by_ms);
}

void Node::set_reachable(const char* host, bool reachable) {
  env::SimulatedNetwork& network = simulation_.network();
  if (reachable) {
    network.heal(node_host, host);
  } else {
    network.cut(node_host, host);
    network.reset(node_host, host);
  }
}

double Node::metric(std::string_view name) const {
  if (broker_ == nullptr) return 0;
  const std::string text = broker_->metrics().prometheus_text();
  const std::string line = fmt::format("\n{} ", name);
  const std::size_t at = text.find(line);
  ARUS_ASSERT(at != std::string::npos);
  return std::strtod(text.c_str() + at + line.size(), nullptr);
}

bool Node::is_clean() {
  for (const auto& directory : directories_) {
    if (!disk_->exists(directory + "/.kafka_cleanshutdown")) return false;
    const auto entries = disk_->list(directory).value();
    for (const auto& entry : entries) {
      if (entry.name.starts_with("arus-commit-log")) return false;
    }
  }
  return true;
}

}  // namespace arus::simulation
