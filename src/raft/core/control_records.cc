#include "raft/core/control_records.h"

#include "base/reader.h"
#include "base/writer.h"

namespace arus::raft {
namespace {

constexpr std::int16_t written_version = 0;

void write_text(Writer& writer, const std::string& text) {
  writer.uvarint(text.size() + 1);
  writer.text(text);
}

// Compact strings are never null here.
std::string read_text(Reader& reader) {
  const std::uint32_t length = reader.uvarint();
  if (length == 0) {
    reader.fail();
    return {};
  }
  return std::string(reader.text(length - 1));
}

// The count of a compact array whose elements take at least `least_bytes` each.
std::size_t read_count(Reader& reader, std::size_t least_bytes) {
  const std::uint32_t count = reader.uvarint();
  if (count == 0 || count - 1 > reader.remaining() / least_bytes) {
    reader.fail();
    return 0;
  }
  return count - 1;
}

void skip_tags(Reader& reader) {
  const std::uint32_t count = reader.uvarint();
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    static_cast<void>(reader.uvarint());
    reader.skip(reader.uvarint());
  }
}

void write_voter_ids(Writer& writer, const std::vector<std::int32_t>& ids) {
  writer.uvarint(ids.size() + 1);
  for (const std::int32_t id : ids) {
    writer.i32(id);
    writer.uvarint(0);
  }
}

std::vector<std::int32_t> read_voter_ids(Reader& reader, std::int16_t version) {
  std::vector<std::int32_t> ids;
  const std::size_t count = read_count(reader, 5);
  for (std::size_t i = 0; i < count && reader.ok(); ++i) {
    ids.push_back(reader.i32());
    if (version >= 1) static_cast<void>(reader.uuid());
    skip_tags(reader);
  }
  return ids;
}

Voter read_voter(Reader& reader) {
  Voter voter;
  voter.id = reader.i32();
  voter.directory_id = reader.uuid();
  const std::size_t endpoints = read_count(reader, 5);
  for (std::size_t i = 0; i < endpoints && reader.ok(); ++i) {
    VoterEndpoint endpoint;
    endpoint.listener = read_text(reader);
    endpoint.host = read_text(reader);
    endpoint.port = reader.u16();
    skip_tags(reader);
    voter.endpoints.push_back(std::move(endpoint));
  }
  voter.min_kraft_version = reader.i16();
  voter.max_kraft_version = reader.i16();
  skip_tags(reader);
  skip_tags(reader);
  return voter;
}

}  // namespace

Bytes encode_leader_change(const LeaderChange& change) {
  Writer writer;
  writer.i16(written_version);
  writer.i32(change.leader_id);
  write_voter_ids(writer, change.voters);
  write_voter_ids(writer, change.granting_voters);
  writer.uvarint(0);
  return writer.take_bytes();
}

Bytes encode_snapshot_header(std::int64_t last_contained_log_timestamp_ms) {
  Writer writer;
  writer.i16(written_version);
  writer.i64(last_contained_log_timestamp_ms);
  writer.uvarint(0);
  return writer.take_bytes();
}

Bytes encode_snapshot_footer() {
  Writer writer;
  writer.i16(written_version);
  writer.uvarint(0);
  return writer.take_bytes();
}

Bytes encode_kraft_version(std::int16_t level) {
  Writer writer;
  writer.i16(written_version);
  writer.i16(level);
  writer.uvarint(0);
  return writer.take_bytes();
}

Bytes encode_voters(const VoterSet& voters) {
  Writer writer;
  writer.i16(written_version);
  writer.uvarint(voters.voters.size() + 1);
  for (const Voter& voter : voters.voters) {
    writer.i32(voter.id);
    writer.uuid(voter.directory_id);
    writer.uvarint(voter.endpoints.size() + 1);
    for (const VoterEndpoint& endpoint : voter.endpoints) {
      write_text(writer, endpoint.listener);
      write_text(writer, endpoint.host);
      writer.u16(endpoint.port);
      writer.uvarint(0);
    }
    writer.i16(voter.min_kraft_version);
    writer.i16(voter.max_kraft_version);
    writer.uvarint(0);  // of the feature
    writer.uvarint(0);  // of the voter
  }
  writer.uvarint(0);
  return writer.take_bytes();
}

std::optional<LeaderChange> decode_leader_change(ByteView value) {
  Reader reader{value};
  LeaderChange change;
  const std::int16_t version = reader.i16();
  change.leader_id = reader.i32();
  change.voters = read_voter_ids(reader, version);
  change.granting_voters = read_voter_ids(reader, version);
  skip_tags(reader);
  if (!reader.ok() || version < 0 || version > 1) return std::nullopt;
  return change;
}

std::optional<std::int64_t> decode_snapshot_header(ByteView value) {
  Reader reader{value};
  static_cast<void>(reader.i16());
  const std::int64_t timestamp_ms = reader.i64();
  skip_tags(reader);
  if (!reader.ok()) return std::nullopt;
  return timestamp_ms;
}

std::optional<std::int16_t> decode_kraft_version(ByteView value) {
  Reader reader{value};
  static_cast<void>(reader.i16());
  const std::int16_t level = reader.i16();
  skip_tags(reader);
  if (!reader.ok()) return std::nullopt;
  return level;
}

std::optional<VoterSet> decode_voters(ByteView value) {
  Reader reader{value};
  VoterSet set;
  static_cast<void>(reader.i16());
  const std::size_t count = read_count(reader, 4 + 16 + 1 + 4 + 2);
  for (std::size_t i = 0; i < count && reader.ok(); ++i) set.voters.push_back(read_voter(reader));
  skip_tags(reader);
  if (!reader.ok()) return std::nullopt;
  return set;
}

}  // namespace arus::raft
