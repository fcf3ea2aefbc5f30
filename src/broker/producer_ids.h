// Producer ids, handed out from blocks of the controller.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "base/result.h"
#include "controller/controller_api.h"
#include "env/event.h"

namespace arus::broker {

// Asks the controller for a block when the ones before are used up. Each id is given once, also
// across restarts: what is left of a block when the process ends is lost. Owner: its loop.
class ProducerIds {
 public:
  // take() has another block fetched when no more than these are left.
  static constexpr std::int64_t few_left = 100;

  // Who asks the controller.
  struct Asker {
    controller::ControllerApi& controller;
    BrokerId broker = no_broker;
    std::int64_t broker_epoch = -1;
  };

  env::Task<Result<ProducerId>> next(controller::ControllerApi& controller, BrokerId broker,
                                     std::int64_t broker_epoch);

  // For whoever cannot wait: an id that is at hand, or nothing while a block is being fetched.
  std::optional<ProducerId> take(const Asker& asker);
  // Has a block fetched where few are left.
  void prepare(const Asker& asker);
  // Completes when nothing is under way; take() fetches no more.
  env::Task<void> stop();

 private:
  [[nodiscard]] std::int64_t left() const;
  [[nodiscard]] ProducerId pop();
  env::Task<Result<>> fetch(Asker asker);
  env::Task<void> fetch_in_background(Asker asker);

  std::deque<controller::ProducerIdBlock> blocks_;  // none of them empty
  bool asking_ = false;
  env::Event answered_;
  env::Gate gate_;
};

}  // namespace arus::broker
