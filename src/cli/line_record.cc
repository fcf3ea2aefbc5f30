#include "cli/line_record.h"

#include <fmt/core.h>

namespace arus::cli {
namespace {

Bytes bytes_of(std::string_view text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}

std::optional<Bytes> value_of(const LineFormat& format, std::string_view text) {
  if (format.null_marker && text == *format.null_marker) return std::nullopt;
  return bytes_of(text);
}

// The part of the line up to the separator, which is cut off as well; nothing where it is missing
// and that may be.
Result<std::optional<std::string_view>> cut(const LineFormat& format, std::string_view& rest,
                                            std::string_view separator, std::string_view what,
                                            std::string_view line, std::size_t line_number) {
  const auto at = rest.find(separator);
  if (at == std::string_view::npos) {
    if (format.ignore_error) return std::nullopt;
    return fail(ErrorCode::invalid_request,
                fmt::format("No {} found on line number {}: '{}'", what, line_number, line));
  }
  const std::string_view part = rest.substr(0, at);
  rest.remove_prefix(at + separator.size());
  return part;
}

Result<> parse_headers(const LineFormat& format, std::string_view text, std::size_t line_number,
                       std::vector<client::RecordHeader>& headers) {
  while (!text.empty()) {
    const auto end = text.find(format.headers_separator);
    const std::string_view pair = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{}
                                         : text.substr(end + format.headers_separator.size());
    const auto at = pair.find(format.header_key_separator);
    if (at == std::string_view::npos) {
      if (!format.ignore_error) {
        return fail(ErrorCode::invalid_request,
                    fmt::format("No header key separator found in pair '{}' on line number {}",
                                pair, line_number));
      }
      headers.push_back({std::string(pair), std::nullopt});
      continue;
    }
    const std::string_view key = pair.substr(0, at);
    if (format.null_marker && key == *format.null_marker) {
      return fail(ErrorCode::invalid_request,
                  fmt::format("Header keys should not be equal to the null marker '{}' as they "
                              "can't be null",
                              key));
    }
    headers.push_back(
        {std::string(key), value_of(format, pair.substr(at + format.header_key_separator.size()))});
  }
  return {};
}

}  // namespace

Result<LineFormat> line_format(const config::ConfigMap& properties) {
  LineFormat format;
  const auto text = [&](const char* name, std::string& into) {
    if (const auto found = properties.find(name); found != properties.end()) into = found->second;
  };
  const auto flag = [&](const char* name, bool& into) {
    if (const auto found = properties.find(name); found != properties.end()) {
      into = found->second == "true" || found->second == "TRUE" || found->second == "True";
    }
  };
  flag("parse.key", format.parse_key);
  flag("parse.headers", format.parse_headers);
  flag("ignore.error", format.ignore_error);
  text("key.separator", format.key_separator);
  text("headers.delimiter", format.headers_delimiter);
  text("headers.separator", format.headers_separator);
  text("headers.key.separator", format.header_key_separator);
  if (const auto found = properties.find("null.marker"); found != properties.end()) {
    format.null_marker = found->second;
  }
  struct Named {
    const char* name;
    std::string value;
  };
  std::vector<Named> distinct{{"headers.delimiter", format.headers_delimiter},
                              {"headers.separator", format.headers_separator},
                              {"headers.key.separator", format.header_key_separator}};
  const auto clash = [&](const Named& a, const Named& b) -> Result<> {
    if (a.value != b.value) return {};
    return fail(ErrorCode::invalid_config,
                fmt::format("{} and {} may not be equal", a.name, b.name));
  };
  if (format.parse_headers) {
    for (std::size_t i = 0; i < distinct.size(); ++i) {
      for (std::size_t j = i + 1; j < distinct.size(); ++j)
        ARUS_TRY(clash(distinct[i], distinct[j]));
    }
  }
  if (format.null_marker) {
    ARUS_TRY(clash({"null.marker", *format.null_marker}, {"key.separator", format.key_separator}));
    for (const auto& separator : distinct) {
      ARUS_TRY(clash({"null.marker", *format.null_marker}, separator));
    }
  }
  for (const auto* separator : {&format.key_separator, &format.headers_delimiter,
                                &format.headers_separator, &format.header_key_separator}) {
    if (separator->empty()) {
      return fail(ErrorCode::invalid_config, "A separator must not be empty");
    }
  }
  return format;
}

Result<client::ProducerRecord> parse_line(const LineFormat& format, std::string_view line,
                                          std::size_t line_number) {
  client::ProducerRecord record;
  std::string_view rest = line;
  if (format.parse_headers) {
    const auto headers =
        cut(format, rest, format.headers_delimiter, "headers delimiter", line, line_number);
    if (!headers) return fail(headers.error());
    if (*headers && !(format.null_marker && **headers == *format.null_marker)) {
      ARUS_TRY(parse_headers(format, **headers, line_number, record.headers));
    }
  }
  if (format.parse_key) {
    const auto key = cut(format, rest, format.key_separator, "key separator", line, line_number);
    if (!key) return fail(key.error());
    if (*key) record.key = value_of(format, **key);
  }
  record.value = value_of(format, rest);
  return record;
}

}  // namespace arus::cli
