// Being a member of a group: what the two protocols have in common.
#pragma once

#include <optional>

#include "base/result.h"
#include "client/coordinator.h"
#include "client/group_consumer.h"
#include "client/group_partitions.h"
#include "client/group_subscription.h"

namespace arus::client {

// What a membership works with; it all belongs to the same GroupConsumer.
struct GroupContext {
  Cluster& cluster;
  const GroupConsumerOptions& options;
  Coordinator& coordinator;
  GroupSubscription& subscription;
  GroupPartitions& partitions;
};

// A member's side of a group protocol. Heartbeats and joins run by themselves; what touches the
// application's partitions waits for advance(), which poll() calls.
// Owner: a GroupConsumer. leave() is awaited before it is destroyed.
class Membership {
 public:
  explicit Membership(GroupContext context) : context_(context) {}
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  virtual ~Membership() = default;

  // The application is inside poll(), or has left it: then the time up to max_poll_interval runs.
  void enter_poll() { polling_ = true; }
  void leave_poll() {
    polling_ = false;
    last_poll_ = context_.cluster.now();
  }
  // Does what is due; an error is the application's to hear.
  virtual env::Task<Result<>> advance() = 0;
  [[nodiscard]] virtual GroupMetadata metadata() const = 0;
  // What a commit or a fetch of offsets was told about this member.
  virtual void note(ErrorCode code) = 0;
  // Ends everything that runs, gives up the partitions, and leaves until the deadline.
  virtual env::Task<void> leave(env::TimePoint deadline) = 0;

 protected:
  [[nodiscard]] env::TimePoint now() const { return context_.cluster.now(); }
  [[nodiscard]] env::TimePoint poll_limit() const {
    return polling_ ? env::never : last_poll_ + context_.options.max_poll_interval;
  }
  // Commits what was read before partitions go, as Kafka's consumer does; failures are the
  // group's to bear: the records come again.
  env::Task<void> commit_consumed(env::TimePoint deadline = env::never) {
    if (!context_.options.auto_commit) co_return;
    auto offsets = context_.partitions.consumed();
    if (offsets.empty()) co_return;
    const env::Duration patience = std::min<env::Duration>(
        context_.options.auto_commit_interval, context_.cluster.options().request_timeout);
    auto committed =
        co_await commit_offsets(context_.cluster, context_.coordinator, metadata(),
                                std::move(offsets), std::min(deadline, now() + patience));
    static_cast<void>(committed);
  }

  GroupContext context_;

 private:
  bool polling_ = false;
  env::TimePoint last_poll_{};
};

}  // namespace arus::client
