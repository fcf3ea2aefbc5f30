#include "record/recompress.h"

#include "base/crc32c.h"

namespace arus::record {
namespace {

Result<> copy_records(Decompressor& decompressor, Compressor& compressor, const Bytes& out,
                      std::size_t max_batch_bytes) {
  const auto check_size = [&]() -> Result<> {
    if (out.size() <= max_batch_bytes) return {};
    return fail(ErrorCode::message_too_large, "The batch is larger than " +
                                                  std::to_string(max_batch_bytes) +
                                                  " bytes in the topic's compression");
  };
  Bytes window(recompress_window_bytes);
  for (;;) {
    auto count = decompressor.read(window);
    if (!count) return fail(std::move(count).error());
    if (*count == 0) break;
    compressor.write(ByteView{window}.first(*count));
    ARUS_TRY(check_size());
  }
  compressor.finish();
  return check_size();
}

}  // namespace

Result<Bytes> recompress(CodecScratch& scratch, const BatchView& batch,
                         const RecompressOptions& options) {
  if (batch.is_legacy()) {
    return fail(ErrorCode::unsupported_for_message_format,
                "Batches of formats 0 and 1 are converted, not recompressed");
  }
  const ByteView header = batch.bytes().first(format::header_bytes);
  Bytes out{header.begin(), header.end()};
  Decompressor decompressor{scratch, batch.compression(), batch.records(), options.limits};
  Compressor compressor{scratch, options.compression, out, options.level};
  constexpr std::size_t most = std::numeric_limits<std::int32_t>::max();
  ARUS_TRY(copy_records(decompressor, compressor, out, std::min(options.max_batch_bytes, most)));

  const auto others = static_cast<std::int16_t>(batch.attributes() & ~format::compression_mask);
  store_big(out.data() + format::length_at,
            static_cast<std::int32_t>(out.size() - format::log_overhead_bytes));
  store_big(out.data() + format::attributes_at,
            static_cast<std::int16_t>(others | static_cast<std::int16_t>(options.compression)));
  store_big(out.data() + format::crc_at, crc32c(ByteView{out}.subspan(format::attributes_at)));
  return out;
}

}  // namespace arus::record
