"""Writes the lists of all APIs and all records: keys, versions, listeners, and how to decode each."""

from model import snake_case


def api_key_header(apis):
    lines = ["// The APIs of the protocol by number. Generated from schema/.", "#pragma once", "",
             "#include <cstdint>", "#include <span>", "#include <string_view>", "",
             "namespace arus::protocol {", "", "enum class ApiKey : std::int16_t {"]
    lines += [f"  {snake_case(a.name)} = {a.key}," for a in apis]
    lines += ["};", "", "struct VersionRange {", "  std::int16_t min = 0;", "  std::int16_t max = -1;",
              "  [[nodiscard]] bool contains(std::int16_t version) const {",
              "    return version >= min && version <= max;", "  }",
              "  [[nodiscard]] bool empty() const { return min > max; }", "};", "",
              "// What is known of an API apart from its fields.", "struct ApiInfo {", "  ApiKey key;",
              "  std::string_view name;       // \"CreateTopics\"",
              "  VersionRange versions;       // of the schema",
              "  VersionRange advertised;     // what a node lists that serves it; may be empty",
              "  std::int16_t first_flexible_version;",
              "  bool on_broker;              // listeners that serve it", "  bool on_controller;",
              "};", "", "// Null for a number that no API has.",
              "const ApiInfo* api_info(std::int16_t key);",
              "inline const ApiInfo& api_info(ApiKey key) {",
              "  return *api_info(static_cast<std::int16_t>(key));", "}",
              "// All, in order of their numbers.", "std::span<const ApiInfo> all_apis();", "",
              "}  // namespace arus::protocol", ""]
    return "\n".join(lines)


def api_key_source(apis):
    lines = ['#include "protocol/api_key.h"', "", "#include <array>", "", "namespace arus::protocol {",
             "namespace {", "", f"constexpr std::array<ApiInfo, {len(apis)}> infos = {{{{"]
    for a in apis:
        v = a.request.versions
        ad = "{0, -1}" if a.advertised is None else f"{{{a.advertised.low}, {a.advertised.high}}}"
        lines.append(f'    {{ApiKey::{snake_case(a.name)}, "{a.name}", {{{v.low}, {v.high}}}, {ad}, '
                     f"{a.request.flexible.low}, {str('broker' in a.listeners).lower()}, "
                     f"{str('controller' in a.listeners).lower()}}},")
    lines += ["}};", "", "}  // namespace", "", "const ApiInfo* api_info(std::int16_t key) {",
              "  for (const ApiInfo& info : infos) {",
              "    if (static_cast<std::int16_t>(info.key) == key) return &info;", "  }",
              "  return nullptr;", "}", "",
              "std::span<const ApiInfo> all_apis() { return infos; }", "",
              "}  // namespace arus::protocol", ""]
    return "\n".join(lines)


def metadata_header(records):
    lines = ["// The records of the metadata log as one type. Generated from schema/.", "#pragma once",
             "", "#include <variant>", ""]
    lines += [f'#include "protocol/record/{snake_case(r.name)}.h"' for r in records]
    lines += ["", "namespace arus::protocol {", "",
              "using MetadataRecord = std::variant<"]
    lines += [f"    {r.name}," for r in records[:-1]] + [f"    {records[-1].name}>;"]
    lines += ["", "}  // namespace arus::protocol", ""]
    return "\n".join(lines)


def catalog_header():
    return """// Every message by name, to be decoded without knowing its type. Generated from schema/.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace arus::protocol {

// What one message became: written again, and whether the size it announced was exact.
struct Recoded {
  Bytes bytes;
  bool exact_size = false;
  bool equal_to_copy = false;
};

struct CatalogEntry {
  std::string_view name;  // "FetchRequest", "TopicRecord"
  std::int16_t key;       // of the API or the record; -1 for what has none
  std::int16_t min_version;
  std::int16_t max_version;
  // Decodes the whole of `body` and encodes it again.
  Result<Recoded> (*recode)(const Slice& body, std::int16_t version);
};

std::span<const CatalogEntry> request_catalog();
std::span<const CatalogEntry> response_catalog();
std::span<const CatalogEntry> record_catalog();

}  // namespace arus::protocol
"""


def catalog_source(name, messages, includes):
    lines = ['#include "protocol/catalog.h"', "", "#include <array>", "",
             '#include "protocol/recode.h"']
    lines += [f'#include "{include}"' for include in includes]
    lines += ["", "namespace arus::protocol {", "namespace {", "",
              f"constexpr std::array<CatalogEntry, {len(messages)}> entries = {{{{"]
    for m in messages:
        key = -1 if m.key is None else m.key
        lines.append(f'    {{"{m.name}", {key}, {m.versions.low}, {m.versions.high}, '
                     f"&recode<{m.name}>}},")
    lines += ["}};", "", "}  // namespace", "",
              f"std::span<const CatalogEntry> {name}_catalog() {{ return entries; }}", "",
              "}  // namespace arus::protocol", ""]
    return "\n".join(lines)
