// From a line of text to a record, by the rules of Kafka's console producer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "client/record.h"
#include "config/config_table.h"

namespace arus::cli {

// What separates what: `h1:a,h2:b<TAB>key<TAB>value`, of which headers and key are there when they
// are parsed. A part that equals the null marker is null (headers: none).
struct LineFormat {
  bool parse_key = false;
  bool parse_headers = false;
  bool ignore_error = false;  // a line without a separator is a value, a pair without one a key
  std::string key_separator = "\t";
  std::string headers_delimiter = "\t";  // between headers and the rest
  std::string headers_separator = ",";
  std::string header_key_separator = ":";
  std::optional<std::string> null_marker;
};

// Reads Kafka's property names: parse.key, key.separator, …; others are left alone. An error when
// separators that must differ are the same.
Result<LineFormat> line_format(const config::ConfigMap& properties);

// The record without its topic. `line_number` counts from 1 and stands in errors.
Result<client::ProducerRecord> parse_line(const LineFormat& format, std::string_view line,
                                          std::size_t line_number);

}  // namespace arus::cli
