#include "broker/producer_ids.h"

namespace arus::broker {

std::int64_t ProducerIds::left() const {
  std::int64_t count = 0;
  for (const auto& block : blocks_) count += block.count;
  return count;
}

ProducerId ProducerIds::pop() {
  controller::ProducerIdBlock& block = blocks_.front();
  const ProducerId id = block.first;
  block.first = ProducerId{id.value() + 1};
  if (--block.count == 0) blocks_.pop_front();
  return id;
}

env::Task<Result<>> ProducerIds::fetch(Asker asker) {
  asking_ = true;
  const auto block =
      co_await asker.controller.allocate_producer_ids(asker.broker, asker.broker_epoch);
  asking_ = false;
  answered_.notify_all();
  if (!block) co_return std::unexpected(block.error());
  if (block->count > 0) blocks_.push_back(*block);
  co_return Result<>{};
}

env::Task<Result<ProducerId>> ProducerIds::next(controller::ControllerApi& controller,
                                                BrokerId broker, std::int64_t broker_epoch) {
  while (blocks_.empty()) {
    if (asking_) {
      co_await answered_.wait();
      continue;
    }
    ARUS_CO_TRY(
        co_await fetch({.controller = controller, .broker = broker, .broker_epoch = broker_epoch}));
  }
  co_return pop();
}

std::optional<ProducerId> ProducerIds::take(const Asker& asker) {
  std::optional<ProducerId> id;
  if (!blocks_.empty()) id = pop();
  prepare(asker);
  return id;
}

void ProducerIds::prepare(const Asker& asker) {
  if (asking_ || left() > few_left) return;
  env::spawn(gate_, fetch_in_background(asker));
}

env::Task<void> ProducerIds::fetch_in_background(Asker asker) {
  // Where it fails, whoever takes the next id asks again.
  static_cast<void>(co_await fetch(asker));
}

env::Task<void> ProducerIds::stop() { co_await gate_.close(); }

}  // namespace arus::broker
