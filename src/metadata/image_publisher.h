// Hands every new image to every loop, and knows how far each loop is.
#pragma once

#include <memory>
#include <vector>

#include "env/environment.h"
#include "metadata/image.h"

namespace arus::metadata {

// Each loop has its own current image, which only moves forward. publish() is called on one loop,
// the controller's; the image reaches the others by Loop::post, in order. Subscribers belong to
// loops and are told on theirs, in the order in which they subscribed; current() has already moved
// then. Outlives all loops' work.
class ImagePublisher {
 public:
  // `home` is the loop that publishes.
  ImagePublisher(env::Environment& environment, env::Loop& home);
  ~ImagePublisher();
  ImagePublisher(const ImagePublisher&) = delete;
  ImagePublisher& operator=(const ImagePublisher&) = delete;

  // The current loop's image; never null, empty before the first publication.
  [[nodiscard]] const ImagePointer& current() const;

  // From now on `subscriber` is told of each image on the current loop. What is there already it
  // reads with current(). It unsubscribes on the same loop before it dies, and may do so from
  // within on_image.
  void subscribe(ImageSubscriber& subscriber);
  void unsubscribe(ImageSubscriber& subscriber);

  // On the home loop. The image must be newer than the one before.
  void publish(ImagePointer image, std::shared_ptr<const MetadataDelta> delta);

  // On the home loop: completes when every loop's image has reached `offset`.
  env::Task<void> reached_everywhere(Offset offset);
  // On any loop: true when the current loop's image has reached `offset` before the deadline.
  env::Task<bool> reached_here(Offset offset, env::TimePoint deadline);

 private:
  struct PerLoop;
  [[nodiscard]] PerLoop& here() const;
  void apply(PerLoop& loop, const ImagePointer& image, const MetadataDelta& delta);
  void note_progress(std::size_t loop, Offset offset);

  env::Environment& environment_;
  env::Loop& home_;
  std::vector<std::unique_ptr<PerLoop>> loops_;
  // On the home loop: what each loop is known to have reached.
  std::vector<Offset> reached_;
  env::Event progress_;
};

}  // namespace arus::metadata
