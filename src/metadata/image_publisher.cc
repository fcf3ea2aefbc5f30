#include "metadata/image_publisher.h"

#include <algorithm>

namespace arus::metadata {

// One loop's side; touched on that loop only.
struct ImagePublisher::PerLoop {
  ImagePointer current = std::make_shared<const MetadataImage>();
  std::vector<ImageSubscriber*> subscribers;  // null: unsubscribed while being told
  bool telling = false;
  env::Event moved;
};

ImagePublisher::ImagePublisher(env::Environment& environment, env::Loop& home)
    : environment_(environment), home_(home), reached_(environment.loop_count(), no_offset) {
  for (std::size_t i = 0; i < environment.loop_count(); ++i) {
    loops_.push_back(std::make_unique<PerLoop>());
  }
}

ImagePublisher::~ImagePublisher() = default;

ImagePublisher::PerLoop& ImagePublisher::here() const {
  const env::Loop* const loop = env::Loop::current();
  ARUS_ASSERT(loop != nullptr);
  return *loops_[loop->index()];
}

const ImagePointer& ImagePublisher::current() const { return here().current; }

void ImagePublisher::subscribe(ImageSubscriber& subscriber) {
  here().subscribers.push_back(&subscriber);
}

void ImagePublisher::unsubscribe(ImageSubscriber& subscriber) {
  PerLoop& loop = here();
  if (loop.telling) {
    std::ranges::replace(loop.subscribers, &subscriber, nullptr);
  } else {
    std::erase(loop.subscribers, &subscriber);
  }
}

void ImagePublisher::publish(ImagePointer image, std::shared_ptr<const MetadataDelta> delta) {
  ARUS_ASSERT(home_.is_current());
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    env::Loop& target = environment_.loop(i);
    if (&target == &home_) continue;
    target.post(
        [this, i, image, delta] {
          apply(*loops_[i], image, *delta);
          home_.post([this, i, offset = image->offset] { note_progress(i, offset); },
                     env::Priority::control);
        },
        env::Priority::control);
  }
  const Offset offset = image->offset;
  apply(*loops_[home_.index()], image, *delta);
  note_progress(home_.index(), offset);
}

void ImagePublisher::apply(PerLoop& loop, const ImagePointer& image, const MetadataDelta& delta) {
  ARUS_ASSERT(image->offset >= loop.current->offset);
  loop.current = image;
  loop.telling = true;
  // By index: a subscriber may subscribe another one.
  for (std::size_t i = 0; i < loop.subscribers.size(); ++i) {
    if (loop.subscribers[i] != nullptr) loop.subscribers[i]->on_image(image, delta);
  }
  loop.telling = false;
  std::erase(loop.subscribers, nullptr);
  loop.moved.notify_all();
}

void ImagePublisher::note_progress(std::size_t loop, Offset offset) {
  reached_[loop] = std::max(reached_[loop], offset);
  progress_.notify_all();
}

env::Task<void> ImagePublisher::reached_everywhere(Offset offset) {
  ARUS_ASSERT(home_.is_current());
  while (*std::ranges::min_element(reached_) < offset) co_await progress_.wait();
}

env::Task<bool> ImagePublisher::reached_here(Offset offset, env::TimePoint deadline) {
  PerLoop& loop = here();
  while (loop.current->offset < offset) {
    if (!co_await loop.moved.wait_until(deadline)) co_return loop.current->offset >= offset;
  }
  co_return true;
}

}  // namespace arus::metadata
