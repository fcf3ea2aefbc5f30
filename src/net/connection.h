// One client's connection: frames in, answers out, in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "env/event.h"
#include "env/file_range.h"
#include "env/loop.h"
#include "env/socket.h"
#include "net/answer.h"
#include "net/frame_reader.h"
#include "net/limits.h"
#include "net/memory_budget.h"

namespace arus::net {

class ConnectionSet;

// Reads requests, starts the service on each in order, lets them overlap while they wait, and sends
// the answers in the order of the requests, several in one write.
//
// Holds: at most max_requests_in_flight are under way; nothing is read while the answers owed
// exceed max_unsent_answer_bytes or the loop's request budget is used up; every byte that arrives
// is charged to that budget until its request is answered. A connection that takes no byte for the
// send timeout, or that is silent for the idle time, is closed. Owner: its loop.
class Connection final : private env::Timer {
 public:
  Connection(ConnectionSet& set, std::unique_ptr<env::Socket> socket, std::shared_ptr<Peer> peer,
             FrameService& service);

  // From the first byte until the socket is closed and nothing of this connection runs any more.
  env::Task<void> run();
  // Nothing more is read; what is under way is answered, then the connection ends.
  void drain();
  // At once.
  void close();

  [[nodiscard]] const Peer& peer() const { return *peer_; }
  [[nodiscard]] std::size_t partial_bytes() const { return frames_.partial_bytes(); }
  [[nodiscard]] std::size_t missing_bytes() const { return frames_.missing_bytes(); }
  [[nodiscard]] bool waits_for_budget() const { return waits_for_budget_; }
  [[nodiscard]] bool in_frame() const { return frames_.in_frame(); }
  [[nodiscard]] env::TimePoint last_read() const { return last_read_; }
  // One connection at a time may exceed the budget, so that somebody always gets on.
  void allow_overdraft() { overdraft_ = true; }
  [[nodiscard]] bool has_overdraft() const { return overdraft_; }

 private:
  struct Slot {
    Chain bytes;
    bool ready = false;
    bool close = false;
    Charge request;
    Charge answer;
  };

  void fire() override;
  [[nodiscard]] bool may_read() const;
  env::Task<void> wait_for_room();
  // Reads what is there; false when the connection has to end.
  bool read_available();
  [[nodiscard]] bool may_start() const;
  // Starts what was read, as far as the limits go.
  void start_read_frames();
  void start(Slice frame);
  env::Task<void> serve(Slice frame, std::uint64_t number);
  void finish(std::uint64_t number, Answer answer);
  void schedule_writing();
  void begin_writing();
  env::Task<void> write_answers();
  env::Task<bool> write_batch(const std::vector<Slot>& batch);
  // Sends what is collected, and empties it. False when the connection has to end.
  env::Task<bool> write_part(std::vector<ByteView>& part, bool is_head = false);
  env::Task<bool> write_file(const env::FileRange& range);
  // The deadline holds for each part anew. False when the connection is closed.
  bool begin_part();
  void end_reading();
  void watch_time();

  ConnectionSet& set_;
  env::Loop& loop_;
  std::unique_ptr<env::Socket> socket_;
  std::shared_ptr<Peer> peer_;
  FrameService& service_;
  FrameReader frames_;
  Charge arriving_;                // for the frame under way
  std::deque<Slice> read_frames_;  // read together with others, not started yet
  std::deque<Slot> slots_;
  std::uint64_t first_number_ = 0;  // of slots_.front()
  std::size_t unsent_bytes_ = 0;
  env::Event room_;
  env::Gate gate_;
  env::TimePoint last_read_{};
  env::TimePoint last_activity_{};
  env::TimePoint write_deadline_ = env::never;
  bool reading_ended_ = false;
  bool closed_ = false;
  bool writing_ = false;
  bool writing_scheduled_ = false;
  bool waits_for_budget_ = false;
  bool overdraft_ = false;
};

}  // namespace arus::net
