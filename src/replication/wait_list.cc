#include "replication/wait_list.h"

namespace arus::replication {

void AppendWait::unlink() {
  if (!linked_) return;
  (previous_ == nullptr ? list_->first_ : previous_->next_) = next_;
  (next_ == nullptr ? list_->last_ : next_->previous_) = previous_;
  previous_ = next_ = nullptr;
  list_ = nullptr;
  linked_ = false;
}

void AppendWaitList::add(AppendWait& wait, Offset end) {
  ARUS_ASSERT(!wait.linked_);
  AppendWait* before = last_;
  while (before != nullptr && before->end_ > end) before = before->previous_;
  wait.list_ = this;
  wait.end_ = end;
  wait.linked_ = true;
  wait.previous_ = before;
  wait.next_ = before == nullptr ? first_ : before->next_;
  (wait.previous_ == nullptr ? first_ : wait.previous_->next_) = &wait;
  (wait.next_ == nullptr ? last_ : wait.next_->previous_) = &wait;
}

void AppendWaitList::complete(Offset reached) {
  while (first_ != nullptr && first_->end_ <= reached) {
    AppendWait& wait = *first_;
    wait.unlink();
    wait.on_decided({});
  }
}

void AppendWaitList::fail(const Error& error) {
  while (first_ != nullptr) {
    AppendWait& wait = *first_;
    wait.unlink();
    wait.on_decided(std::unexpected(error));
  }
}

}  // namespace arus::replication
