// How much memory the network may hold, in named shares.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/assert.h"
#include "env/event.h"

namespace arus::net {

enum class Share : std::uint8_t {
  requests,  // bytes of requests, from their arrival until they are answered
  answers,   // bytes of answers that wait to be sent
};
inline constexpr std::size_t share_count = 2;

// One loop's part of the process's memory budget. The budget of the process is split evenly among
// its loops, so that charging needs no synchronisation.
//
// Holds: used(share) is the sum of all charges not yet released. A share may be exceeded by what
// was under way when it filled up: whoever asks room() first and charges after stays within one
// read of it. Sizes in bytes. Owner: its loop.
class MemoryBudget {
 public:
  MemoryBudget(std::size_t request_bytes, std::size_t answer_bytes)
      : limits_{request_bytes, answer_bytes} {}

  [[nodiscard]] bool room(Share share) const { return used(share) < limit(share); }
  [[nodiscard]] std::size_t used(Share share) const { return used_[index(share)]; }
  [[nodiscard]] std::size_t limit(Share share) const { return limits_[index(share)]; }
  void charge(Share share, std::size_t bytes) { used_[index(share)] += bytes; }
  void release(Share share, std::size_t bytes) {
    ARUS_ASSERT(used_[index(share)] >= bytes);
    const bool had_room = room(share);
    used_[index(share)] -= bytes;
    if (!had_room && room(share)) freed_.notify_all();
  }
  // Notified when a share that was used up has room again.
  [[nodiscard]] env::Event& freed() { return freed_; }

 private:
  static std::size_t index(Share share) { return static_cast<std::size_t>(share); }
  std::array<std::size_t, share_count> limits_;
  std::array<std::size_t, share_count> used_{};
  env::Event freed_;
};

// A charge that is released when this is destroyed. Owner: the budget's loop.
class Charge {
 public:
  Charge() = default;
  Charge(MemoryBudget& budget, Share share, std::size_t bytes)
      : budget_(&budget), share_(share), bytes_(bytes) {
    budget.charge(share, bytes);
  }
  Charge(Charge&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)),
        share_(other.share_),
        bytes_(std::exchange(other.bytes_, 0)) {}
  Charge& operator=(Charge&& other) noexcept {
    if (this != &other) {
      reset();
      budget_ = std::exchange(other.budget_, nullptr);
      share_ = other.share_;
      bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
  }
  ~Charge() { reset(); }
  void reset() {
    if (budget_ != nullptr) budget_->release(share_, bytes_);
    budget_ = nullptr;
    bytes_ = 0;
  }
  // Takes `bytes` of this charge out into one of its own.
  [[nodiscard]] Charge split(std::size_t bytes) {
    ARUS_ASSERT(bytes <= bytes_);
    Charge part;
    part.budget_ = budget_;
    part.share_ = share_;
    part.bytes_ = bytes;
    bytes_ -= bytes;
    return part;
  }
  void add(std::size_t bytes) {
    ARUS_ASSERT(budget_ != nullptr);
    budget_->charge(share_, bytes);
    bytes_ += bytes;
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  MemoryBudget* budget_ = nullptr;
  Share share_ = Share::requests;
  std::size_t bytes_ = 0;
};

}  // namespace arus::net
