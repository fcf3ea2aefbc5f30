"""Writes the C++ header of a message: its structs, declarations only."""

from cpp_struct import default_value, member_type

INCLUDES = """\
#pragma once

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

PUBLIC_FUNCTIONS = """\
// Large bytes are slices of `body`; what follows the message in it is an error.
static Result<{name}> decode(const Slice& body, std::int16_t version);
// From where the reader stands; bytes are copied; what follows is left.
static Result<{name}> decode(Reader& in, std::int16_t version);
void encode(Writer& out, std::int16_t version) const;
[[nodiscard]] std::size_t encoded_size(std::int16_t version) const;
// Why this value cannot be said in that version, or success.
[[nodiscard]] Result<> check(std::int16_t version) const;
"""

FUNCTIONS = """\
void read(Decoder& in, std::int16_t version);
void write(Encoder& out, std::int16_t version) const;
[[nodiscard]] const char* unsayable(std::int16_t version) const;
void print(MessagePrinter& out) const;
bool operator==(const {name}&) const = default;
"""


def indented(lines):
    return ["  " + line if line else "" for line in lines]


def struct_lines(struct, flexible, before=(), public=()):
    inside = [*before]
    inside += [f"{member_type(field)} {field.member}{default_value(field)};"
               for field in struct.fields]
    if flexible:
        inside.append("UnknownTags unknown_tags;")
    inside += ["", *public, *FUNCTIONS.format(name=struct.name).splitlines()]
    return [f"struct {struct.name} {{", *indented(inside), "};"]


def constants(message, response):
    lines = []
    if message.key is not None:
        name = "api_key" if message.kind in ("request", "response") else "record_key"
        lines.append(f"static constexpr std::int16_t {name} = {message.key};")
    lines += [f'static constexpr std::string_view message_name = "{message.name}";',
              f"static constexpr std::int16_t min_version = {message.versions.low};",
              f"static constexpr std::int16_t max_version = {message.versions.high};",
              f"static constexpr std::int16_t first_flexible_version = {message.flexible.low};"]
    if response:
        lines.append(f"using Response = {response};")
    return lines + [""]


def message_lines(message, response=None):
    flexible = not message.flexible.empty
    before = constants(message, response)
    for struct in message.structs:
        before += struct_lines(struct, flexible) + [""]
    public = PUBLIC_FUNCTIONS.format(name=message.name).splitlines()
    return struct_lines(message.root, flexible, before, public)


def header(title, messages, responses=None):
    lines = [f"// {title}. Generated from schema/.", INCLUDES]
    lines += [f"struct {name};" for name in sorted(set((responses or {}).values()))]
    for message in messages:
        lines += ["", *message_lines(message, (responses or {}).get(message.name))]
    lines += ["", "}  // namespace arus::protocol"]
    return "\n".join(lines) + "\n"
