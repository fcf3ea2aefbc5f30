#include "protocol/record_codec.h"

#include <algorithm>
#include <array>
#include <type_traits>

namespace arus::protocol {
namespace {

constexpr std::uint32_t frame_version = 1;

template <class Record>
Result<MetadataRecord> decode_as(Reader& in, std::int16_t version) {
  auto record = Record::decode(in, version);
  if (!record) return fail(ErrorCode::invalid_record, std::move(record).error().message);
  return MetadataRecord{std::move(*record)};
}

struct Kind {
  std::uint32_t key;
  Result<MetadataRecord> (*decode)(Reader& in, std::int16_t version);
};

template <class... Records>
constexpr auto kinds_of(std::type_identity<std::variant<Records...>>) {
  return std::array{Kind{Records::record_key, &decode_as<Records>}...};
}
constexpr auto kinds = kinds_of(std::type_identity<MetadataRecordKinds>{});

Result<MetadataRecord> decode_body(std::uint32_t key, std::int16_t version, Reader& in) {
  const auto kind = std::ranges::find(kinds, key, &Kind::key);
  if (kind == kinds.end()) {
    return fail(ErrorCode::invalid_record,
                "there is no metadata record with the key " + std::to_string(key));
  }
  return kind->decode(in, version);
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
  const auto size = std::visit(
      [&](const auto& one) -> Result<std::size_t> {
        ARUS_TRY(one.check(version));
        return one.encoded_size(version);
      },
      record);
  if (!size) return fail(size.error());
  Writer out{*size + 8};
  out.uvarint(frame_version);
  out.uvarint(static_cast<std::uint64_t>(record_key(record)));
  out.uvarint(static_cast<std::uint64_t>(version));
  std::visit([&](const auto& one) { one.encode(out, version); }, record);
  return out.take_bytes();
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
