// What a handler knows of the request it handles, besides the body.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "env/time.h"
#include "net/answer.h"
#include "net/authorization.h"

namespace arus::net {

class HandlerTable;

// One request on its way through the pipeline: the frame and what its header says.
struct Call {
  Slice frame;              // without the length
  std::size_t body_at = 0;  // where the body begins in it
  std::int16_t api_key = -1;
  std::int16_t version = -1;
  std::int32_t correlation_id = 0;
  std::optional<std::string> client_id;
  std::shared_ptr<Peer> peer;
  const AccessRules* rules = nullptr;
  const HandlerTable* handlers = nullptr;  // of the listener
  env::TimePoint received{};
};

// Owner: the task that handles the request, on its connection's loop. Lives until the answer is
// made.
class Context {
 public:
  explicit Context(Call call)
      : call_(std::move(call)), authorization_(*call_.rules, call_.peer->caller, call_.api_key) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  [[nodiscard]] const Call& call() const { return call_; }
  [[nodiscard]] std::int16_t version() const { return call_.version; }
  [[nodiscard]] const std::optional<std::string>& client_id() const { return call_.client_id; }
  [[nodiscard]] const std::shared_ptr<Peer>& peer() const { return call_.peer; }
  [[nodiscard]] const security::Principal& principal() const {
    return call_.peer->caller.principal();
  }
  [[nodiscard]] const std::string& host() const { return call_.peer->caller.host(); }
  [[nodiscard]] env::TimePoint received() const { return call_.received; }
  [[nodiscard]] const Authorization& authorization() const { return authorization_; }

  // The client expects no answer (Produce with acks=0); what the handler returns is dropped.
  void answer_nothing() { answers_ = false; }
  // The connection ends instead of an answer.
  void close_connection() { closes_ = true; }
  [[nodiscard]] bool answers() const { return answers_; }
  [[nodiscard]] bool closes() const { return closes_; }

 private:
  Call call_;
  Authorization authorization_;
  bool answers_ = true;
  bool closes_ = false;
};

}  // namespace arus::net
