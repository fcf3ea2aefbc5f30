#include "cli/record_printer.h"

#include <fmt/core.h>

#include <bit>

#include "base/endian.h"
#include "cli/java_text.h"
#include "cli/json.h"

namespace arus::cli {
namespace {

struct DeserializerName {
  std::string_view name;
  Deserializer deserializer;
};
constexpr DeserializerName deserializer_names[] = {
    {"StringDeserializer", Deserializer::text},   {"ByteArrayDeserializer", Deserializer::text},
    {"BytesDeserializer", Deserializer::text},    {"ShortDeserializer", Deserializer::int16},
    {"IntegerDeserializer", Deserializer::int32}, {"LongDeserializer", Deserializer::int64},
    {"FloatDeserializer", Deserializer::float32}, {"DoubleDeserializer", Deserializer::float64},
    {"UUIDDeserializer", Deserializer::uuid},
};

Result<std::string> field_text(const RecordFormat& format, Deserializer deserializer,
                               const std::optional<Bytes>& bytes, std::string_view what) {
  if (!bytes) return format.null_literal;
  auto text = deserialize(deserializer, *bytes);
  if (!text) {
    return fail(ErrorCode::invalid_record,
                fmt::format("Size of data received by the deserializer of the {} is not what it "
                            "expects: {} bytes",
                            what, bytes->size()));
  }
  return std::move(*text);
}

std::string_view timestamp_name(record::TimestampType type) {
  return type == record::TimestampType::create_time ? "CreateTime" : "LogAppendTime";
}

}  // namespace

std::optional<Deserializer> parse_deserializer(std::string_view class_name) {
  const auto dot = class_name.rfind('.');
  if (dot != std::string_view::npos) class_name.remove_prefix(dot + 1);
  for (const auto& known : deserializer_names) {
    if (known.name == class_name) return known.deserializer;
  }
  return std::nullopt;
}

std::optional<std::string> deserialize(Deserializer deserializer, ByteView bytes) {
  const auto sized = [&](std::size_t size) { return bytes.size() == size; };
  switch (deserializer) {
    case Deserializer::text:
      return std::string(as_text(bytes));
    case Deserializer::int16:
      if (!sized(2)) return std::nullopt;
      return std::to_string(load_big<std::int16_t>(bytes.data()));
    case Deserializer::int32:
      if (!sized(4)) return std::nullopt;
      return std::to_string(load_big<std::int32_t>(bytes.data()));
    case Deserializer::int64:
      if (!sized(8)) return std::nullopt;
      return std::to_string(load_big<std::int64_t>(bytes.data()));
    case Deserializer::float32:
      if (!sized(4)) return std::nullopt;
      return java_float(std::bit_cast<float>(load_big<std::uint32_t>(bytes.data())));
    case Deserializer::float64:
      if (!sized(8)) return std::nullopt;
      return java_double(std::bit_cast<double>(load_big<std::uint64_t>(bytes.data())));
    case Deserializer::uuid:
      return std::string(as_text(bytes));
  }
  return std::nullopt;
}

Result<RecordFormat> record_format(const config::ConfigMap& properties) {
  RecordFormat format;
  const auto flag = [&](const char* name, bool& into) {
    if (const auto found = properties.find(name); found != properties.end()) {
      into = found->second == "true" || found->second == "TRUE" || found->second == "True";
    }
  };
  const auto text = [&](const char* name, std::string& into) {
    if (const auto found = properties.find(name); found != properties.end()) into = found->second;
  };
  flag("print.timestamp", format.print_timestamp);
  flag("print.partition", format.print_partition);
  flag("print.offset", format.print_offset);
  flag("print.delivery", format.print_delivery);
  flag("print.epoch", format.print_epoch);
  flag("print.headers", format.print_headers);
  flag("print.key", format.print_key);
  flag("print.value", format.print_value);
  text("key.separator", format.key_separator);
  text("line.separator", format.line_separator);
  text("headers.separator", format.headers_separator);
  text("null.literal", format.null_literal);
  struct Kind {
    const char* name;
    Deserializer* into;
  };
  for (const auto& kind :
       {Kind{"key.deserializer", &format.key}, Kind{"value.deserializer", &format.value},
        Kind{"headers.deserializer", &format.header}}) {
    const auto found = properties.find(kind.name);
    if (found == properties.end()) continue;
    const auto deserializer = parse_deserializer(found->second);
    if (!deserializer) {
      return fail(ErrorCode::invalid_config,
                  fmt::format("{}={} is none of Kafka's own deserializers, the only ones that are "
                              "built in",
                              kind.name, found->second));
    }
    *kind.into = *deserializer;
  }
  return format;
}

Result<std::string> print_record(const RecordFormat& format, const client::ConsumerRecord& record) {
  std::string line;
  bool first = true;
  const auto part = [&](std::string_view text) {
    if (!first) line += format.key_separator;
    first = false;
    line += text;
  };
  if (format.print_timestamp) {
    part(record.timestamp_ms < 0
             ? std::string("NO_TIMESTAMP")
             : fmt::format("{}:{}", timestamp_name(record.timestamp_type), record.timestamp_ms));
  }
  if (format.print_partition) part(fmt::format("Partition:{}", record.partition));
  if (format.print_offset) part(fmt::format("Offset:{}", record.offset.value()));
  // Neither comes with a record here; scripts see the words that Kafka's program prints.
  if (format.print_delivery) part("Delivery:NOT_PRESENT");
  if (format.print_epoch) part("Epoch:NOT_PRESENT");
  if (format.print_headers) {
    std::string headers;
    for (const auto& header : record.headers) {
      const auto value = field_text(format, format.header, header.value, "header");
      if (!value) return value;
      headers += fmt::format("{}{}:{}", headers.empty() ? "" : format.headers_separator, header.key,
                             *value);
    }
    part(record.headers.empty() ? "NO_HEADERS" : headers);
  }
  if (format.print_key) {
    const auto key = field_text(format, format.key, record.key, "key");
    if (!key) return key;
    part(*key);
  }
  if (format.print_value) {
    const auto value = field_text(format, format.value, record.value, "value");
    if (!value) return value;
    part(*value);
  }
  return line + format.line_separator;
}

std::string record_as_json(const client::ConsumerRecord& record) {
  JsonWriter json;
  json.begin_object();
  json.key("topic").text(*record.topic);
  json.key("partition").number(record.partition);
  json.key("offset").number(record.offset.value());
  json.key("timestamp").number(record.timestamp_ms);
  json.key("timestamp_type").text(timestamp_name(record.timestamp_type));
  json.key("key").raw(json_bytes(record.key));
  json.key("value").raw(json_bytes(record.value));
  json.key("headers").begin_array();
  for (const auto& header : record.headers) {
    json.begin_object();
    json.key("key").text(header.key);
    json.key("value").raw(json_bytes(header.value));
    json.end_object();
  }
  json.end_array().end_object();
  return json.take();
}

}  // namespace arus::cli
