#include "raft/driver/batch_file.h"

namespace arus::raft {
namespace {

constexpr std::size_t window_bytes = std::size_t{1} << 20;

// A window over the file that grows to hold one whole batch.
class Window {
 public:
  explicit Window(env::File& file) : file_(file) {}

  // At least `count` bytes at the window's front, or fewer at the end of the file.
  Result<> require(std::size_t count) {
    if (bytes_.size() - at_ >= count) return {};
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(at_));
    file_at_ += static_cast<std::int64_t>(at_);
    at_ = 0;
    const std::size_t had = bytes_.size();
    bytes_.resize(std::max(count, window_bytes));
    const auto got = file_.read_at(MutableByteView(bytes_).subspan(had),
                                   file_at_ + static_cast<std::int64_t>(had));
    bytes_.resize(had + (got ? *got : 0));
    if (!got) return fail(got.error());
    return {};
  }
  [[nodiscard]] ByteView front() const { return ByteView(bytes_).subspan(at_); }
  void pass(std::size_t count) { at_ += count; }
  [[nodiscard]] std::int64_t position() const { return file_at_ + static_cast<std::int64_t>(at_); }

 private:
  env::File& file_;
  Bytes bytes_;
  std::size_t at_ = 0;
  std::int64_t file_at_ = 0;
};

}  // namespace

Result<BatchFileEnd> read_batches(env::File& file, const BatchVisitor& visit) {
  BatchFileEnd end;
  const auto size = file.size();
  if (!size) return fail(size.error());
  end.file_bytes = *size;
  Window window{file};
  for (;;) {
    ARUS_TRY(window.require(record::format::bytes_up_to_magic));
    const auto batch_bytes = record::batch_size_bytes(window.front());
    if (!batch_bytes || !*batch_bytes || **batch_bytes > max_metadata_batch_bytes) break;
    ARUS_TRY(window.require(**batch_bytes));
    const auto batch = record::BatchView::parse(window.front());
    if (!batch || batch->is_legacy() || !batch->crc_matches()) break;
    ARUS_TRY(visit(*batch));
    window.pass(**batch_bytes);
  }
  end.valid_bytes = window.position();
  return end;
}

}  // namespace arus::raft
