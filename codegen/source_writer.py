"""Writes the C++ source of a message: read, encode, size, check."""

from cpp_struct import FIXED_SIZE, READ, both, flexible_condition, min_size, not_default, wrapper


class StructSource:
    def __init__(self, message, struct):
        self.message = message
        self.struct = struct
        self.scope = message.name if struct is message.root else f"{message.name}::{struct.name}"
        self.known = message.versions
        self.flex = flexible_condition(message)
        self.untagged = [f for f in struct.fields if f.tag is None or
                         not self.known.within(f.versions).within(f.tagged) == self.known.within(f.versions)]
        self.tagged = sorted((f for f in struct.fields if f.tag is not None), key=lambda f: f.tag)

    def flexible(self, field=None):
        return "false" if field is not None and field.legacy else \
            {"true": "true", "false": "false"}.get(self.flex, "flexible")

    def prologue(self):
        return [f"  [[maybe_unused]] const bool flexible = {self.flex};"] if self.flexible() == "flexible" and \
            self.uses_flexible() else []

    def uses_flexible(self):
        return bool(not self.message.flexible.empty)

    def condition(self, field, tagged=False):
        if tagged:
            return field.versions.within(field.tagged).condition(self.known)
        if field.tag is not None:
            if field.tagged == field.versions:
                return "false"
            plain = field.versions.condition(self.known)
            return both(plain, f"!({field.tagged.condition(self.known)})")
        return field.versions.condition(self.known)

    @staticmethod
    def guarded(condition, lines):
        if condition == "true":
            return lines
        if condition == "false":
            return []
        return [f"if ({condition}) {{"] + ["  " + line for line in lines] + ["}"]

    # Reading

    def read_value(self, field):
        if field.type == "string":
            return f"read_string(in, {self.flexible(field)})"
        if field.type in ("bytes", "records"):
            return f"read_bytes(in, {self.flexible(field)})"
        value = f"in.{READ[field.type]}()"
        kind = wrapper(field)
        if kind == "ErrorCode":
            return f"static_cast<ErrorCode>({value})"
        return f"{kind}{{{value}}}" if kind else value

    def read_field(self, field):
        member = f"this->{field.member}"
        nullable = not field.nullable.empty
        null_ok = field.nullable.condition(self.known)
        flex = self.flexible(field)
        if field.array:
            least = min_size(field.struct, self.known) if field.struct else \
                FIXED_SIZE.get(field.type, 1)
            into = f"{member}.emplace()" if nullable else member
            lines = [f"const std::int32_t count = read_count(in, {flex}, {least});",
                     "if (count < 0) {"]
            if nullable:
                lines += [f"  if (!({null_ok})) in.fail();" if null_ok != "true" else "",
                          f"  {member}.reset();"]
            else:
                lines += ["  in.fail();"]
            lines += ["} else {", f"  auto& items = {into};", "  items.clear();",
                      "  for (std::int32_t i = 0; i < count && in.ok(); ++i) {"]
            if field.struct:
                lines += ["    items.emplace_back().read(in, version);"]
            else:
                lines += [f"    items.push_back({self.read_value(field)});"]
            lines += ["  }", "}"]
            return ["{"] + ["  " + line for line in lines if line.strip()] + ["}"]
        if field.struct:
            if not nullable:
                return [f"{member}.read(in, version);"]
            return [f"if (in.i8() < 0) {{", f"  {member}.reset();", "} else {",
                    f"  {field.struct.name} value;", "  value.read(in, version);",
                    f"  {member} = std::move(value);", "}"]
        if nullable:
            kind = "string" if field.type == "string" else "bytes"
            check = [] if null_ok == "true" else [f"if (!{member} && !({null_ok})) in.fail();"]
            return [f"{member} = read_nullable_{kind}(in, {flex});"] + check
        return [f"{member} = {self.read_value(field)};"]

    def read(self):
        lines = self.prologue()
        for field in self.untagged:
            lines += ["  " + line for line in
                      self.guarded(self.condition(field), self.read_field(field))]
        if not self.message.flexible.empty:
            loop = ["TagReader tags(in, unknown_tags);"]
            if self.tagged:
                loop += ["while (tags.next()) {", "  switch (tags.tag()) {"]
                for field in self.tagged:
                    body = self.read_field(field) + ["tags.taken();"]
                    loop += [f"    case {field.tag}:"]
                    loop += ["      " + line for line in
                             self.guarded(self.condition(field, True), body)]
                    loop += ["      break;"]
                loop += ["    default:", "      break;", "  }", "}"]
            else:
                loop += ["while (tags.next()) {", "}"]
            if self.flex == "true":
                lines += ["  {"] + ["    " + line for line in loop] + ["  }"]
            else:
                lines += ["  if (flexible) {"] + ["    " + line for line in loop] + ["  }"]
        return self.function("void", "read(Decoder& in, std::int16_t version)", "", lines)

    def function(self, result, signature, suffix, lines):
        unused = []
        text = "\n".join(lines)
        for name in ("in", "out", "version"):
            if f" {name}" in signature or f"&{name}" in signature or f"& {name}" in signature:
                unused.append(f"  static_cast<void>({name});")
        return [f"{result} {self.scope}::{signature}{suffix} {{", *unused, *lines, "}", ""] if text \
            else [f"{result} {self.scope}::{signature}{suffix} {{", *unused, "}", ""]

    # Writing

    def write_value(self, field, value):
        if field.type == "string":
            return f"write_string(out, {value}, {self.flexible(field)});"
        if field.type in ("bytes", "records"):
            return f"write_bytes(out, {value}, {self.flexible(field)});"
        kind = wrapper(field)
        if kind == "ErrorCode":
            value = f"static_cast<std::int16_t>({value})"
        elif kind:
            value = f"{value}.value()"
        return f"out.{READ[field.type]}({value});"

    def write_field(self, field):
        member, flex = f"this->{field.member}", self.flexible(field)
        nullable = not field.nullable.empty
        null_ok = field.nullable.condition(self.known)
        if field.array:
            items = f"(*{member})" if nullable else member
            body = [f"write_count(out, {items}.size(), {flex});",
                    f"for (const auto& item : {items}) {{",
                    "  item.encode(out, version);" if field.struct else
                    "  " + self.write_value(field, "item"), "}"]
            if not nullable:
                return body
            absent = f"write_null(out, {flex});" if null_ok == "true" else \
                f"if ({null_ok}) write_null(out, {flex}); else write_count(out, 0, {flex});"
            return [f"if ({member}) {{"] + ["  " + line for line in body] + \
                ["} else {", f"  {absent}", "}"]
        if field.struct:
            if not nullable:
                return [f"{member}.encode(out, version);"]
            return [f"out.i8({member} ? 1 : -1);", f"if ({member}) {member}->encode(out, version);"]
        if nullable:
            kind = "string" if field.type == "string" else "bytes"
            permitted = "true" if null_ok == "true" else f"({null_ok})"
            return [f"write_nullable_{kind}(out, {member}, {flex}, {permitted});"]
        return [self.write_value(field, member)]

    # Sizes

    def size_field(self, field):
        """Lines that add the bytes of one field to `size`."""
        member, flex = f"this->{field.member}", self.flexible(field)
        nullable = not field.nullable.empty
        if field.array:
            items = f"(*{member})" if nullable else member
            if field.struct:
                each = [f"for (const auto& item : {items}) size += item.encoded_size(version);"]
            elif field.type in FIXED_SIZE:
                each = [f"size += {items}.size() * {FIXED_SIZE[field.type]};"]
            else:
                kind = "string" if field.type == "string" else "bytes"
                each = [f"for (const auto& item : {items}) size += {kind}_size(item.size(), {flex});"]
            body = [f"size += count_size({items}.size(), {flex});"] + each
            if not nullable:
                return body
            return [f"if ({member}) {{"] + ["  " + line for line in body] + \
                ["} else {", f"  size += count_size(0, {flex});", "}"]
        if field.struct:
            if not nullable:
                return [f"size += {member}.encoded_size(version);"]
            return [f"size += 1 + ({member} ? {member}->encoded_size(version) : 0);"]
        if field.type in FIXED_SIZE:
            return [f"size += {FIXED_SIZE[field.type]};"]
        kind = "string" if field.type == "string" else "bytes"
        length = f"({member} ? {member}->size() : 0)" if nullable else f"{member}.size()"
        return [f"size += {kind}_size({length}, {flex});"]

    def tag_present(self, field):
        return both(self.condition(field, True), not_default(field, f"this->{field.member}"))

    def tag_size_lines(self, field):
        return ["std::size_t size = 0;"] + self.size_field(field)

    def encode(self):
        lines = self.prologue()
        for field in self.untagged:
            lines += ["  " + line for line in
                      self.guarded(self.condition(field), self.write_field(field))]
        if not self.message.flexible.empty:
            body = ["TagWriter tags(out, unknown_tags);"]
            for field in self.tagged:
                if self.tag_present(field) != "false":
                    body += [f"if ({self.tag_present(field)}) tags.expect();"]
            body += ["tags.begin();"]
            for field in self.tagged:
                present = self.tag_present(field)
                if present == "false":
                    continue
                body += [f"if ({present}) {{"]
                body += ["  " + line for line in self.tag_size_lines(field)]
                body += [f"  tags.field({field.tag}, size);"]
                body += ["  " + line for line in self.write_field(field)] + ["}"]
            body += ["tags.end();"]
            lines += ["  {" if self.flex == "true" else "  if (flexible) {"]
            lines += ["    " + line for line in body] + ["  }"]
        return self.function("void", "encode(Writer& out, std::int16_t version)", " const", lines)

    def encoded_size(self):
        lines = self.prologue() + ["  std::size_t size = 0;"]
        for field in self.untagged:
            lines += ["  " + line for line in
                      self.guarded(self.condition(field), self.size_field(field))]
        if not self.message.flexible.empty:
            body = ["TagSizes tags(unknown_tags);"]
            for field in self.tagged:
                present = self.tag_present(field)
                if present == "false":
                    continue
                body += [f"if ({present}) {{", f"  tags.field({field.tag}, [&] {{"]
                body += ["    " + line for line in self.tag_size_lines(field)]
                body += ["    return size;", "  }());", "}"]
            body += ["size += tags.total();"]
            lines += ["  {" if self.flex == "true" else "  if (flexible) {"]
            lines += ["    " + line for line in body] + ["  }"]
        lines += ["  return size;"]
        return self.function("std::size_t", "encoded_size(std::int16_t version)", " const", lines)

    def check(self):
        lines = []
        for field in self.struct.fields:
            present = field.versions.condition(self.known)
            if not field.ignorable and present not in ("true",):
                lost = both(f"!({present})" if present != "false" else "true",
                            not_default(field, f"this->{field.member}"))
                lines += [f'  if ({lost}) return not_carried({self.message.name}::message_name, '
                          f'"{field.name}", version);']
            null_ok = field.nullable.condition(self.known)
            if not field.nullable.empty and null_ok != "true":
                lines += [f'  if ({both(present, f"!({null_ok})")} && !this->{field.member}) '
                          f'return not_carried({self.message.name}::message_name, "{field.name}", version);']
            if field.struct:
                access = f"(*this->{field.member})" if not field.nullable.empty else f"this->{field.member}"
                body = [f"for (const auto& item : {access}) ARUS_TRY(item.check(version));"] \
                    if field.array else [f"ARUS_TRY({access}.check(version));"]
                if not field.nullable.empty:
                    body = [f"if (this->{field.member}) {{"] + ["  " + b for b in body] + ["}"]
                lines += ["  " + line for line in self.guarded(present, body)]
        lines += ["  return {};"]
        return self.function("Result<>", "check(std::int16_t version)", " const", lines)

    def all(self):
        return self.read() + self.encode() + self.encoded_size() + self.check()


def source(include, messages):
    lines = [f'#include "{include}"', "", "namespace arus::protocol {", ""]
    for message in messages:
        for struct in [*message.structs, message.root]:
            lines += StructSource(message, struct).all()
        lines += [f"Result<{message.name}> {message.name}::decode(const Slice& body, "
                  "std::int16_t version) {",
                  "  return decode_whole<" + message.name + ">(body, version);", "}",
                  f"Result<{message.name}> {message.name}::decode(Reader& in, "
                  "std::int16_t version) {",
                  "  return decode_part<" + message.name + ">(in, version);", "}", ""]
    lines.append("}  // namespace arus::protocol")
    return "\n".join(lines) + "\n"
