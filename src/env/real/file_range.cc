#include "env/file_range.h"

#include "env/real/file.h"
#include "env/real/resident.h"

namespace arus::env {

Slice slice_of(FileRange range) {
  const std::size_t length = range.length;
  std::uint8_t* const nowhere = nullptr;
  return {std::make_shared<const FileRange>(std::move(range)), {nowhere, length}};
}

const FileRange* file_range_of(const Slice& slice) {
  if (slice.data() != nullptr || slice.empty()) return nullptr;
  return static_cast<const FileRange*>(slice.owner().get());
}

Residency residency(File& file, std::int64_t offset, std::int64_t length) {
  const auto* const real = dynamic_cast<const RealFile*>(&file);
  return real == nullptr ? Residency::unknown : residency_of(real->descriptor(), offset, length);
}

}  // namespace arus::env
