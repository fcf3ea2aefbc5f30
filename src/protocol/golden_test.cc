// Bytes that Kafka 4.3.1 made: every header, body and stored record comes out as it went in, says
// the same, and fails cleanly when it is damaged.
#include <fstream>

#include "protocol/api_key.h"
#include "protocol/catalog.h"
#include "protocol/coordinator_record.h"
#include "protocol/header.h"
#include "protocol/record_codec.h"

namespace arus::protocol {
namespace {

// One line of a golden file.
struct Sample {
  std::string line;

  // The text or number behind "name": outside the fields that the line ends with.
  [[nodiscard]] std::string value_of(std::string_view name) const {
    const std::string label = '"' + std::string(name) + "\":";
    const std::size_t at = line.find(label);
    if (at == std::string::npos || at > line.find("\"json\":")) return {};
    std::size_t from = at + label.size();
    const bool quoted = line[from] == '"';
    if (quoted) ++from;
    return line.substr(from, line.find_first_of(quoted ? "\"" : ",}", from) - from);
  }
  [[nodiscard]] Bytes bytes_of(std::string_view name) const {
    const std::string text = value_of(name);
    Bytes bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
      bytes.push_back(static_cast<std::uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
    }
    return bytes;
  }
  [[nodiscard]] std::int16_t number_of(std::string_view name) const {
    return static_cast<std::int16_t>(std::stoi(value_of(name)));
  }
  [[nodiscard]] std::int16_t version() const { return number_of("version"); }
  // What Kafka says that the bytes mean.
  [[nodiscard]] std::string json() const {
    const std::size_t at = line.find("\"json\":") + 7;
    return line.substr(at, line.size() - 1 - at);
  }
};

std::vector<Sample> samples_of(const std::string& name) {
  std::ifstream file(std::string(ARUS_SOURCE_DIR) + "/tests/golden/" + name);
  std::vector<Sample> samples;
  for (std::string line; std::getline(file, line);) samples.push_back({line});
  return samples;
}

// Every sample of a request or response, with its entry in the catalog.
template <class Visit>
int for_each_message(const Visit& visit) {
  int count = 0;
  for (const ApiInfo& api : all_apis()) {
    for (const Sample& sample : samples_of("messages/" + std::string(api.name) + ".jsonl")) {
      const bool request = sample.value_of("kind") == "request";
      const auto* entry = find_entry(request ? request_catalog() : response_catalog(),
                                     std::string(api.name) + (request ? "Request" : "Response"));
      SCOPED_TRACE(sample.line.substr(0, 300));
      EXPECT_NE(entry, nullptr);
      if (entry != nullptr) visit(api, sample, *entry);
      ++count;
    }
  }
  return count;
}

void expect_round_trip(const CatalogEntry& entry, const Bytes& bytes, std::int16_t version) {
  const auto recoded = entry.recode(Slice(bytes), version);
  ASSERT_TRUE(recoded) << recoded.error().message;
  EXPECT_EQ(recoded->bytes, bytes);
  EXPECT_TRUE(recoded->exact_size);
  EXPECT_TRUE(recoded->reads_as_equal);
}

void expect_cuts_fail(const CatalogEntry& entry, const Bytes& bytes, std::int16_t version) {
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    const auto answer = entry.recode(Slice::copy_of(ByteView(bytes).first(cut)), version);
    EXPECT_FALSE(answer) << cut << " of " << bytes.size() << " bytes";
  }
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(entry.recode(Slice(longer), version));
}

TEST(GoldenMessages, EveryBodyRoundTrips) {
  EXPECT_GT(for_each_message([](const ApiInfo&, const Sample& sample, const CatalogEntry& entry) {
              expect_round_trip(entry, sample.bytes_of("body"), sample.version());
            }),
            900);
}

TEST(GoldenMessages, EveryBodyMeansWhatKafkaSaysItMeans) {
  for_each_message([](const ApiInfo&, const Sample& sample, const CatalogEntry& entry) {
    const auto json = entry.to_json(Slice(sample.bytes_of("body")), sample.version());
    ASSERT_TRUE(json);
    EXPECT_EQ(*json, sample.json());
  });
}

TEST(GoldenMessages, EveryHeaderRoundTrips) {
  for_each_message([](const ApiInfo& api, const Sample& sample, const CatalogEntry& body) {
    const bool request = body.kind == "request";
    const std::int16_t header_version = sample.number_of("headerVersion");
    EXPECT_EQ(header_version, request ? request_header_version(api, sample.version())
                                      : response_header_version(api, sample.version()));
    const Bytes header = sample.bytes_of("header");
    const auto* entry = find_entry(record_catalog(), request ? "RequestHeader" : "ResponseHeader");
    expect_round_trip(*entry, header, header_version);
    expect_cuts_fail(*entry, header, header_version);
    if (!request) return;
    const auto head = read_request_head(header);
    ASSERT_TRUE(head);
    EXPECT_EQ(head->size_bytes, header.size());
    EXPECT_EQ(head->api_key, static_cast<std::int16_t>(api.key));
    EXPECT_EQ(head->version, sample.version());
    EXPECT_EQ(head->correlation_id, 77);
  });
}

TEST(GoldenMessages, EveryCutFails) {
  for_each_message([](const ApiInfo&, const Sample& sample, const CatalogEntry& entry) {
    expect_cuts_fail(entry, sample.bytes_of("body"), sample.version());
  });
}

TEST(GoldenMessages, HugeNumbersAnywhereEndInAValueOrAnError) {
  const std::vector<Bytes> numbers = {{0x7f, 0xff, 0xff, 0xff},
                                      {0xff, 0xff, 0xff, 0xff, 0x0f},
                                      {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01},
                                      {0x80, 0x00}};
  for_each_message([&](const ApiInfo&, const Sample& sample, const CatalogEntry& entry) {
    const Bytes body = sample.bytes_of("body");
    for (std::size_t at = 0; at < body.size(); ++at) {
      for (const Bytes& number : numbers) {
        Bytes damaged = body;
        for (std::size_t i = 0; i < number.size() && at + i < body.size(); ++i) {
          damaged[at + i] = number[i];
        }
        const auto recoded = entry.recode(Slice(std::move(damaged)), sample.version());
        if (recoded) EXPECT_TRUE(recoded->exact_size);
      }
    }
  });
}

TEST(GoldenRecords, EveryStoredRecordRoundTripsAndMeansWhatKafkaSays) {
  const auto samples = samples_of("records.jsonl");
  EXPECT_GT(samples.size(), 200U);
  for (const Sample& sample : samples) {
    SCOPED_TRACE(sample.line.substr(0, 300));
    const CatalogEntry* entry = find_entry(record_catalog(), sample.value_of("type"));
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(entry->kind, sample.value_of("kind"));
    const Bytes body = sample.bytes_of("hex");
    expect_round_trip(*entry, body, sample.version());
    expect_cuts_fail(*entry, body, sample.version());
    const auto json = entry->to_json(Slice(body), sample.version());
    ASSERT_TRUE(json);
    EXPECT_EQ(*json, sample.json());
  }
}

TEST(GoldenRecords, EveryMetadataRecordRoundTripsInItsFrame) {
  int framed = 0;
  for (const Sample& sample : samples_of("records.jsonl")) {
    if (sample.value_of("kind") != "metadata" || sample.value_of("log") != "metadata") continue;
    SCOPED_TRACE(sample.line.substr(0, 300));
    const Bytes value = sample.bytes_of("framed");
    const auto record = decode_metadata_record(value);
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_EQ(record->version, sample.version());
    EXPECT_EQ(record_name(record->record), sample.value_of("type"));
    EXPECT_EQ(record_key(record->record), sample.number_of("id"));
    EXPECT_EQ(*encode_metadata_record(record->record, record->version), value);
    Bytes longer = value;
    longer.push_back(0);
    EXPECT_FALSE(decode_metadata_record(longer));
    ++framed;
  }
  EXPECT_GT(framed, 40);
}

TEST(GoldenRecords, CoordinatorRecordsBeginWithTheirTypeOrVersion) {
  int framed = 0;
  for (const Sample& sample : samples_of("records.jsonl")) {
    const std::string kind = sample.value_of("kind");
    if (!kind.starts_with("coordinator")) continue;
    const auto prefix = coordinator_prefix(sample.bytes_of("framed"));
    ASSERT_TRUE(prefix);
    EXPECT_EQ(*prefix, kind == "coordinator-key" ? sample.number_of("id") : sample.version());
    ++framed;
  }
  EXPECT_GT(framed, 40);
}

}  // namespace
}  // namespace arus::protocol
