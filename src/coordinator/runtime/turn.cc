#include "coordinator/runtime/turn.h"

#include "base/assert.h"
#include "coordinator/runtime/machine.h"

namespace arus::coordinator {

void Turn::append(Record record) {
  ARUS_ASSERT(transactional_.records.empty());
  records_.push_back(std::move(record));
  const Record& kept = records_.back();
  // A machine that cannot read what it has just written is broken.
  const auto replayed = machine_.replay(
      {.timestamp_ms = wall_ms_,
       .key = kept.key,
       .value = kept.value ? std::optional<ByteView>(*kept.value) : std::nullopt});
  ARUS_ASSERT(replayed);
}

void Turn::append_transactional(ProducerId producer_id, std::int16_t producer_epoch,
                                std::int16_t transaction_version, std::vector<Record> records) {
  ARUS_ASSERT(records_.empty() && transactional_.records.empty());
  transactional_ = {producer_id, producer_epoch, transaction_version, std::move(records)};
}

}  // namespace arus::coordinator
