// A handler: one API of the protocol, the checks it needs, and what it does.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error_code.h"
#include "env/task.h"
#include "net/authorization.h"
#include "net/codec.h"
#include "net/context.h"

namespace arus::net {

// What the checks of one request have found. Either the whole request is refused with an answer,
// or entries were taken out of it, whose refusals are put into the handler's answer afterwards.
template <class Response>
class Refusals {
 public:
  // The handler is not called; this is the answer.
  void whole(Response answer) { whole_.emplace(std::move(answer)); }
  // Runs on the handler's answer.
  void later(std::move_only_function<void(Response&)> write) { later_.push_back(std::move(write)); }

  [[nodiscard]] std::optional<Response>& whole_answer() { return whole_; }
  void write_into(Response& response) {
    for (auto& write : later_) write(response);
  }

 private:
  std::optional<Response> whole_;
  std::vector<std::move_only_function<void(Response&)>> later_;
};

// What a caller must be allowed to do, carried out before the handler. There is no default: a
// handler cannot be made without saying which. The makers below cover most of the table in
// docs/internals; where the answer depends on what the handler finds, checked_in_handler() says so
// in the handler's own file, and the handler asks context.authorization().
template <class Request>
class Checks {
 public:
  using Response = ResponseOf<Request>;
  // `context` is that of the request; entries that are refused are taken out of the request.
  using Run = std::move_only_function<void(Request&, const Context&, Refusals<Response>&) const>;
  explicit Checks(Run run) : run_(std::move(run)) {}
  void run(Request& request, const Context& context, Refusals<Response>& refusals) const {
    run_(request, context, refusals);
  }

 private:
  Run run_;
};

// Anybody may.
template <class Request>
Checks<Request> open_to_everyone() {
  return Checks<Request>([](Request&, const Context&, Refusals<ResponseOf<Request>>&) {});
}

// The handler asks by itself; `why` is for the reader.
template <class Request>
Checks<Request> checked_in_handler(const char* why) {
  static_cast<void>(why);
  return open_to_everyone<Request>();
}

// `operation` on the cluster, or the whole request is answered with what `refuse` makes of
// CLUSTER_AUTHORIZATION_FAILED.
template <class Request>
Checks<Request> needs_cluster(security::AclOperation operation,
                              ResponseOf<Request> (*refuse)(const Request&, ErrorCode)) {
  return Checks<Request>([operation, refuse](Request& request, const Context& context,
                                             Refusals<ResponseOf<Request>>& refusals) {
    if (context.authorization().allows_cluster(operation)) return;
    refusals.whole(refuse(request, ErrorCode::cluster_authorization_failed));
  });
}

// `operation` on the resource that each entry of a list in the request names. Refused entries are
// taken out before the handler runs, and `refuse` writes each into the answer with the code that
// belongs to the type of resource.
template <class Request, class Entry>
Checks<Request> needs_each(security::AclOperation operation, security::ResourceType type,
                           std::vector<Entry> Request::* entries, std::string Entry::* name,
                           void (*refuse)(ResponseOf<Request>&, Entry&&, ErrorCode)) {
  using Response = ResponseOf<Request>;
  return Checks<Request>(
      [=](Request& request, const Context& context, Refusals<Response>& refusals) {
        std::vector<Entry> allowed;
        if (!context.authorization().enabled()) return;
        for (auto& entry : request.*entries) {
          if (context.authorization().allows(operation, type, entry.*name)) {
            allowed.push_back(std::move(entry));
            continue;
          }
          refusals.later([refused = std::move(entry), refuse, type](Response& response) mutable {
            refuse(response, std::move(refused), refusal_code(type));
          });
        }
        request.*entries = std::move(allowed);
      });
}

// One API as the pipeline sees it. Immutable; used by all loops.
class Handler {
 public:
  Handler(std::int16_t key, protocol::VersionRange advertised, protocol::VersionRange decoded)
      : key_(key), advertised_(advertised), decoded_(decoded) {}
  virtual ~Handler() = default;
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;

  [[nodiscard]] std::int16_t key() const { return key_; }
  // What ApiVersions lists. Produce lists versions that it cannot decode, for old clients' sake.
  [[nodiscard]] protocol::VersionRange advertised() const { return advertised_; }
  [[nodiscard]] bool takes(std::int16_t version) const {
    return advertised_.contains(version) && decoded_.contains(version);
  }
  virtual env::Task<Answer> serve(Call call) const = 0;

 private:
  std::int16_t key_;
  protocol::VersionRange advertised_;
  protocol::VersionRange decoded_;
};

namespace detail {

template <class Request, class HandlerContext>
class TypedHandler final : public Handler {
 public:
  using Response = ResponseOf<Request>;
  using Handle = env::Task<Response> (*)(Request, HandlerContext&);

  TypedHandler(Handle handle, Checks<Request> checks)
      : Handler(Request::api_key, protocol::api_info(Request::api_key)->advertised,
                {Request::min_version, Request::max_version}),
        handle_(handle),
        checks_(std::move(checks)) {}

  env::Task<Answer> serve(Call call) const override {
    auto request = decode_body<Request>(call);
    if (!request) co_return close_because(call, request.error());
    HandlerContext context(std::move(call));
    Refusals<Response> refusals;
    checks_.run(*request, context, refusals);
    if (refusals.whole_answer()) {
      co_return encode_answer(context.call(), *refusals.whole_answer());
    }
    Response response = co_await handle_(std::move(*request), context);
    if (context.closes()) co_return Answer{.bytes = {}, .close = true};
    refusals.write_into(response);
    if (!context.answers()) co_return Answer{};
    co_return encode_answer(context.call(), response);
  }

 private:
  Handle handle_;
  Checks<Request> checks_;
};

}  // namespace detail

// A handler of all versions that Kafka advertises.
template <class Request, class HandlerContext>
std::unique_ptr<Handler> make_handler(
    env::Task<typename Request::Response> (*handle)(Request, HandlerContext&),
    Checks<Request> checks) {
  return std::make_unique<detail::TypedHandler<Request, HandlerContext>>(handle, std::move(checks));
}

}  // namespace arus::net
