// Who votes in the metadata quorum.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/uuid.h"

namespace arus::raft {

struct VoterEndpoint {
  std::string listener;
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const VoterEndpoint&, const VoterEndpoint&) = default;
};

// A voter is one directory of one node: a node that lost its directory is another voter. The
// directory id is zero where kraft.version is 0.
struct Voter {
  std::int32_t id = -1;
  Uuid directory_id;
  std::vector<VoterEndpoint> endpoints;
  std::int16_t min_kraft_version = 0;
  std::int16_t max_kraft_version = 0;
  friend bool operator==(const Voter&, const Voter&) = default;
};

struct VoterSet {
  std::vector<Voter> voters;
  [[nodiscard]] const Voter* find(std::int32_t id) const {
    for (const auto& voter : voters) {
      if (voter.id == id) return &voter;
    }
    return nullptr;
  }
  [[nodiscard]] bool is_sole(std::int32_t id) const {
    return voters.size() == 1 && voters.front().id == id;
  }
  friend bool operator==(const VoterSet&, const VoterSet&) = default;
};

}  // namespace arus::raft
