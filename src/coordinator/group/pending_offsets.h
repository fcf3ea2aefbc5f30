// Offsets that open transactions have committed, until their markers come.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "coordinator/group/offset_store.h"

namespace arus::coordinator {

struct OffsetKey {
  std::string group;
  std::string topic;
  std::int32_t partition = -1;
  friend auto operator<=>(const OffsetKey&, const OffsetKey&) = default;
};

// A partition may be in several open transactions. Of two commits the one later in the log counts,
// whichever marker comes first; as everything is told here in the order of the log, a commit that
// others have overtaken is just marked so.
// Owner: the offsets of one group machine.
class PendingOffsets {
 public:
  // In place of what the same transaction said of it before.
  void add(ProducerId producer_id, OffsetKey key, OffsetValue value);
  // A commit outside of any transaction was stored: those before it do not count any more.
  void overtake(const OffsetKey& key);
  // The offset was deleted, with all that is pending for it.
  void forget(const OffsetKey& key);
  // Ends a transaction. What counts of it, ascending, where it was committed.
  std::vector<std::pair<OffsetKey, OffsetValue>> end(ProducerId producer_id, bool committed);

  [[nodiscard]] bool empty() const { return by_key_.empty(); }
  [[nodiscard]] bool has(const OffsetKey& key) const { return by_key_.contains(key); }
  [[nodiscard]] bool has_group(std::string_view group) const;
  // The keys of a group, ascending.
  [[nodiscard]] std::vector<OffsetKey> keys_of(std::string_view group) const;
  // Those of one topic whose values carry this topic id or none.
  [[nodiscard]] std::vector<OffsetKey> keys_of(std::string_view group, std::string_view topic,
                                               const Uuid& id) const;
  // Names of the groups with something pending for this topic, ascending.
  [[nodiscard]] std::vector<std::string> groups_with(std::string_view topic) const;

  friend bool operator==(const PendingOffsets&, const PendingOffsets&) = default;

 private:
  struct Entry {
    ProducerId producer_id;
    OffsetValue value;
    bool overtaken = false;
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  [[nodiscard]] std::map<OffsetKey, std::vector<Entry>>::const_iterator first_of(
      std::string_view group, std::string_view topic = {}) const;

  std::map<OffsetKey, std::vector<Entry>> by_key_;  // never empty lists, in the order of the log
  std::map<ProducerId, std::set<OffsetKey>> by_producer_;
};

}  // namespace arus::coordinator
