"""Writes the C++ header of a message: its structs, declarations only."""

from cpp_struct import default_value, member_type


def struct_lines(struct, flexible, indent, extra=()):
    pad = " " * indent
    lines = [f"{pad}struct {struct.name} {{"]
    lines += [f"{pad}  {line}" for line in extra]
    for field in struct.fields:
        lines.append(f"{pad}  {member_type(field)} {field.member}{default_value(field)};")
    if flexible:
        lines.append(f"{pad}  UnknownTags unknown_tags;")
    lines += [f"{pad}  void read(Decoder& in, std::int16_t version);",
              f"{pad}  void encode(Writer& out, std::int16_t version) const;",
              f"{pad}  [[nodiscard]] std::size_t encoded_size(std::int16_t version) const;",
              f"{pad}  // Why this value cannot be said in that version, or success.",
              f"{pad}  [[nodiscard]] Result<> check(std::int16_t version) const;",
              f"{pad}  bool operator==(const {struct.name}&) const = default;",
              f"{pad}}};"]
    return lines


def message_lines(message, response=None):
    v = message.versions
    f = message.flexible
    extra = []
    if message.key is not None:
        name = "api_key" if message.kind in ("request", "response") else "record_key"
        extra.append(f"static constexpr std::int16_t {name} = {message.key};")
    extra += [f'static constexpr std::string_view message_name = "{message.name}";',
              f"static constexpr std::int16_t min_version = {v.low};",
              f"static constexpr std::int16_t max_version = {v.high};",
              f"static constexpr std::int16_t first_flexible_version = {f.low};"]
    if response:
        extra.append(f"using Response = {response};")
    extra.append("")
    for struct in message.structs:
        extra += struct_lines(struct, not f.empty, 0)
        extra.append("")
    root = struct_lines(message.root, not f.empty, 0, extra)
    root[-1:] = ["  // Slices point into `body`; bytes behind the message are an error.",
                 f"  static Result<{message.name}> decode(const Slice& body, std::int16_t version);",
                 "  // From where the reader stands; bytes are copied; what follows is left.",
                 f"  static Result<{message.name}> decode(Reader& in, std::int16_t version);",
                 "};"]
    return root


INCLUDES = """#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/uuid.h"
#include "protocol/wire.h"

namespace arus::protocol {
"""


def header(title, messages, responses=None):
    lines = [f"// {title}. Generated from schema/.", INCLUDES]
    for name in sorted(set((responses or {}).values())):
        lines.append(f"struct {name};")
    for message in messages:
        lines += message_lines(message, (responses or {}).get(message.name))
        lines.append("")
    lines.append("}  // namespace arus::protocol")
    return "\n".join(lines) + "\n"
