"""Writes C++ that prints stored records as JSON, as Kafka's own dump shows them."""

from cpp_struct import both, not_default


def value_lines(entry, access, pad):
    """C++ that writes one value that is neither null nor an array."""
    kind = entry.type
    if entry.struct:
        return [f"{pad}write(json, {access}, version);"]
    if kind == "string":
        return [f"{pad}json.text({access});"]
    if kind in ("bytes", "records"):
        return [f"{pad}json.text(encode_base64({access}.view()));"]
    if kind == "uuid":
        return [f"{pad}json.text({access}.to_string());"]
    if kind == "bool":
        return [f"{pad}json.boolean({access});"]
    if kind == "float64":
        return [f'{pad}json.raw(fmt::format("{{:#}}", {access}));']
    if entry.type == "int16" and entry.name.endswith("ErrorCode"):
        return [f"{pad}json.number(static_cast<std::int16_t>({access}));"]
    if entry.entity in ("brokerId", "producerId") and kind in ("int32", "int64") and \
            (entry.entity == "brokerId") == (kind == "int32"):
        return [f"{pad}json.number({access}.value());"]
    return [f"{pad}json.number({access});"]


def field_lines(entry, known):
    access = f"from.{entry.member}"
    pad = "  "
    body = [f'json.key("{entry.json_name}");']
    inner = f"(*{access})" if not entry.nullable.empty else access
    if entry.array:
        value = ["json.begin_array();", f"for (const auto& item : {inner}) {{"]
        value += value_lines(entry, "item", pad)
        value += ["}", "json.end_array();"]
    else:
        value = value_lines(entry, inner, "")
    if not entry.nullable.empty:
        value = [f"if (!{access}) {{", "  json.null();", "} else {"] + \
                [pad + line for line in value] + ["}"]
    body += value
    conditions = [entry.versions.condition(known)]
    if entry.tag is not None:
        tagged = entry.tagged.condition(known)
        given = not_default(entry, access)
        conditions.append(given if tagged == "true" else f"(!({tagged}) || {given})")
    condition = both(*conditions)
    if condition == "false":
        return []
    if condition == "true":
        return [pad + line for line in body]
    return [f"{pad}if ({condition}) {{"] + [f"{pad}  {line}" for line in body] + [f"{pad}}}"]


def function_lines(struct, name):
    lines = [f"void write(JsonWriter& json, const {name}& from,",
             "           [[maybe_unused]] std::int16_t version) {", "  json.begin_object();"]
    if not struct.fields:
        lines.insert(2, "  static_cast<void>(from);")
    for entry in struct.fields:
        lines += field_lines(entry, struct.versions)
    return lines + ["  json.end_object();", "}", ""]


def header(messages, includes):
    lines = ["// Stored records as JSON. Generated from schema/.", "#pragma once", "",
             "#include <cstdint>", "#include <string>", ""]
    lines += [f'#include "{include}"' for include in includes]
    lines += ["", "namespace arus::protocol {", "",
              "// The fields that this version carries, by the schema's names beginning in lower",
              "// case; bytes as base64, ids as Kafka writes them; tagged fields where they differ",
              "// from their default."]
    lines += [f"std::string to_json(const {m.name}& message, std::int16_t version);"
              for m in messages]
    return "\n".join(lines + ["", "}  // namespace arus::protocol", ""])


def source(messages):
    lines = ['#include "protocol/record_json.h"', "", "#include <fmt/core.h>", "",
             '#include "base/base64.h"', '#include "base/json.h"', "",
             "namespace arus::protocol {", "namespace {", ""]
    for message in messages:
        for struct in message.structs:
            lines += function_lines(struct, f"{message.name}::{struct.name}")
        lines += function_lines(message.root, message.name)
    lines += ["}  // namespace", ""]
    for message in messages:
        lines += [f"std::string to_json(const {message.name}& message, std::int16_t version) {{",
                  "  JsonWriter json;", "  write(json, message, version);",
                  "  return json.take();", "}", ""]
    return "\n".join(lines + ["}  // namespace arus::protocol", ""])
