// Metadata records in a row, each behind a uint16 of its length: what can be applied gives an image
// whose own records give it again.
#include "base/assert.h"
#include "base/reader.h"
#include "metadata/image_builder.h"
#include "metadata/snapshot_records.h"

namespace {

std::multiset<std::string> records_of(const arus::metadata::MetadataImage& image) {
  std::multiset<std::string> all;
  arus::metadata::visit_records(image, [&](const arus::protocol::MetadataRecord& record) {
    // With the newest version, which can say everything.
    const auto value = arus::metadata::encode_record(record, 30);
    if (value) all.emplace(arus::as_text(*value));
  });
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace arus;
  Reader in{ByteView(data, size)};
  metadata::ImageBuilder builder(nullptr);
  while (in.remaining() > 2) {
    const ByteView value = in.bytes(in.u16());
    if (!in.ok()) break;
    const auto record = protocol::decode_metadata_record(value);
    if (record && !builder.apply(record->record)) return 0;
  }
  const auto image = builder.finish(Offset{0}, LeaderEpoch{0});
  if (!image) return 0;
  const auto records = records_of(**image);
  metadata::ImageBuilder again(nullptr);
  for (const auto& value : records) {
    // Sorted by their bytes, and so by kind: brokers, topics, partitions, settings.
    const auto record = protocol::decode_metadata_record(as_bytes(value));
    ARUS_ASSERT(record);
    if (!again.apply(record->record)) return 0;
  }
  const auto rebuilt = again.finish(Offset{0}, LeaderEpoch{0});
  ARUS_ASSERT(rebuilt);
  ARUS_ASSERT(records_of(**rebuilt) == records);
  return 0;
}
