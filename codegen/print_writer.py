"""Writes the C++ that prints messages as JSON, in the shape of Kafka's own tools."""

from cpp_struct import both, not_default


def field_lines(field, known):
    """A tagged field at its default is not printed: it would not be written either."""
    present = field.versions.within(known)
    conditions = []
    if not present.covers(known):
        conditions.append(f"out.has({present.low}, {present.high})")
    if not field.tagged.empty:
        conditions.append(not_default(field, f"this->{field.member}"))
    line = f'out.member("{field.json_name}", this->{field.member});'
    condition = both(*conditions)
    return [line] if condition == "true" else [f"if ({condition}) {line}"]


def print_function(scope, struct):
    lines = [f"void {scope}::print(MessagePrinter& out) const {{", "  out.begin_object();"]
    for field in struct.fields:
        lines += ["  " + line for line in field_lines(field, struct.versions)]
    return [*lines, "  out.end_object();", "}", ""]


def unit(own_include, includes, lines):
    head = [f'#include "{include}"' for include in [own_include, *includes]]
    return "\n".join([*head, "", "namespace arus::protocol {", "", *lines,
                      "}  // namespace arus::protocol", ""])


def printing(messages):
    lines = []
    for message in messages:
        for struct in message.structs:
            lines += print_function(f"{message.name}::{struct.name}", struct)
        lines += print_function(message.name, message.root)
    return lines


def typeless(messages):
    """What the catalog points at."""
    return [*(f"template Result<std::unique_ptr<AnyMessage>> decode_any<{message.name}>("
              "const Slice&, std::int16_t);" for message in messages), ""]
