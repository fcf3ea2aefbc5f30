// Producer ids for idempotent producers, handed out from blocks of the controller.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "controller/controller_api.h"
#include "env/event.h"

namespace arus::broker {

// Asks the controller for a block when the one before is used up. Each id is given once, also
// across restarts: what is left of a block when the process ends is lost. Owner: its loop.
class ProducerIds {
 public:
  env::Task<Result<ProducerId>> next(controller::ControllerApi& controller, BrokerId broker,
                                     std::int64_t broker_epoch);

 private:
  std::int64_t next_ = 0;
  std::int64_t end_ = 0;
  bool asking_ = false;
  env::Event answered_;
};

}  // namespace arus::broker
