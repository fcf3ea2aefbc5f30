#include "broker/producer_ids.h"

namespace arus::broker {

env::Task<Result<ProducerId>> ProducerIds::next(controller::ControllerApi& controller,
                                                BrokerId broker, std::int64_t broker_epoch) {
  while (next_ == end_) {
    if (asking_) {
      co_await answered_.wait();
      continue;
    }
    asking_ = true;
    const auto block = co_await controller.allocate_producer_ids(broker, broker_epoch);
    asking_ = false;
    answered_.notify_all();
    if (!block) co_return std::unexpected(block.error());
    next_ = block->first.value();
    end_ = next_ + block->count;
  }
  co_return ProducerId{next_++};
}

}  // namespace arus::broker
