// What a coordinator is made of: one state machine for each partition of its topic.
#pragma once

#include <cstdint>

#include "coordinator/runtime/record.h"
#include "coordinator/runtime/timers.h"
#include "coordinator/runtime/turn.h"
#include "metadata/image.h"

namespace arus::coordinator {

// A pair: decisions, which the machine's own members take (a request and a Turn in; records,
// answers and timers out), and replay(), the only way in which what is stored changes its state.
// It reads no clock, no file and no socket, so the same code runs in tests by itself.
//
// Holds: replaying the records of any prefix of its log gives the stored state that made the rest.
// What is not stored (classic members between rebalances, timers, replies that wait) may change in
// decisions. Owner: the loop of its partition.
class Machine {
 public:
  virtual ~Machine() = default;

  // Applies a record. One that cannot be read is damage, or from a newer version: an error is
  // logged by the caller, and the record stays in the log without effect.
  virtual Result<> replay(const ReplayedRecord& record) = 0;
  // Applies the marker that ends a producer's transaction in this partition.
  virtual void replay_end(ProducerId producer_id, std::int16_t producer_epoch, bool committed) {
    static_cast<void>(producer_id);
    static_cast<void>(producer_epoch);
    static_cast<void>(committed);
  }

  // The log has been replayed to its end; requests come from now on. Arms what has to be armed.
  virtual void loaded(Turn& turn, metadata::ImagePointer image) = 0;
  // The metadata has changed.
  virtual void on_image(Turn& turn, const metadata::ImagePointer& image,
                        const metadata::MetadataDelta& delta) = 0;
  // Of this machine; the caller fires them.
  virtual Timers& timers() = 0;
};

}  // namespace arus::coordinator
