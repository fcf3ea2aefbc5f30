#include "record/golden_batches.h"

#include <gtest/gtest.h>

#include <fstream>
#include <stdexcept>

namespace arus::record {
namespace {

// As much JSON as the golden files have.
struct Json {
  std::variant<std::monostate, bool, std::int64_t, std::string, std::vector<Json>,
               std::map<std::string, Json>>
      value;

  const std::map<std::string, Json>& object() const {
    return std::get<std::map<std::string, Json>>(value);
  }
  const Json* find(const std::string& name) const {
    const auto found = object().find(name);
    return found == object().end() ? nullptr : &found->second;
  }
  bool is_null() const { return std::holds_alternative<std::monostate>(value); }
  const std::string& text() const { return std::get<std::string>(value); }
};

class JsonParser {
 public:
  explicit JsonParser(std::string_view text) : text_(text) {}
  Json parse() {
    Json json = element();
    if (at_ != text_.size()) throw std::runtime_error("JSON goes on");
    return json;
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool accept(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  void expect(std::string_view token) {
    if (!accept(token)) throw std::runtime_error("JSON wants " + std::string(token));
  }
  Json element() {
    if (accept("null")) return {};
    if (accept("true")) return {true};
    if (accept("false")) return {false};
    if (peek() == '"') return {string()};
    if (accept("[")) return {array()};
    if (accept("{")) return {object()};
    return {number()};
  }
  std::string string() {
    expect("\"");
    std::string text;
    while (peek() != '"') {
      if (peek() == '\\' || peek() == '\0') throw std::runtime_error("JSON escape");
      text.push_back(text_[at_++]);
    }
    ++at_;
    return text;
  }
  std::int64_t number() {
    std::size_t used = 0;
    const auto value = std::stoll(std::string(text_.substr(at_, 24)), &used);
    at_ += used;
    return value;
  }
  std::vector<Json> array() {
    std::vector<Json> items;
    while (!accept("]")) {
      if (!items.empty()) expect(",");
      items.push_back(element());
    }
    return items;
  }
  std::map<std::string, Json> object() {
    std::map<std::string, Json> members;
    while (!accept("}")) {
      if (!members.empty()) expect(",");
      std::string name = string();
      expect(":");
      members.emplace(std::move(name), element());
    }
    return members;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Bytes from_hex(const std::string& hex) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

// A field is text under its own name, or binary under its name and "Hex".
std::optional<Bytes> field(const Json& json, const std::string& name) {
  if (const Json* hex = json.find(name + "Hex")) return from_hex(hex->text());
  const Json* text = json.find(name);
  if (text == nullptr || text->is_null()) return std::nullopt;
  const ByteView view = as_bytes(text->text());
  return Bytes{view.begin(), view.end()};
}

GoldenRecord record_of(const Json& json) {
  GoldenRecord record;
  record.offset = std::get<std::int64_t>(json.find("offset")->value);
  record.timestamp_ms = std::get<std::int64_t>(json.find("timestamp")->value);
  record.key = field(json, "key");
  record.value = field(json, "value");
  if (const Json* headers = json.find("headers")) {
    for (const Json& header : std::get<std::vector<Json>>(headers->value)) {
      record.headers.push_back({header.find("name")->text(), field(header, "value")});
    }
  }
  if (const Json* control = json.find("control")) {
    record.control_type = control->find("type")->text();
  }
  return record;
}

GoldenBatch batch_of(const Json& json) {
  const auto number = [&](const char* name, std::int64_t fallback) {
    const Json* found = json.find(name);
    return found == nullptr ? fallback : std::get<std::int64_t>(found->value);
  };
  const auto flag = [&](const char* name) {
    const Json* found = json.find(name);
    return found != nullptr && std::get<bool>(found->value);
  };
  GoldenBatch batch;
  batch.name = json.find("name")->text();
  batch.bytes = from_hex(json.find("hex")->text());
  batch.magic = number("magic", -1);
  batch.base_offset = number("baseOffset", -1);
  batch.last_offset = number("lastOffset", -1);
  batch.compression = json.find("compression")->text();
  batch.timestamp_type = json.find("timestampType")->text();
  batch.max_timestamp_ms = number("maxTimestamp", -1);
  batch.crc = number("crc", -1);
  batch.leader_epoch = number("partitionLeaderEpoch", -1);
  batch.base_timestamp_ms = number("baseTimestamp", -1);
  batch.attributes = number("attributes", 0);
  batch.producer_id = number("producerId", -1);
  batch.producer_epoch = number("producerEpoch", -1);
  batch.base_sequence = number("baseSequence", -1);
  batch.transactional = flag("transactional");
  batch.control = flag("control");
  for (const Json& record : std::get<std::vector<Json>>(json.find("records")->value)) {
    batch.records.push_back(record_of(record));
  }
  return batch;
}

}  // namespace

std::vector<GoldenBatch> load_golden_batches() {
  std::ifstream file(ARUS_SOURCE_DIR "/tests/golden/batches.jsonl");
  if (!file) throw std::runtime_error("tests/golden/batches.jsonl is absent");
  std::vector<GoldenBatch> batches;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) batches.push_back(batch_of(JsonParser{line}.parse()));
  }
  return batches;
}

GoldenBatch golden_batch(const std::string& name) {
  for (auto& batch : load_golden_batches()) {
    if (batch.name == name) return batch;
  }
  throw std::runtime_error("no golden batch is named " + name);
}

TEST(GoldenBatches, CoverEveryFormatAndCodec) {
  std::set<std::pair<std::int64_t, std::string>> seen;
  for (const auto& batch : load_golden_batches()) seen.emplace(batch.magic, batch.compression);
  for (const auto* codec : {"none", "gzip", "snappy", "lz4", "zstd"}) {
    EXPECT_TRUE(seen.contains({2, codec})) << codec;
  }
  EXPECT_TRUE(seen.contains({0, "gzip"}));
  EXPECT_TRUE(seen.contains({1, "gzip"}));
}

}  // namespace arus::record
