"""Writes the C++ source of a message: reading, writing, and what a version cannot say."""

from cpp_struct import FIXED_SIZE, both, min_size, not_default


class StructSource:
    """The member functions of one struct."""

    def __init__(self, message, struct):
        self.message = message
        self.struct = struct
        self.is_root = struct is message.root
        self.scope = message.name if self.is_root else f"{message.name}::{struct.name}"
        self.known = struct.versions
        self.flexible = message.flexible.condition(self.known)
        self.tagged = sorted((f for f in struct.fields if not f.tagged.empty),
                             key=lambda f: f.tag)

    def plain_condition(self, field):
        """When the field stands in its place, not among the tags."""
        present = field.versions.condition(self.known)
        if field.tagged.empty:
            return present
        tagged = field.tagged.condition(self.known)
        return "false" if field.tagged.covers(field.versions.within(self.known)) \
            else both(present, f"!({tagged})")

    @staticmethod
    def guarded(condition, lines):
        if condition == "true":
            return lines
        if condition == "false" or not lines:
            return []
        if len(lines) == 1 and len(condition) + len(lines[0]) < 90 and lines[0][:3] != "if ":
            return [f"if ({condition}) {lines[0]}"]
        return [f"if ({condition}) {{", *("  " + line for line in lines), "}"]

    def null_permitted(self, field):
        return field.nullable.condition(field.versions.within(self.known))

    def function(self, result, signature, lines):
        return [f"{result} {self.scope}::{signature} {{", *("  " + line for line in lines), "}", ""]

    # Reading

    def read_field(self, field):
        member = f"this->{field.member}"
        nullable = not field.nullable.empty
        permitted = self.null_permitted(field)
        if field.struct and field.array:
            least = min_size(field.struct, self.message.flexible)
            return [f"read_structs(in, version, {member}, in.count({least}, "
                    f"sizeof({field.struct.name}), {permitted}));"]
        if field.struct and nullable and not field.tagged.empty:
            # Among the tags null is 0, elsewhere -1.
            return ["if (std::int8_t present = 0; in.read(present), present > 0) {",
                    f"  ({member} = {field.struct.name}{{}})->read(in, version);", "} else {",
                    f"  {member}.reset();", "}"]
        if field.struct and nullable:
            return [f"if (in.present({permitted})) {{",
                    f"  ({member} = {field.struct.name}{{}})->read(in, version);", "} else {",
                    f"  {member}.reset();", "}"]
        if field.struct:
            return [f"{member}.read(in, version);"]
        if field.legacy:
            return [f"in.read_legacy({member});"]
        call = "share" if field.zerocopy else "read"
        return [f"in.{call}({member}, {permitted});" if nullable else f"in.{call}({member});"]

    def read_tags(self):
        if not self.tagged:
            return ["in.read_tags(this->unknown_tags);"]
        lines = ["TagReader tags(in, this->unknown_tags);", "while (tags.next()) {",
                 "  switch (tags.tag()) {"]
        for field in self.tagged:
            body = self.guarded(field.tagged.condition(self.known),
                                self.read_field(field) + ["tags.taken();"])
            lines += [f"    case {field.tag}:", *("      " + line for line in body),
                      "      break;"]
        return lines + ["    default:", "      break;", "  }", "}"]

    def read(self):
        lines = []
        if self.is_root:
            lines.append(f"in.set_flexible({self.flexible});")
        for field in self.struct.fields:
            lines += self.guarded(self.plain_condition(field), self.read_field(field))
        if self.flexible != "false":
            lines += self.guarded(self.flexible, self.read_tags())
        return self.function("void", "read([[maybe_unused]] Decoder& in, "
                             "[[maybe_unused]] std::int16_t version)", lines)

    # Writing

    def write_field(self, field, out="out"):
        member = f"this->{field.member}"
        nullable = not field.nullable.empty
        permitted = f", {self.null_permitted(field)}" if nullable else ""
        if field.struct and field.array:
            return [f"write_structs({out}, version, {member}{permitted});"]
        if field.struct and nullable and not field.tagged.empty:
            return [f"{out}.put(static_cast<std::int8_t>({member}.has_value() ? 1 : 0));",
                    f"if ({member}) {member}->write({out}, version);"]
        if field.struct and nullable:
            return [f"{out}.present({member}.has_value());",
                    f"if ({member}) {member}->write({out}, version);"]
        if field.struct:
            return [f"{member}.write({out}, version);"]
        if field.legacy:
            return [f"{out}.put_legacy({member});"]
        return [f"{out}.put({member}{permitted});"]

    def write_tags(self):
        if not self.tagged:
            return ["out.put_tags(this->unknown_tags);"]
        lines = []
        for field in self.tagged:
            present = both(field.tagged.condition(self.known),
                           not_default(field, f"this->{field.member}"))
            lines.append(f"const bool tag_{field.tag} = {present};")
        count = " + ".join(f"std::size_t{{tag_{field.tag}}}" for field in self.tagged)
        lines.append(f"TagWriter tags(out, this->unknown_tags, {count});")
        for field in self.tagged:
            body = self.write_field(field, "to")
            lines += [f"if (tag_{field.tag}) {{",
                      f"  tags.field({field.tag}, [&](Encoder& to) {{",
                      *("    " + line for line in body), "  });", "}"]
        return lines + ["tags.end();"]

    def write(self):
        lines = []
        for field in self.struct.fields:
            lines += self.guarded(self.plain_condition(field), self.write_field(field))
        if self.flexible != "false":
            tags = self.write_tags()
            if self.flexible == "true" and self.tagged:
                lines += tags
            else:
                lines += self.guarded(self.flexible, tags)
        return self.function("void", "write([[maybe_unused]] Encoder& out, "
                             "[[maybe_unused]] std::int16_t version) const", lines)

    # What a version has no place for

    def unsayable_field(self, field):
        member = f"this->{field.member}"
        present = field.versions.condition(self.known)
        nullable = not field.nullable.empty
        refuse = f'return "{field.name}";'
        lines = []
        if not field.ignorable and present != "true":
            lines += self.guarded(both(f"!({present})", not_default(field, member)), [refuse])
        within = []
        permitted = self.null_permitted(field)
        if nullable and permitted != "true":
            within += [f"if (!({permitted}) && !{member}) {refuse}"]
        if field.type == "string":
            within += [f"if (too_long({member})) {refuse}"]
        if field.struct and says_something(field.struct):
            within += [f"if (const char* field = first_unsayable({member}, version)) "
                       "return field;"]
        return lines + self.guarded(present, within)

    def unsayable(self):
        lines = []
        for field in self.struct.fields:
            lines += self.unsayable_field(field)
        return self.function("const char*",
                             "unsayable([[maybe_unused]] std::int16_t version) const",
                             lines + ["return nullptr;"])

    def all(self):
        return self.read() + self.write() + self.unsayable()


