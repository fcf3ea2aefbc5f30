#include "replication/batch_work.h"

#include <algorithm>
#include <utility>

#include "record/batch.h"

namespace arus::replication {
namespace {

constexpr std::size_t kept_idle = 2;

// What decoding the batches in these bytes needs; what is no batch is refused before any decoding.
std::size_t memory_for(ByteView records) {
  const auto batch = record::BatchView::parse(records);
  if (!batch || batch->is_legacy()) return 0;
  return record::decoder_memory_bytes(batch->compression(), batch->records());
}

}  // namespace

bool BatchWork::fits_loop(ByteView records) {
  const auto batch = record::BatchView::parse(records);
  if (!batch || batch->is_legacy()) return true;
  return batch->compression() == record::Compression::none ||
         batch->records().size() <= loop_compressed_bytes;
}

record::ValidationOptions BatchWork::on_loop(record::ValidationOptions options) {
  options.limits.output_bytes = std::min(options.limits.output_bytes, loop_plain_bytes);
  return options;
}

bool BatchWork::too_much_for_loop(const record::Validation& outcome, ByteView records) {
  if (outcome || outcome.error().error.code != ErrorCode::message_too_large) return false;
  const auto batch = record::BatchView::parse(records);
  return batch && !batch->is_legacy() && batch->compression() != record::Compression::none;
}

env::Task<std::unique_ptr<BatchWork::Tools>> BatchWork::begin(std::size_t bytes) {
  while (used_bytes_ > 0 && used_bytes_ + bytes > budget_bytes_) co_await freed_.wait();
  used_bytes_ += bytes;
  if (idle_.empty()) co_return std::make_unique<Tools>();
  auto tools = std::move(idle_.back());
  idle_.pop_back();
  co_return tools;
}

void BatchWork::end(std::unique_ptr<Tools> tools, std::size_t bytes) {
  used_bytes_ -= bytes;
  if (idle_.size() < kept_idle) idle_.push_back(std::move(tools));
  freed_.notify_all();
}

env::Task<record::Validation> BatchWork::validate(Slice records, record::ValidationOptions options,
                                                  std::string partition) {
  const std::size_t bytes = memory_for(records.view());
  auto tools = co_await begin(bytes);
  options.partition = partition;
  record::Validation outcome =
      co_await env::run_on(pool_, [&tools, &records, &options]() -> record::Validation {
        return tools->validator.validate(records.view(), options);
      });
  end(std::move(tools), bytes);
  co_return outcome;
}

env::Task<Result<Bytes>> BatchWork::recompress(Slice batch, record::RecompressOptions options) {
  const std::size_t bytes = memory_for(batch.view());
  auto tools = co_await begin(bytes);
  Result<Bytes> fresh = co_await env::run_on(pool_, [&tools, &batch, &options]() -> Result<Bytes> {
    const auto view = record::BatchView::parse(batch.view());
    if (!view) return std::unexpected(view.error());
    return record::recompress(tools->scratch, *view, options);
  });
  end(std::move(tools), bytes);
  co_return fresh;
}

}  // namespace arus::replication
