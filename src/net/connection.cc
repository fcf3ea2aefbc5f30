#include "net/connection.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/log.h"
#include "net/connection_set.h"

namespace arus::net {
namespace {

const LogComponent connection_log{"net.connection"};
constexpr env::Duration budget_patience = env::milliseconds(200);

}  // namespace

Connection::Connection(ConnectionSet& set, std::unique_ptr<env::Socket> socket,
                       std::shared_ptr<Peer> peer, FrameService& service)
    : set_(set),
      loop_(set.loop()),
      socket_(std::move(socket)),
      peer_(std::move(peer)),
      service_(service),
      frames_(set.limits().request_max_bytes),
      arriving_(set.budget(), Share::requests, 0) {}

env::Task<void> Connection::run() {
  last_activity_ = last_read_ = loop_.now();
  watch_time();
  while (!reading_ended_) {
    if (!may_read()) {
      co_await wait_for_room();
      continue;
    }
    if (const auto readable = co_await socket_->wait_readable(); !readable) break;
    if (reading_ended_ || !read_available()) break;
    begin_writing();
    // Others of this loop go on before the rest of what a fast sender has ready.
    co_await env::yield();
  }
  end_reading();
  // What is under way is answered; then the socket is closed by whoever sent the last answer.
  while (!closed_ && (writing_ || !slots_.empty())) co_await room_.wait();
  close();
  co_await gate_.close();
}

bool Connection::may_start() const {
  return slots_.size() < max_requests_in_flight && unsent_bytes_ < max_unsent_answer_bytes;
}

bool Connection::may_read() const {
  return read_frames_.empty() && may_start() && (overdraft_ || set_.budget().room(Share::requests));
}

env::Task<void> Connection::wait_for_room() {
  if (!read_frames_.empty() || !may_start()) {
    if (!may_start()) co_await room_.wait();
    if (!closed_) start_read_frames();
    begin_writing();
    co_return;
  }
  waits_for_budget_ = true;
  const bool freed = co_await set_.budget().freed().wait_until(loop_.now() + budget_patience);
  if (!freed && !closed_) set_.relieve_budget();
  waits_for_budget_ = false;
}

bool Connection::read_available() {
  std::vector<Slice>& frames = set_.frame_list();
  std::size_t taken = 0;
  while (taken < read_turn_bytes && may_read()) {
    MutableByteView target = frames_.direct_target();
    const bool direct = !target.empty();
    if (!direct) target = set_.scratch().first(frames_.read_ahead_bytes());
    const auto count = socket_->try_read(target);
    if (!count) return count.error().os_error == EAGAIN;
    if (*count == 0) return false;
    taken += *count;
    arriving_.add(*count);
    set_.metrics().bytes_received.add(*count);
    last_read_ = last_activity_ = loop_.now();
    frames.clear();
    Result<> good;
    if (direct) {
      frames_.filled(*count, frames);
    } else {
      good = frames_.feed(target.first(*count), frames);
    }
    // The list is shared by the loop, and starting a request may lead anywhere.
    for (auto& frame : frames) read_frames_.push_back(std::move(frame));
    frames.clear();
    start_read_frames();
    if (!good) {
      connection_log.info("closing connection from {}: {}", peer_->remote.host,
                          good.error().message);
      set_.metrics().connections_closed_garbage.add();
      return false;
    }
    if (closed_ || reading_ended_) return false;
    if (*count < target.size()) return true;
  }
  return true;
}

void Connection::start_read_frames() {
  while (!read_frames_.empty() && may_start() && !reading_ended_) {
    Slice frame = std::move(read_frames_.front());
    read_frames_.pop_front();
    start(std::move(frame));
  }
}

void Connection::start(Slice frame) {
  overdraft_ = false;
  const std::size_t charged = std::min(frame.size() + 4, arriving_.bytes());
  slots_.emplace_back();
  slots_.back().request = arriving_.split(charged);
  const std::uint64_t number = first_number_ + slots_.size() - 1;
  env::spawn(gate_, serve(std::move(frame), number));
}

env::Task<void> Connection::serve(Slice frame, std::uint64_t number) {
  Answer answer = co_await service_.serve(std::move(frame), peer_);
  finish(number, std::move(answer));
}

void Connection::finish(std::uint64_t number, Answer answer) {
  if (closed_) return;
  Slot& slot = slots_[static_cast<std::size_t>(number - first_number_)];
  slot.ready = true;
  slot.close = answer.close;
  slot.bytes = std::move(answer.bytes);
  slot.request.reset();
  const std::size_t bytes = size_of(slot.bytes);
  if (bytes > 0) {
    slot.answer = Charge(set_.budget(), Share::answers, bytes);
    unsent_bytes_ += bytes;
  }
  if (slot.close) end_reading();
  if (slots_.front().ready) schedule_writing();
}

// Answers that become ready in the same turn of the loop leave in one write.
void Connection::schedule_writing() {
  if (writing_ || writing_scheduled_) return;
  writing_scheduled_ = true;
  gate_.enter();
  loop_.post([this] {
    writing_scheduled_ = false;
    begin_writing();
    gate_.leave();
  });
}

void Connection::begin_writing() {
  if (writing_ || closed_ || slots_.empty() || !slots_.front().ready) return;
  writing_ = true;
  env::spawn(gate_, write_answers());
}

env::Task<void> Connection::write_answers() {
  std::vector<Slot> batch;
  while (!closed_ && !slots_.empty() && slots_.front().ready) {
    std::size_t bytes = 0;
    bool last = false;
    while (!slots_.empty() && slots_.front().ready && bytes < write_part_bytes && !last) {
      bytes += size_of(slots_.front().bytes);
      last = slots_.front().close;
      batch.push_back(std::move(slots_.front()));
      slots_.pop_front();
      ++first_number_;
    }
    const bool sent = co_await write_batch(batch);
    batch.clear();
    unsent_bytes_ -= std::min(bytes, unsent_bytes_);
    if (!sent || last) {
      close();
      break;
    }
    last_activity_ = loop_.now();
    room_.notify_all();
  }
  writing_ = false;
  if (!closed_ && reading_ended_ && slots_.empty()) close();
}

bool Connection::begin_part() {
  if (closed_) return false;
  write_deadline_ = loop_.now() + env::milliseconds(set_.limits().send_timeout_ms);
  watch_time();
  return true;
}

env::Task<bool> Connection::write_part(std::vector<ByteView>& part, bool is_head) {
  if (part.empty()) co_return true;
  if (!begin_part()) co_return false;
  if (!co_await (is_head ? socket_->write_head(part) : socket_->write(part))) co_return false;
  std::size_t sent = 0;
  for (const ByteView piece : part) sent += piece.size();
  set_.metrics().bytes_sent.add(sent);
  part.clear();
  co_return true;
}

env::Task<bool> Connection::write_file(const env::FileRange& range) {
  for (std::size_t done = 0; done < range.length;) {
    const std::size_t count = std::min(range.length - done, write_file_part_bytes);
    const auto offset = range.offset + static_cast<std::int64_t>(done);
    if (!begin_part() ||
        !co_await socket_->write_file(*range.file, offset, static_cast<std::int64_t>(count))) {
      co_return false;
    }
    set_.metrics().bytes_sent.add(count);
    done += count;
  }
  co_return true;
}

env::Task<bool> Connection::write_batch(const std::vector<Slot>& batch) {
  std::vector<ByteView> part;
  std::size_t part_bytes = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    for (std::size_t j = 0; j < batch[i].bytes.size(); ++j) {
      if (const env::FileRange* const range = env::file_range_of(batch[i].bytes[j])) {
        if (!co_await write_part(part, true) || !co_await write_file(*range)) co_return false;
        part_bytes = 0;
        continue;
      }
      ByteView rest = batch[i].bytes[j].view();
      while (!rest.empty()) {
        const std::size_t count = std::min(rest.size(), write_part_bytes - part_bytes);
        part.push_back(rest.first(count));
        part_bytes += count;
        rest = rest.subspan(count);
        if (part_bytes < write_part_bytes && part.size() < write_part_pieces) continue;
        if (!co_await write_part(part)) co_return false;
        part_bytes = 0;
      }
    }
  }
  if (!co_await write_part(part)) co_return false;
  write_deadline_ = env::never;
  co_return true;
}

