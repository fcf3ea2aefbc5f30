#include "storage/producer_replay.h"

#include "record/control.h"
#include "record/record.h"

namespace arus::storage {

Result<std::optional<TransactionEnd>> read_transaction_end(ByteView batch) {
  const auto view = record::BatchView::parse(batch);
  if (!view) return fail(view.error());
  record::RecordReader reader(*view);
  const auto marker = reader.next();
  if (!marker) {
    // A control batch that compaction has emptied decides nothing any more.
    if (reader.status()) return std::nullopt;
    return fail(reader.status().error());
  }
  const auto type = marker->key ? record::parse_control_key(*marker->key) : std::nullopt;
  if (!type) return fail(ErrorCode::corrupt_message, "The control record has no key");
  if (*type != record::ControlType::abort && *type != record::ControlType::commit) {
    return std::nullopt;
  }
  const auto end =
      marker->value ? record::parse_end_transaction_value(*marker->value) : std::nullopt;
  if (!end) return fail(ErrorCode::corrupt_message, "The transaction marker has no value");
  return TransactionEnd{*type == record::ControlType::commit, end->coordinator_epoch};
}

}  // namespace arus::storage
