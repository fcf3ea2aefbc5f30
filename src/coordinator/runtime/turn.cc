#include "coordinator/runtime/turn.h"

#include "base/assert.h"
#include "coordinator/runtime/machine.h"
#include "record/builder.h"

namespace arus::coordinator {

bool Turn::fits(const Record& record) const {
  const auto value = record.value ? std::optional<ByteView>(*record.value) : std::nullopt;
  return record::format::header_bytes + record::max_record_bytes(record.key, value) <=
         batch_limit_bytes_;
}

void Turn::append(Record record) {
  ARUS_ASSERT(transactional_.records.empty());
  records_.push_back(std::move(record));
  const Record& kept = records_.back();
  // A machine that cannot read what it has just written is broken.
  const auto replayed =
      machine_.replay({.timestamp_ms = wall_ms_,
                       .key = kept.key,
                       .value = kept.value ? std::optional<ByteView>(*kept.value) : std::nullopt});
  ARUS_ASSERT(replayed);
}

void Turn::append_transactional(ProducerId producer_id, std::int16_t producer_epoch,
                                std::int16_t transaction_version,
                                std::optional<std::uint64_t> guard, std::vector<Record> records) {
  ARUS_ASSERT(records_.empty() && transactional_.records.empty());
  transactional_ = {producer_id, producer_epoch, transaction_version, guard, std::move(records)};
}

}  // namespace arus::coordinator
