"""Turns schema/ into C++: generate.py SCHEMA_FOLDER OUTPUT_FOLDER [--list]."""

import sys
from pathlib import Path

import catalog_writer
import header_writer
import json_writer
import source_writer
from model import read_schema, snake_case


def units(schema):
    """(include path without ending, title, messages, response names)."""
    for api in schema.apis:
        yield (f"protocol/api/{snake_case(api.name)}", f"The API {api.name}",
               [api.request, api.response], {api.request.name: api.response.name})
    for record in schema.records:
        yield f"protocol/record/{snake_case(record.name)}", record.name, [record], None


def catalogs(schema):
    """(name, messages, includes) of the lists of everything."""
    apis = [f"protocol/api/{snake_case(api.name)}.h" for api in schema.apis]
    yield "request", [api.request for api in schema.apis], apis
    yield "response", [api.response for api in schema.apis], apis
    yield ("record", schema.records,
           [f"protocol/record/{snake_case(record.name)}.h" for record in schema.records])


def files(schema):
    """(path, text) of all that is generated."""
    for stem, title, messages, responses in units(schema):
        yield f"{stem}.h", header_writer.header(title, messages, responses)
        yield f"{stem}.cc", source_writer.source(f"{stem}.h", messages)
    yield "protocol/api_key.h", catalog_writer.api_key_header(schema.apis)
    yield "protocol/api_key.cc", catalog_writer.api_key_source(schema.apis)
    metadata = sorted((r for r in schema.records if r.kind == "metadata" and
                       r.log in (None, "__cluster_metadata", "metadata") and not
                       r.name.startswith("Remote")), key=lambda r: r.key)
    yield "protocol/metadata_record.h", catalog_writer.metadata_header(metadata)
    records = [r for r in schema.records if r.kind != "header"]
    yield ("protocol/record_json.h", json_writer.header(
        records, [f"protocol/record/{snake_case(r.name)}.h" for r in records]))
    yield "protocol/record_json.cc", json_writer.source(records)
    yield "protocol/catalog.h", catalog_writer.catalog_header()
    for name, messages, includes in catalogs(schema):
        yield (f"protocol/catalog_{name}.cc",
               catalog_writer.catalog_source(name, messages, includes))


def main():
    schema = read_schema(sys.argv[1])
    made = list(files(schema))
    if "--list" in sys.argv:
        print(";".join(path for path, _ in made))
        return
    for path, text in made:
        path = Path(sys.argv[2]) / path
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


if __name__ == "__main__":
    main()
