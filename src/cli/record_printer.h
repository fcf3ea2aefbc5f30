// How consumed records are printed: as Kafka's console consumer does, or as JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "client/record.h"
#include "config/config_table.h"

namespace arus::cli {

// What the bytes of a key, a value or a header stand for.
enum class Deserializer : std::uint8_t {
  text,
  int16,
  int32,
  int64,
  float32,
  float64,
  uuid,
};
// By the name of Kafka's class, with or without its package.
std::optional<Deserializer> parse_deserializer(std::string_view class_name);

// Nothing for bytes of the wrong length.
std::optional<std::string> deserialize(Deserializer deserializer, ByteView bytes);

struct RecordFormat {
  bool print_timestamp = false;
  bool print_partition = false;
  bool print_offset = false;
  bool print_delivery = false;
  bool print_epoch = false;
  bool print_headers = false;
  bool print_key = false;
  bool print_value = true;
  std::string key_separator = "\t";
  std::string line_separator = "\n";
  std::string headers_separator = ",";
  std::string null_literal = "null";
  Deserializer key = Deserializer::text;
  Deserializer value = Deserializer::text;
  Deserializer header = Deserializer::text;
};

// Reads Kafka's property names: print.key, key.separator, null.literal, key.deserializer, …
Result<RecordFormat> record_format(const config::ConfigMap& properties);

// An error where bytes cannot be what the deserializer says.
Result<std::string> print_record(const RecordFormat& format, const client::ConsumerRecord& record);

// One line of JSON with topic, partition, offset, timestamp, key, value, headers. Bytes that are
// not UTF-8 stand as {"base64": "…"}.
std::string record_as_json(const client::ConsumerRecord& record);

}  // namespace arus::cli
