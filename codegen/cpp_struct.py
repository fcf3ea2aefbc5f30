"""C++ types, default values and conditions of fields."""

SIMPLE = {"bool": "bool", "int8": "std::int8_t", "int16": "std::int16_t", "int32": "std::int32_t",
          "int64": "std::int64_t", "uint16": "std::uint16_t", "uint32": "std::uint32_t",
          "float64": "double", "uuid": "Uuid", "string": "std::string", "bytes": "Slice",
          "records": "Slice"}
FIXED_SIZE = {"bool": 1, "int8": 1, "int16": 2, "int32": 4, "int64": 8, "uint16": 2, "uint32": 4,
              "float64": 8, "uuid": 16}


def wrapper(field):
    """The distinct type that a number is held in, or nothing."""
    if field.type == "int16" and (field.name == "ErrorCode" or field.name.endswith("ErrorCode")):
        return "ErrorCode"
    if field.type == "int32" and field.entity == "brokerId":
        return "BrokerId"
    if field.type == "int64" and field.entity == "producerId":
        return "ProducerId"
    return None


def element_type(field):
    return wrapper(field) or SIMPLE.get(field.type) or field.struct.name


def member_type(field):
    inner = element_type(field)
    if field.array:
        inner = f"std::vector<{inner}>"
    return f"std::optional<{inner}>" if not field.nullable.empty else inner


def default_value(field):
    """The initialiser of the member; empty for the type's own."""
    text = field.default
    if text is None and wrapper(field) == "ErrorCode" and not field.array:
        return " = ErrorCode::none"
    if text is None or text == "null":
        if not field.nullable.empty and text is None and (field.array or field.type in
                                                          ("string", "bytes", "records")):
            return f"{{{inner_empty(field)}}}"
        return "" if text == "null" or field.array or field.struct or field.type in (
            "string", "bytes", "records", "uuid") or wrapper(field) else zero(field)
    if field.type == "string":
        return ' = ""' if text in ('""', "") else f' = {quoted(text)}'
    if field.type == "bool":
        return f" = {text.lower()}"
    if field.type == "uuid" or field.array or field.struct:
        return ""
    number = text
    if field.type == "int64" and number.lstrip("-").isdigit():
        number = "INT64_MIN" if int(number) == -2**63 else number
    if number == "-2147483648":
        number = "INT32_MIN"
    kind = wrapper(field)
    if kind == "ErrorCode":
        return f" = static_cast<ErrorCode>({number})"
    if kind:
        return f"{{{number}}}"
    return f" = {number}"


def inner_empty(field):
    return f"{'std::vector<' + element_type(field) + '>' if field.array else element_type(field)}{{}}"


def zero(field):
    return " = false" if field.type == "bool" else " = 0"


def quoted(text):
    return text if text.startswith('"') else f'"{text}"'


def not_default(field, access):
    """C++ that tells whether a member differs from its default."""
    if not field.nullable.empty:
        if field.default == "null":
            return f"{access}.has_value()"
        empty = f"{access}->empty()" if (field.array or field.type in
                                         ("string", "bytes", "records")) else None
        return f"(!{access}.has_value() || !{empty})" if empty else f"{access}.has_value()"
    if field.array or field.type in ("bytes", "records"):
        return f"!{access}.empty()"
    if field.type == "string":
        return f"!{access}.empty()" if field.default in (None, '""', "") else \
            f"{access} != {quoted(field.default)}"
    if field.type == "uuid":
        return f"!{access}.is_zero()"
    if field.struct:
        return f"!({access} == {field.struct.name}{{}})"
    if field.type == "bool":
        return access if (field.default or "false").lower() == "false" else f"!{access}"
    number = field.default or "0"
    if number == "-2147483648":
        number = "INT32_MIN"
    kind = wrapper(field)
    if kind == "ErrorCode":
        return f"{access} != static_cast<ErrorCode>({number})"
    if kind:
        return f"{access} != {kind}{{{number}}}"
    return f"{access} != {number}"


def both(*conditions):
    kept = [c for c in conditions if c != "true"]
    if "false" in kept:
        return "false"
    return " && ".join(f"({c})" if " || " in c else c for c in kept) or "true"


def min_size(struct, flexible):
    """The fewest bytes that one struct takes in any version that has it."""
    always_flexible = flexible.covers(struct.versions)
    never_flexible = flexible.within(struct.versions).empty
    total = 1 if always_flexible else 0
    for field in struct.fields:
        if not field.tagged.empty or not field.versions.covers(struct.versions):
            continue
        if field.array or field.type in ("string", "bytes", "records"):
            short = field.type == "string" and not field.array
            total += (2 if short else 4) if never_flexible else 1
        elif field.struct:
            total += 1 if not field.nullable.empty else min_size(field.struct, flexible)
        else:
            total += FIXED_SIZE[field.type]
    return max(1, total)
