// Bytes that Kafka 4.3.1 made: every header, body and stored record comes out as it went in.
#include <fstream>

#include "protocol/catalog.h"
#include "protocol/header.h"
#include "protocol/record_codec.h"

namespace arus::protocol {
namespace {

const std::string golden = std::string(ARUS_SOURCE_DIR) + "/tests/golden/";

// The text or number behind "name": in one line of flat JSON.
std::string value_of(const std::string& line, const std::string& name) {
  const std::string label = "\"" + name + "\":";
  const std::size_t at = line.find(label);
  if (at == std::string::npos) return {};
  std::size_t from = at + label.size();
  const bool quoted = line[from] == '"';
  if (quoted) ++from;
  return line.substr(from, line.find_first_of(quoted ? "\"" : ",}", from) - from);
}

Bytes from_hex(const std::string& text) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

const CatalogEntry* find(std::span<const CatalogEntry> catalog, const std::string& name) {
  for (const CatalogEntry& entry : catalog) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

void expect_unchanged(const CatalogEntry& entry, const Bytes& bytes, std::int16_t version,
                      const std::string& line) {
  const auto recoded = entry.recode(Slice(bytes), version);
  ASSERT_TRUE(recoded) << recoded.error().message << "\n" << line.substr(0, 400);
  EXPECT_EQ(recoded->bytes, bytes) << line.substr(0, 400);
  EXPECT_TRUE(recoded->exact_size) << line.substr(0, 200);
  EXPECT_TRUE(recoded->equal_to_copy) << line.substr(0, 200);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    const Bytes part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(cut));
    const auto answer = entry.recode(Slice(part), version);
    if (answer) {
      EXPECT_EQ(answer->bytes, part);  // where a shorter message is one too
    }
  }
}

TEST(GoldenMessages, EveryBodyAndHeaderRoundTrips) {
  int bodies = 0;
  for (const ApiInfo& api : all_apis()) {
    std::ifstream file(golden + "messages/" + std::string(api.name) + ".jsonl");
    ASSERT_TRUE(file) << api.name;
    for (std::string line; std::getline(file, line); ++bodies) {
      const bool request = value_of(line, "kind") == "request";
      const auto version = static_cast<std::int16_t>(std::stoi(value_of(line, "version")));
      const std::string name = std::string(api.name) + (request ? "Request" : "Response");
      const CatalogEntry* entry = find(request ? request_catalog() : response_catalog(), name);
      ASSERT_NE(entry, nullptr) << name;
      expect_unchanged(*entry, from_hex(value_of(line, "body")), version, line);
      const auto header_version = std::stoi(value_of(line, "headerVersion"));
      EXPECT_EQ(header_version, request ? request_header_version(api, version)
                                        : response_header_version(api, version));
      const CatalogEntry* header =
          find(record_catalog(), request ? "RequestHeader" : "ResponseHeader");
      const Bytes header_bytes = from_hex(value_of(line, "header"));
      expect_unchanged(*header, header_bytes, static_cast<std::int16_t>(header_version), line);
      if (request) {
        const auto head = read_request_head(header_bytes);
        ASSERT_TRUE(head) << line.substr(0, 200);
        EXPECT_EQ(head->size_bytes, header_bytes.size());
        EXPECT_EQ(head->version, version);
      }
    }
  }
  EXPECT_GT(bodies, 900);
}

TEST(GoldenRecords, EveryStoredRecordRoundTrips) {
  std::ifstream file(golden + "records.jsonl");
  ASSERT_TRUE(file);
  int records = 0;
  int framed = 0;
  for (std::string line; std::getline(file, line); ++records) {
    const CatalogEntry* entry = find(record_catalog(), value_of(line, "type"));
    ASSERT_NE(entry, nullptr) << line.substr(0, 200);
    const auto version = static_cast<std::int16_t>(std::stoi(value_of(line, "version")));
    expect_unchanged(*entry, from_hex(value_of(line, "hex")), version, line);
    if (value_of(line, "kind") != "metadata" || value_of(line, "log") != "metadata") continue;
    const Bytes value = from_hex(value_of(line, "framed"));
    const auto record = decode_metadata_record(value);
    ASSERT_TRUE(record) << record.error().message << line.substr(0, 200);
    EXPECT_EQ(record->version, version);
    EXPECT_EQ(record_name(record->record), value_of(line, "type"));
    EXPECT_EQ(*encode_metadata_record(record->record, version), value);
    Bytes longer = value;
    longer.push_back(0);
    EXPECT_FALSE(decode_metadata_record(longer));
    ++framed;
  }
  EXPECT_GT(records, 200);
  EXPECT_GT(framed, 40);
}

TEST(HostileBytes, HugeCountsFailWithoutMemory) {
  for (const auto catalog : {request_catalog(), response_catalog()}) {
    for (const CatalogEntry& entry : catalog) {
      for (std::int16_t version = entry.min_version; version <= entry.max_version; ++version) {
        for (const std::uint8_t filler : Bytes{0x7f, 0xff, 0x80, 0x01}) {
          // Whatever it means, it ends: a value, or an error.
          static_cast<void>(entry.recode(Slice(Bytes(40, filler)), version));
        }
      }
    }
  }
}

}  // namespace
}  // namespace arus::protocol
