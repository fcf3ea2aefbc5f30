// Finding the coordinator of a group or of a transactional id, and asking it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/cluster.h"

namespace arus::client {

enum class CoordinatorType : std::int8_t { group = 0, transaction = 1 };

// The coordinator is another one, or nobody knows it: it has to be looked up again.
[[nodiscard]] constexpr bool is_coordinator_gone(ErrorCode code) {
  return code == ErrorCode::not_coordinator || code == ErrorCode::coordinator_not_available ||
         code == ErrorCode::network_exception || code == ErrorCode::request_timed_out ||
         code == ErrorCode::broker_not_available;
}
// Asking again later, perhaps another broker, may help.
[[nodiscard]] constexpr bool may_ask_again(ErrorCode code) {
  return is_retriable(code) || is_coordinator_gone(code);
}

// One question about each key, without another try; every key is in the answer. The brokers that
// it names are known to the cluster afterwards.
env::Task<std::map<std::string, Result<BrokerId>>> find_coordinators(Cluster& cluster,
                                                                     CoordinatorType type,
                                                                     std::vector<std::string> keys,
                                                                     env::TimePoint deadline);

// The coordinator of one key, remembered until it says that it is no more.
// Owner: the cluster's loop.
class Coordinator {
 public:
  Coordinator(Cluster& cluster, CoordinatorType type, std::string key)
      : cluster_(cluster), type_(type), key_(std::move(key)) {}

  // Finds it, again while nobody knows it, until the deadline.
  env::Task<Result<BrokerId>> find(env::TimePoint deadline);
  [[nodiscard]] bool known() const { return broker_ != no_broker; }
  [[nodiscard]] BrokerId broker() const { return broker_; }
  void forget() { broker_ = no_broker; }
  // What waits for it gives up, and nobody looks for it any more.
  void abandon() { abandoned_ = true; }
  [[nodiscard]] bool abandoned() const { return abandoned_ || cluster_.closed(); }
  // Forgets it where the code says that it has moved.
  void note(ErrorCode code) {
    if (is_coordinator_gone(code)) forget();
  }

  // One try: finds the coordinator if need be and asks it. Waits for the answer up to `patience`,
  // which the deadline cuts. An error that says so makes it forget the coordinator; codes inside
  // the answer are the caller's to note.
  template <class Request>
  env::Task<Result<typename Request::Response>> ask_once(Request request, env::Duration patience,
                                                         env::TimePoint deadline,
                                                         std::int16_t highest = INT16_MAX);
  // Asks again while `code_of(answer)` or the connection says that it may help. The answer may
  // carry an error code when the deadline has passed.
  template <class Request, class CodeOf>
  env::Task<Result<typename Request::Response>> ask(Request request, env::TimePoint deadline,
                                                    CodeOf code_of,
                                                    std::int16_t highest = INT16_MAX);

 private:
  Cluster& cluster_;
  CoordinatorType type_;
  std::string key_;
  BrokerId broker_ = no_broker;
  bool abandoned_ = false;
};

template <class Request>
env::Task<Result<typename Request::Response>> Coordinator::ask_once(Request request,
                                                                    env::Duration patience,
                                                                    env::TimePoint deadline,
                                                                    std::int16_t highest) {
  auto broker = co_await find(deadline);
  if (!broker) co_return fail(std::move(broker).error());
  auto answer = co_await cluster_.ask_once(std::move(request), Route::coordinator(*broker),
                                           patience, deadline, highest);
  if (!answer) note(answer.error().code);
  co_return answer;
}

template <class Request, class CodeOf>
env::Task<Result<typename Request::Response>> Coordinator::ask(Request request,
                                                               env::TimePoint deadline,
                                                               CodeOf code_of,
                                                               std::int16_t highest) {
  for (int attempt = 0;; ++attempt) {
    auto answer = co_await ask_once(request, cluster_.options().request_timeout, deadline, highest);
    const ErrorCode code = answer ? code_of(*answer) : answer.error().code;
    note(code);
    if (!may_ask_again(code) || cluster_.now() >= deadline || abandoned()) co_return answer;
    co_await cluster_.back_off(attempt, deadline);
  }
}

}  // namespace arus::client
