#include "protocol/record_codec.h"

namespace arus::protocol {
namespace {

constexpr std::uint32_t frame_version = 1;

template <std::size_t I = 0>
Result<MetadataRecord> decode_body(std::uint32_t key, std::int16_t version, Reader& in) {
  if constexpr (I == std::variant_size_v<MetadataRecord>) {
    return fail(ErrorCode::invalid_record,
                "there is no metadata record with the key " + std::to_string(key));
  } else {
    using Record = std::variant_alternative_t<I, MetadataRecord>;
    if (key != static_cast<std::uint32_t>(Record::record_key)) {
      return decode_body<I + 1>(key, version, in);
    }
    auto record = Record::decode(in, version);
    if (!record) return fail(ErrorCode::invalid_record, record.error().message);
    return MetadataRecord{std::move(*record)};
  }
}

}  // namespace

Result<VersionedRecord> decode_metadata_record(ByteView value) {
  Reader in{value};
  const std::uint32_t frame = in.uvarint();
  const std::uint32_t key = in.uvarint();
  const std::uint32_t version = in.uvarint();
  if (!in.ok() || frame != frame_version || version > INT16_MAX) {
    return fail(ErrorCode::invalid_record, "a metadata record has no frame of version 1");
  }
  auto record = decode_body(key, static_cast<std::int16_t>(version), in);
  if (!record) return fail(std::move(record).error());
  if (!in.at_end()) return fail(ErrorCode::invalid_record, "bytes follow a metadata record");
  return VersionedRecord{std::move(*record), static_cast<std::int16_t>(version)};
}

Result<Bytes> encode_metadata_record(const MetadataRecord& record, std::int16_t version) {
  return std::visit(
      [&](const auto& one) -> Result<Bytes> {
        ARUS_TRY(one.check(version));
        Writer out{one.encoded_size(version) + 8};
        out.uvarint(frame_version);
        out.uvarint(static_cast<std::uint64_t>(one.record_key));
        out.uvarint(static_cast<std::uint64_t>(version));
        one.encode(out, version);
        return out.take_bytes();
      },
      record);
}

std::int16_t record_key(const MetadataRecord& record) {
  return std::visit([](const auto& one) { return one.record_key; }, record);
}

std::string_view record_name(const MetadataRecord& record) {
  return std::visit([](const auto& one) { return one.message_name; }, record);
}

std::int16_t highest_version(const MetadataRecord& record) {
  return std::visit([](const auto& one) { return one.max_version; }, record);
}

}  // namespace arus::protocol
