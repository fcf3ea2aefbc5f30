#include "storage/commit_log_format.h"

#include <charconv>

#include "base/assert.h"
#include "base/crc32c.h"
#include "base/reader.h"
#include "base/writer.h"

namespace arus::storage {

namespace {

constexpr std::size_t most_files_named = 1'000;

bool is_possible(const CommitLogEntry& entry, std::size_t payload_bytes) {
  if (entry.name.topic.empty() || entry.name.partition < 0 || entry.segment < Offset{0}) {
    return false;
  }
  if (entry.type == CommitLogEntryType::settled) return payload_bytes == 0 && entry.position == 0;
  return entry.type == CommitLogEntryType::batches && payload_bytes > 0 && entry.position >= 0 &&
         entry.base_offset >= entry.segment;
}

}  // namespace

Bytes encode(const CommitLogHeader& header) {
  ARUS_ASSERT(header.owner.cluster_id.size() <= commit_log_format::most_cluster_id_bytes);
  Writer writer(commit_log_format::block_bytes);
  writer.text(commit_log_format::magic);
  writer.i16(commit_log_format::version);
  writer.u32(0);
  writer.u64(header.generation);
  writer.u64(header.first_sequence);
  writer.uuid(header.owner.directory_id);
  writer.uuid(header.owner.incarnation_id);
  writer.i64(header.owner.broker_epoch);
  writer.u8(static_cast<std::uint8_t>(header.owner.cluster_id.size()));
  writer.text(header.owner.cluster_id);
  Bytes block = writer.take_bytes();
  store_big(block.data() + commit_log_format::header_crc_at,
            crc32c(ByteView(block).subspan(commit_log_format::generation_at)));
  block.resize(commit_log_format::block_bytes);
  return block;
}

std::optional<CommitLogHeader> parse_commit_log_header(ByteView file) {
  Reader reader(file.first(std::min(file.size(), commit_log_format::block_bytes)));
  if (reader.text(commit_log_format::magic.size()) != commit_log_format::magic) return std::nullopt;
  if (reader.i16() != commit_log_format::version) return std::nullopt;
  const std::uint32_t crc = reader.u32();
  CommitLogHeader header;
  header.generation = reader.u64();
  header.first_sequence = reader.u64();
  header.owner.directory_id = reader.uuid();
  header.owner.incarnation_id = reader.uuid();
  header.owner.broker_epoch = reader.i64();
  header.owner.cluster_id = reader.text(reader.u8());
  if (!reader.ok()) return std::nullopt;
  const std::size_t size = reader.position() - commit_log_format::generation_at;
  if (crc != crc32c(file.subspan(commit_log_format::generation_at, size))) return std::nullopt;
  return header;
}

std::uint32_t commit_log_salt(std::uint64_t generation) {
  std::array<std::uint8_t, sizeof generation> bytes{};
  store_big(bytes.data(), generation);
  return crc32c(bytes);
}

void encode(const CommitLogEntry& entry, const Chain& payload, std::uint32_t salt, Bytes& out) {
  const std::string& topic = entry.name.topic;
  ARUS_ASSERT(topic.size() <= std::numeric_limits<std::uint8_t>::max());
  const std::size_t size = commit_log_entry_size(topic, size_of(payload));
  ARUS_ASSERT(size <= std::numeric_limits<std::uint32_t>::max());
  Writer writer(commit_log_format::topic_at + topic.size());
  writer.u32(static_cast<std::uint32_t>(size));
  writer.u32(0);
  writer.u64(entry.sequence);
  writer.i8(static_cast<std::int8_t>(entry.type));
  writer.u8(static_cast<std::uint8_t>(topic.size()));
  writer.i32(entry.name.partition);
  writer.uuid(entry.topic_id);
  writer.i64(entry.segment.value());
  writer.i32(entry.position);
  writer.i64(entry.base_offset.value());
  writer.i32(entry.leader_epoch.value());
  writer.text(topic);
  Bytes head = writer.take_bytes();
  std::uint32_t crc = crc32c(ByteView(head).subspan(commit_log_format::sequence_at), salt);
  for (const Slice& piece : payload) crc = crc32c(piece.view(), crc);
  store_big(head.data() + commit_log_format::crc_at, crc);
  out.insert(out.end(), head.begin(), head.end());
}

std::optional<ParsedCommitLogEntry> parse_commit_log_entry(ByteView bytes, std::uint32_t salt) {
  Reader reader(bytes);
  ParsedCommitLogEntry parsed;
  parsed.size_bytes = reader.u32();
  const std::uint32_t crc = reader.u32();
  if (!reader.ok() || parsed.size_bytes < commit_log_format::topic_at ||
      parsed.size_bytes > bytes.size()) {
    return std::nullopt;
  }
  const ByteView covered = bytes.subspan(commit_log_format::sequence_at,
                                         parsed.size_bytes - commit_log_format::sequence_at);
  if (crc32c(covered, salt) != crc) return std::nullopt;
  CommitLogEntry& entry = parsed.entry;
  entry.sequence = reader.u64();
  entry.type = static_cast<CommitLogEntryType>(reader.i8());
  const std::size_t topic_bytes = reader.u8();
  entry.name.partition = reader.i32();
  entry.topic_id = reader.uuid();
  entry.segment = Offset{reader.i64()};
  entry.position = reader.i32();
  entry.base_offset = Offset{reader.i64()};
  entry.leader_epoch = LeaderEpoch{reader.i32()};
  if (topic_bytes > parsed.size_bytes - commit_log_format::topic_at) return std::nullopt;
  entry.name.topic = reader.text(topic_bytes);
  parsed.payload_at = reader.position();
  if (!is_possible(entry, parsed.size_bytes - parsed.payload_at)) return std::nullopt;
  return parsed;
}

std::string commit_log_file_name(std::size_t number) {
  return std::string(commit_log_format::file_prefix) + std::to_string(number);
}

std::optional<std::size_t> parse_commit_log_file_name(std::string_view name) {
  if (!name.starts_with(commit_log_format::file_prefix)) return std::nullopt;
  name.remove_prefix(commit_log_format::file_prefix.size());
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || end != name.data() + name.size() || number >= most_files_named) {
    return std::nullopt;
  }
  return number;
}

}  // namespace arus::storage
