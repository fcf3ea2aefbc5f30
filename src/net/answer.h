// What a connection does about a request once it has been handled.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "env/socket.h"
#include "env/task.h"
#include "net/close_watch.h"
#include "security/authorizer.h"

namespace arus::net {

// The other end of a connection, as handlers and the authorizer know it. Immutable but for the
// list of watchers. Owner: the connection's loop.
struct Peer {
  std::uint64_t connection = 0;  // unique in the process
  std::string listener;          // the name of the listener it came in on
  env::Address local;            // the address that the client dialled, as seen here
  env::Address remote;
  security::Caller caller;  // everyone is User:ANONYMOUS until connections authenticate
  CloseWatchList watchers;
};

// Bytes to send with their length in front, or nothing (acks=0), and whether the connection ends
// behind them.
struct Answer {
  Chain bytes;
  bool close = false;
};

// Handles frames; made by the pipeline, called by connections.
class FrameService {
 public:
  virtual ~FrameService() = default;
  // `frame` is a request without its length; nobody else holds it. Runs on the connection's loop
  // and returns there.
  virtual env::Task<Answer> serve(Slice frame, std::shared_ptr<Peer> peer) = 0;
};

}  // namespace arus::net