void Connection::watch_time() {
  if (closed_) return;
  const env::TimePoint idle =
      last_activity_ + env::milliseconds(set_.limits().connections_max_idle_ms);
  loop_.arm(*this, std::min(idle, write_deadline_));
}

void Connection::fire() {
  const env::TimePoint now = loop_.now();
  if (now >= write_deadline_) {
    connection_log.info("closing connection from {}: it takes no answers", peer_->remote.host);
    set_.metrics().connections_closed_slow.add();
    close();
    return;
  }
  const env::TimePoint idle =
      last_activity_ + env::milliseconds(set_.limits().connections_max_idle_ms);
  if (now >= idle) {
    if (slots_.empty()) {
      set_.metrics().connections_closed_idle.add();
      close();
      return;
    }
    last_activity_ = now;  // a request under way is activity
  }
  watch_time();
}

void Connection::drain() {
  end_reading();
  if (slots_.empty() && !writing_) close();
}

// Wakes what waits on behalf of this connection, so that it can be answered and end.
void Connection::end_reading() {
  if (reading_ended_) return;
  reading_ended_ = true;
  peer_->watchers.close();
  room_.notify_all();
}

void Connection::close() {
  if (closed_) return;
  closed_ = true;
  end_reading();
  loop_.disarm(*this);
  socket_->close();
  if (!writing_) {
    first_number_ += slots_.size();
    slots_.clear();
  }
  arriving_.reset();
  read_frames_.clear();
  room_.notify_all();
}

}  // namespace arus::net
