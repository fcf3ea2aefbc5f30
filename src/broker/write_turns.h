// The order of a producer's requests while some of them have to ask before they write.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "env/event.h"

namespace arus::broker {

// Requests of one producer are looked at in the order in which they came, yet the answer to a
// question may reach a later one first. Who comes back with such an answer waits for its turn, so
// that no batch overtakes an earlier one.
//
// Holds: an entry for each producer with a request under way. Owner: a loop.
class WriteTurns {
 public:
  // One request's place in the line of its producer; left when destroyed.
  class Turn {
   public:
    Turn(Turn&& other) noexcept = default;
    Turn& operator=(Turn&&) = delete;
    ~Turn() { end(); }

    // Until all who came earlier have ended their turns.
    env::Task<void> wait();
    // The next in line goes on when this turn of the loop is over.
    void end();

   private:
    friend WriteTurns;
    struct Line {
      std::uint64_t next = 0;
      std::vector<std::uint64_t> present;  // ascending
      env::Event left;
    };
    Turn(WriteTurns& turns, ProducerId producer_id, std::shared_ptr<Line> line);

    WriteTurns* turns_;
    ProducerId producer_id_;
    std::shared_ptr<Line> line_;  // null once ended
    std::uint64_t number_;
  };

  // The last place in the producer's line.
  [[nodiscard]] Turn take(ProducerId producer_id);
  [[nodiscard]] std::size_t producers() const { return lines_.size(); }

 private:
  std::unordered_map<ProducerId, std::shared_ptr<Turn::Line>> lines_;
};

}  // namespace arus::broker
