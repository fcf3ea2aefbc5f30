"""C++ types, default values and conditions of fields."""

SIMPLE = {"bool": "bool", "int8": "std::int8_t", "int16": "std::int16_t", "int32": "std::int32_t",
          "int64": "std::int64_t", "uint16": "std::uint16_t", "uint32": "std::uint32_t",
          "float64": "double", "uuid": "Uuid", "string": "std::string", "bytes": "Slice",
          "records": "Slice"}
FIXED_SIZE = {"bool": 1, "int8": 1, "int16": 2, "int32": 4, "int64": 8, "uint16": 2, "uint32": 4,
              "float64": 8, "uuid": 16}
VARIABLE = ("string", "bytes", "records")


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


def number(field):
    """The default of a numeric field as C++ writes it."""
    text = field.default or "0"
    return "INT32_MIN" if text == "-2147483648" else text


def default_value(field):
    """The initialiser of the member; empty where the type's own is the default."""
    if not field.nullable.empty:
        untagged_struct = field.struct and not field.array and field.tagged.empty
        if field.default == "null" or untagged_struct:
            return ""
        inner = element_type(field)
        return f"{{std::vector<{inner}>{{}}}}" if field.array else f"{{{inner}{{}}}}"
    if field.array or field.struct or field.type in VARIABLE or field.type == "uuid":
        return "" if field.default is None else f" = {field.default}"
    if field.type == "bool":
        return f" = {(field.default or 'false').lower()}"
    kind = wrapper(field)
    if kind == "ErrorCode":
        return " = ErrorCode::none"
    if kind:
        return "" if field.default is None else f"{{{number(field)}}}"
    return f" = {number(field)}"


def not_default(field, access):
    """C++ that tells whether a member differs from its default."""
    sized = field.array or field.type in VARIABLE
    if not field.nullable.empty:
        tagged_struct = field.struct and not field.array and not field.tagged.empty
        if tagged_struct and field.default != "null":
            return f"!({access} && *{access} == {field.struct.name}{{}})"
        if field.default == "null" or not sized:
            return f"{access}.has_value()"
        return f"(!{access}.has_value() || !{access}->empty())"
    if sized:
        return f"!{access}.empty()"
    if field.type == "uuid":
        return f"!{access}.is_zero()"
    if field.struct:
        return f"!({access} == {field.struct.name}{{}})"
    if field.type == "bool":
        return f"!{access}" if field.default == "true" else access
    kind = wrapper(field)
    if kind == "ErrorCode":
        return f"{access} != ErrorCode::none"
    return f"{access} != {kind}{{{number(field)}}}" if kind else f"{access} != {number(field)}"


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
