"""Writes the lists of all APIs and all messages: keys, versions, listeners, how to decode each."""

from model import snake_case

API_KEY_HEADER = """\
// The APIs of the protocol by number. Generated from schema/.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace arus::protocol {{

enum class ApiKey : std::int16_t {{
{keys}
}};

struct VersionRange {{
  std::int16_t min = 0;
  std::int16_t max = -1;
  [[nodiscard]] bool contains(std::int16_t version) const {{
    return version >= min && version <= max;
  }}
  [[nodiscard]] bool empty() const {{ return min > max; }}
}};

// What is known of an API apart from its fields.
struct ApiInfo {{
  ApiKey key;
  std::string_view name;       // "CreateTopics"
  VersionRange versions;       // of the schema
  VersionRange advertised;     // what a node lists that serves it; may be empty
  std::int16_t first_flexible_version;
  bool on_broker;              // listeners that serve it
  bool on_controller;
}};

// Null for a number that no API has.
const ApiInfo* api_info(std::int16_t key);
inline const ApiInfo& api_info(ApiKey key) {{
  return *api_info(static_cast<std::int16_t>(key));
}}
// All, in order of their numbers.
std::span<const ApiInfo> all_apis();

}}  // namespace arus::protocol
"""

API_KEY_SOURCE = """\
#include "protocol/api_key.h"

#include <array>

namespace arus::protocol {{
namespace {{

constexpr std::array<ApiInfo, {count}> infos = {{{{
{rows}
}}}};

}}  // namespace

const ApiInfo* api_info(std::int16_t key) {{
  for (const ApiInfo& info : infos) {{
    if (static_cast<std::int16_t>(info.key) == key) return &info;
  }}
  return nullptr;
}}

std::span<const ApiInfo> all_apis() {{ return infos; }}

}}  // namespace arus::protocol
"""


def api_key_header(apis):
    return API_KEY_HEADER.format(keys="\n".join(f"  {snake_case(a.name)} = {a.key}," for a in apis))


def api_row(api):
    versions = api.request.versions
    advertised = "0, -1" if api.advertised is None else \
        f"{api.advertised.low}, {api.advertised.high}"
    serves = ", ".join(str(name in api.listeners).lower() for name in ("broker", "controller"))
    return (f'    {{ApiKey::{snake_case(api.name)}, "{api.name}", '
            f"{{{versions.low}, {versions.high}}}, {{{advertised}}}, "
            f"{api.request.flexible.low}, {serves}}},")


def api_key_source(apis):
    return API_KEY_SOURCE.format(count=len(apis), rows="\n".join(map(api_row, apis)))


METADATA_HEADER = """\
// The records of the metadata log as one type. Generated from schema/.
#pragma once

#include <variant>

{includes}

namespace arus::protocol {{

using MetadataRecordKinds = std::variant<
{kinds}>;

// One record of any kind; std::visit and its like take it. Copying, moving and destroying it are
// a page of code for each kind, which only one source compiles.
class MetadataRecord : public MetadataRecordKinds {{
 public:
  MetadataRecord();
  MetadataRecord(const MetadataRecord& other);
  MetadataRecord(MetadataRecord&& other) noexcept;
  MetadataRecord& operator=(const MetadataRecord& other);
  MetadataRecord& operator=(MetadataRecord&& other) noexcept;
  ~MetadataRecord();

{constructors}

  friend bool operator==(const MetadataRecord& left, const MetadataRecord& right);
}};

}}  // namespace arus::protocol
"""

METADATA_SOURCE = """\
#include "protocol/metadata_record.h"

namespace arus::protocol {{

MetadataRecord::MetadataRecord() = default;
MetadataRecord::MetadataRecord(const MetadataRecord& other) = default;
MetadataRecord::MetadataRecord(MetadataRecord&& other) noexcept = default;
MetadataRecord& MetadataRecord::operator=(const MetadataRecord& other) = default;
MetadataRecord& MetadataRecord::operator=(MetadataRecord&& other) noexcept = default;
MetadataRecord::~MetadataRecord() = default;

{constructors}

bool operator==(const MetadataRecord& left, const MetadataRecord& right) {{
  return static_cast<const MetadataRecordKinds&>(left) ==
         static_cast<const MetadataRecordKinds&>(right);
}}

}}  // namespace arus::protocol
"""


def metadata_header(records):
    return METADATA_HEADER.format(
        includes="\n".join(f'#include "protocol/record/{snake_case(r.name)}.h"' for r in records),
        kinds=",\n".join(f"    {r.name}" for r in records),
        constructors="\n".join(f"  MetadataRecord({r.name} record);" for r in records))


def metadata_source(records):
    return METADATA_SOURCE.format(constructors="\n".join(
        f"MetadataRecord::MetadataRecord({r.name} record)\n"
        "    : MetadataRecordKinds(std::move(record)) {}" for r in records))


def record_json_header(includes):
    lines = ["// All stored records, and printing them. Generated from schema/.",
             "#pragma once", "", '#include "protocol/print.h"',
             *(f'#include "{include}"' for include in includes)]
    return "\n".join([*lines, ""])


def catalog_source(groups):
    """The catalogs of all messages: groups of (name of the catalog, its messages)."""
    everything = [message for _, messages in groups for message in messages]
    lines = ['#include "protocol/catalog.h"', "", "#include <array>", "",
             "namespace arus::protocol {", "",
             *(f"struct {message.name};" for message in everything), "",
             "// Defined where the messages are.", "template <class Message>",
             "Result<std::unique_ptr<AnyMessage>> decode_any(const Slice& body, "
             "std::int16_t version);", ""]
    for name, messages in groups:
        lines += ["namespace {", "",
                  f"constexpr std::array<CatalogEntry, {len(messages)}> {name}_entries = {{{{"]
        for m in messages:
            key = -1 if m.key is None else m.key
            lines.append(f'    {{"{m.name}", "{m.kind}", {key}, {m.versions.low}, '
                         f"{m.versions.high}, {m.flexible.low}, &decode_any<{m.name}>}},")
        lines += ["}};", "", "}  // namespace", "",
                  f"std::span<const CatalogEntry> {name}_catalog() {{ return {name}_entries; }}",
                  ""]
    return "\n".join([*lines, "}  // namespace arus::protocol", ""])