def says_something(struct):
    """Whether any value of the struct can be refused by any version."""
    for field in struct.fields:
        if field.type == "string" or not field.nullable.covers(field.versions.within(
                struct.versions)) and not field.nullable.empty:
            return True
        if not field.ignorable and field.versions.condition(struct.versions) != "true":
            return True
        if field.struct and says_something(field.struct):
            return True
    return False


def root_functions(name):
    return f"""\
Result<{name}> {name}::decode(const Slice& body, std::int16_t version) {{
  return decode_whole<{name}>(body, version);
}}

Result<{name}> {name}::decode(Reader& in, std::int16_t version) {{
  return decode_part<{name}>(in, version);
}}

void {name}::encode(Writer& out, std::int16_t version) const {{
  Encoder to(out, version >= first_flexible_version);
  write(to, version);
}}

std::size_t {name}::encoded_size(std::int16_t version) const {{
  Encoder counting(version >= first_flexible_version);
  write(counting, version);
  return counting.size_bytes();
}}

Result<> {name}::check(std::int16_t version) const {{
  return checked(message_name, unsayable(version), version);
}}
""".splitlines() + [""]


def source(includes, messages):
    lines = [f'#include "{include}"' for include in [*includes, "protocol/unsayable.h"]]
    lines += ["", "// What a field is called is the schema's choice: some have a parameter's name.",
              '#pragma clang diagnostic ignored "-Wshadow"', "", "namespace arus::protocol {", ""]
    for message in messages:
        for struct in [*message.structs, message.root]:
            lines += StructSource(message, struct).all()
        lines += root_functions(message.name)
    lines.append("}  // namespace arus::protocol")
    return "\n".join(lines) + "\n"
