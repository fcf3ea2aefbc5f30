"""What the tables say, as Python objects. schema/README.md describes the format."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from versions import ALWAYS, NEVER, Versions

SCALARS = {"bool", "int8", "int16", "int32", "int64", "uint16", "uint32", "float64", "uuid",
           "string", "bytes", "records"}
SPECIAL_WORDS = {"KRaft": "Kraft"}
CPP_KEYWORDS = {"operator", "default", "private", "public", "protected", "register", "new",
                "delete", "class", "struct", "union", "switch", "namespace", "template"}


class SchemaError(Exception):
    pass


def snake_case(name):
    for word, plain in SPECIAL_WORDS.items():
        name = name.replace(word, plain)
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    name = re.sub(r"([A-Z])([A-Z][a-z])", r"\1_\2", name).lower()
    return name + "_" if name in CPP_KEYWORDS else name


@dataclass
class Field:
    name: str
    type: str                  # a scalar, or the name of a struct
    array: bool
    versions: Versions
    nullable: Versions = NEVER
    tag: Optional[int] = None
    tagged: Versions = NEVER   # the versions in which it stands among the tags
    default: Optional[str] = None
    ignorable: bool = False
    key: bool = False
    legacy: bool = False       # keeps the old encoding in flexible versions
    entity: Optional[str] = None
    zerocopy: bool = False
    struct: Optional["Struct"] = None

    @property
    def member(self):
        return snake_case(self.name)

    @property
    def json_name(self):
        return self.name[0].lower() + self.name[1:]


@dataclass
class Struct:
    name: str
    versions: Versions
    fields: list = field(default_factory=list)


@dataclass
class Message:
    """A request, a response, a record, a header: what is encoded by itself."""

    name: str
    kind: str                  # request response header metadata coordinator-key -value data
    key: Optional[int]
    versions: Versions
    flexible: Versions
    root: Struct
    structs: list              # all but the root, each after those that it holds
    log: Optional[str] = None


@dataclass
class Api:
    name: str
    key: int
    listeners: list
    advertised: Optional[Versions]   # None: not advertised
    request: Message
    response: Message


def attributes(words):
    found = {}
    for word in words:
        name, _, value = word.partition("=")
        found[name] = value
    return found


def parse_field(words):
    name, type_name, versions, *rest = words
    notes = attributes(rest)
    unknown = set(notes) - {"nullable", "tag", "tagged", "default", "ignorable", "key",
                            "flexible", "entity", "zerocopy"}
    if unknown:
        raise SchemaError(f"{name}: unknown attributes {unknown}")
    result = Field(name=name, type=type_name.removeprefix("[]"), array=type_name.startswith("[]"),
                   versions=Versions.parse(versions))
    result.nullable = Versions.parse(notes.get("nullable", "none"))
    if "tag" in notes:
        result.tag = int(notes["tag"])
        result.tagged = Versions.parse(notes.get("tagged", versions))
    result.default = notes.get("default")
    supported = {"string": (None, "null", '""')}.get(result.type)
    if name.endswith("ErrorCode") and result.type == "int16":
        supported = (None, "0")
    if supported and result.default not in supported:
        raise SchemaError(f"{name}: the default {result.default} is not supported")
    result.ignorable = "ignorable" in notes
    result.key = "key" in notes
    result.legacy = notes.get("flexible") == "none"
    result.entity = notes.get("entity")
    result.zerocopy = "zerocopy" in notes or result.type == "records"
    return result


def parse_structs(root, lines):
    """Fills the root from indented lines; returns the named structs."""
    named = {}
    open_structs = [(0, root)]  # (indent of the line that opened it, struct)
    last = None
    for indent, words in lines:
        if words[0] == "struct":
            struct = Struct(words[1], Versions.parse(words[2]))
            if struct.name in named:
                raise SchemaError(f"{struct.name} is defined twice")
            named[struct.name] = struct
            open_structs, last = [(indent, struct)], None
            continue
        while open_structs[-1][0] >= indent:
            if len(open_structs) == 1:
                break
            open_structs.pop()
        if last is not None and indent > last[0] and last[0] > open_structs[-1][0]:
            struct = Struct(last[1].type, last[1].versions)
            if struct.name in named:
                raise SchemaError(f"{struct.name} is defined twice")
            named[struct.name] = struct
            open_structs.append((last[0], struct))
        entry = parse_field(words)
        open_structs[-1][1].fields.append(entry)
        last = (indent, entry)
    return named


def resolve(root, named):
    """Ties fields to their structs; returns these, each after those that it holds."""
    ordered = []

    def visit(struct, path):
        if struct.name in path:
            raise SchemaError(f"{struct.name} holds itself")
        for entry in struct.fields:
            if entry.type in SCALARS:
                continue
            entry.struct = named[entry.type]
            visit(entry.struct, path + [struct.name])
            if entry.struct not in ordered:
                ordered.append(entry.struct)

    visit(root, [])
    return ordered


def drop_unseen(struct, seen):
    """Removes the fields that no version of the message carries."""
    struct.versions = struct.versions.within(seen)
    struct.fields = [f for f in struct.fields if not f.versions.within(struct.versions).empty]
    for entry in struct.fields:
        entry.nullable = entry.nullable.within(struct.versions).within(entry.versions)
        entry.tagged = entry.tagged.within(struct.versions).within(entry.versions)


def parse_message(name, kind, key, notes, lines):
    versions = Versions.parse(notes["versions"])
    root = Struct(name, ALWAYS)
    named = parse_structs(root, lines)
    root.versions = versions
    drop_unseen(root, versions)
    for struct in named.values():
        drop_unseen(struct, versions)
    structs = resolve(root, named)
    return Message(name, kind, key, versions, Versions.parse(notes["flexible"]), root, structs,
                   notes.get("log"))


def read_sections(path):
    """The sections of a table: its unindented lines, each with the indented ones below it."""
    sections = []
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        indent = len(line) - len(line.lstrip())
        if indent == 0:
            sections.append((words, []))
        else:
            sections[-1][1].append((indent, words))
    return sections


def read_api(path):
    sections = read_sections(path)
    if [words[0] for words, _ in sections] != ["api", "request", "response"]:
        raise SchemaError(f"{path}: expected api, request and response")
    head = sections[0][0]
    notes = attributes(head[2:])
    key = int(notes["key"])
    messages = [parse_message(head[1] + words[0].capitalize(), words[0], key,
                              attributes(words[1:]), lines) for words, lines in sections[1:]]
    advertised = notes.get("advertised")
    if advertised == "none":
        ranges = None
    else:
        ranges = Versions.parse(advertised) if advertised else messages[0].versions
    return Api(head[1], key, notes["listeners"].split(","), ranges, *messages)


def read_record(path):
    (head, lines), = read_sections(path)
    notes = attributes(head[2:])
    key = int(notes["key"]) if "key" in notes else None
    return parse_message(head[1], head[0], key, notes, lines)


@dataclass
class Schema:
    apis: list
    records: list


def read_schema(folder):
    folder = Path(folder)
    apis = [read_api(path) for path in sorted((folder / "protocol").glob("*.txt"))]
    records = [read_record(path) for path in sorted((folder / "records").glob("*.txt"))]
    apis.sort(key=lambda api: api.key)
    return Schema(apis, records)
