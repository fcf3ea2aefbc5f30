#include "broker/write_turns.h"

#include <utility>

namespace arus::broker {

WriteTurns::Turn::Turn(WriteTurns& turns, ProducerId producer_id, std::shared_ptr<Line> line)
    : turns_(&turns), producer_id_(producer_id), line_(std::move(line)), number_(line_->next++) {
  line_->present.push_back(number_);
}

env::Task<void> WriteTurns::Turn::wait() {
  while (line_->present.front() != number_) co_await line_->left.wait();
}

void WriteTurns::Turn::end() {
  if (!line_) return;
  std::erase(line_->present, number_);
  line_->left.notify_all();
  if (line_->present.empty()) turns_->lines_.erase(producer_id_);
  line_.reset();
}

WriteTurns::Turn WriteTurns::take(ProducerId producer_id) {
  std::shared_ptr<Turn::Line>& line = lines_[producer_id];
  if (!line) line = std::make_shared<Turn::Line>();
  return {*this, producer_id, line};
}

}  // namespace arus::broker
