"""Turns schema/ into C++: generate.py SCHEMA_FOLDER OUTPUT_FOLDER [--list]."""

import sys
from pathlib import Path

import catalog_writer
import header_writer
import print_writer
import source_writer
from model import read_schema, snake_case

MESSAGES_IN_A_PRINTER = 32   # in one source: as few as keep both cores busy
RECORDS_IN_A_SOURCE = 12     # records are small, and a source of its own costs more than its code


def api_stem(api):
    return f"protocol/api/{snake_case(api.name)}"


def record_stem(record):
    return f"protocol/record/{snake_case(record.name)}"


def chunks(items, size):
    return [items[at:at + size] for at in range(0, len(items), size)]


def api_files(apis):
    for api in apis:
        messages = [api.request, api.response]
        yield api_stem(api) + ".h", header_writer.header(
            f"The API {api.name}", messages, {api.request.name: api.response.name})
        yield api_stem(api) + ".cc", source_writer.source([api_stem(api) + ".h"], messages)


def record_files(records):
    for record in records:
        yield record_stem(record) + ".h", header_writer.header(record.name, [record])
    for number, some in enumerate(chunks(records, RECORDS_IN_A_SOURCE)):
        yield (f"protocol/record/records_{number}.cc",
               source_writer.source([record_stem(r) + ".h" for r in some], some))


def catalog_files(schema):
    """What prints and lists all messages."""
    stems = {}
    for api in schema.apis:
        stems[api.request.name] = stems[api.response.name] = api_stem(api)
    stems |= {record.name: record_stem(record) for record in schema.records}
    groups = [("request", [api.request for api in schema.apis]),
              ("response", [api.response for api in schema.apis]),
              ("record", schema.records)]
    def parts(messages):
        for number, some in enumerate(chunks(messages, MESSAGES_IN_A_PRINTER)):
            yield number, some, sorted({stems[message.name] + ".h" for message in some})

    for number, some, includes in parts([m for a in schema.apis for m in (a.request, a.response)]):
        yield f"protocol/catalog/print_{number}.cc", print_writer.unit(
            "protocol/any_message.h", includes,
            print_writer.printing(some) + print_writer.typeless(some))
    for number, some, includes in parts(schema.records):
        yield f"protocol/catalog/record_print_{number}.cc", print_writer.unit(
            "protocol/print.h", includes, print_writer.printing(some))
        yield f"protocol/catalog/record_{number}.cc", print_writer.unit(
            "protocol/any_message.h", includes, print_writer.typeless(some))
    yield "protocol/catalog/catalog.cc", catalog_writer.catalog_source(groups)


def files(schema):
    """(path, text) of all that is generated."""
    yield from api_files(schema.apis)
    yield from record_files(schema.records)
    yield from catalog_files(schema)
    yield "protocol/api_key.h", catalog_writer.api_key_header(schema.apis)
    yield "protocol/api_key.cc", catalog_writer.api_key_source(schema.apis)
    yield "protocol/record_json.h", catalog_writer.record_json_header(
        [record_stem(record) + ".h" for record in schema.records])
    metadata = sorted((r for r in schema.records if r.log == "metadata"), key=lambda r: r.key)
    yield "protocol/metadata_record.h", catalog_writer.metadata_header(metadata)
    yield "protocol/metadata_record.cc", catalog_writer.metadata_source(metadata)


def main():
    schema = read_schema(sys.argv[1])
    made = list(files(schema))
    if "--list" in sys.argv:
        print(";".join(path for path, _ in made))
        return
    for path, text in made:
        path = Path(sys.argv[2]) / path
        path.parent.mkdir(parents=True, exist_ok=True)
        # Untouched where nothing changed, so that only what did is compiled again.
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
