# SPDX-License-Identifier: Apache-2.0
"""Protobuf as confluent-kafka does it: the same schemas registered, the same bytes, messages and refusals.

And our reading of ``.proto`` text as protoc does it.
"""

from __future__ import annotations

import base64
import functools
import importlib.resources
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2

from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry._core.codecs.proto_writer import write_proto
from confluent_kafka.schema_registry._core.codecs.protobuf_files import link, to_proto
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from tests.support.peer import interpreters, run_program
from tests.unit.protobuf_kit import ORDER, REFERENCES
from tests.unit.test_proto_parser import EDITION, EVERYTHING, OPTIONS

PROGRAM = Path(__file__).parent / "programs" / "protobuf_corpus.py"
SCHEMAS, VALUES = 260, 20


@pytest.fixture(scope="module")
def written() -> dict[str, list[str]]:
    """What both packages wrote, one line of JSON per schema."""
    with ThreadPoolExecutor() as pool:
        running = {
            package: pool.submit(run_program, python, PROGRAM, "write", str(SCHEMAS), str(VALUES))
            for package, python in interpreters().items()
        }
        return {package: outcome.result().splitlines() for package, outcome in running.items()}


@pytest.mark.timeout(300)
def test_the_same_bytes_schemas_and_refusals(written: dict[str, list[str]]) -> None:
    ours, peer = ([json.loads(line) for line in written[package]] for package in ("ferrokafka", "confluent-kafka"))
    assert len(peer) == SCHEMAS
    assert sum(len(item["written"]) for item in peer) >= 5000
    outcomes = [result for item in peer for _, result in item["refused"]]
    assert outcomes.count("refused") > SCHEMAS
    for mine, other in zip(ours, peer, strict=True):
        assert mine == other, f"schema {other['number']}"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("reader", ["ferrokafka", "confluent-kafka"])
def test_each_reads_what_the_other_wrote(written: dict[str, list[str]], reader: str, tmp_path: Path) -> None:
    (writer,) = set(written) - {reader}
    file = tmp_path / "written.jsonl"
    file.write_text("\n".join(written[writer]))
    counts = [json.loads(line) for line in run_program(interpreters()[reader], PROGRAM, "read", str(file)).splitlines()]
    assert counts == [[number, VALUES] for number in range(SCHEMAS)]


def test_reading_and_writing_without_classes(written: dict[str, list[str]]) -> None:
    """By what the other package registered alone: every message to a dict, and to the same bytes again."""
    count = 0
    for line in written["confluent-kafka"]:
        item = json.loads(line)
        client, context = _registry(item)
        naming = {"subject.name.strategy": functools.partial(_named, _subject(item))}
        read = ProtobufDeserializer(None, naming, client, as_dict=True)
        messages = ProtobufDeserializer(None, naming, client)
        for text in item["written"]:
            data = base64.b64decode(text)
            message = messages(data, context)
            latest = {**naming, "use.latest.version": True, "auto.register.schemas": False}
            name = message.DESCRIPTOR.full_name
            if count % VALUES == 0:
                write = ProtobufSerializer(None, client, latest, message_name=name)
            assert write(message, context) == data
            assert messages(write(read(data, context), context), context) == message
            count += 1
    assert count == SCHEMAS * VALUES


def _named(subject: str, ctx: Any, record_name: str | None) -> str:
    return subject


def _subject(item: dict[str, Any]) -> str:
    subjects = [subject for subject, *_ in item["registered"]]
    (own,) = (subject for subject in subjects if not subject.endswith(".proto"))
    return str(own)


def _registry(item: dict[str, Any]) -> tuple[SchemaRegistryClient, SerializationContext]:
    client = SchemaRegistryClient.new_client({"url": f"mock://without-classes-{item['number']}"})
    todo = {subject: (kind, text, references) for subject, kind, text, references in item["registered"]}
    done: set[str] = set()
    while todo:
        for subject, (kind, text, references) in list(todo.items()):
            if all(other in done for _, other, _ in references):
                client.register_schema(subject, Schema(text, kind, [SchemaReference(*other) for other in references]))
                done.add(subject)
                del todo[subject]
    return client, SerializationContext(f"topic{item['number']}", MessageField.VALUE)


def _protoc(files: dict[str, str], main: str, folder: Path) -> Any:
    """What protoc makes of a file: its descriptor without what ours leaves out."""
    from grpc_tools import protoc

    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    include = importlib.resources.files("grpc_tools") / "_proto"
    out = folder / "out.bin"
    assert protoc.main(["protoc", f"-I{folder}", f"-I{include}", f"--descriptor_set_out={out}", main]) == 0
    (found,) = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file
    found.ClearField("service")
    _strip(found)
    return found


def _strip(owner: Any) -> None:
    for item in [*getattr(owner, "field", ()), *owner.extension]:
        first, *rest = item.name.split("_")
        if item.json_name == first + "".join(word[:1].upper() + word[1:] for word in rest):
            item.ClearField("json_name")
    for item in owner.message_type if hasattr(owner, "message_type") else owner.nested_type:
        _strip(item)


@pytest.mark.parametrize(
    ("main", "files"),
    [
        ("opts.proto", {"opts.proto": OPTIONS}),
        ("all.proto", {"all.proto": EVERYTHING, "opts.proto": OPTIONS}),
        ("edition.proto", {"edition.proto": EDITION}),
        ("order.proto", {"order.proto": ORDER, **REFERENCES}),
        ("empty.proto", {"empty.proto": ""}),
    ],
)
def test_text_means_what_protoc_says(main: str, files: dict[str, str], tmp_path: Path) -> None:
    expected = _protoc(files, main, tmp_path)
    others = {name: text for name, text in files.items() if name != main}
    found = to_proto(link(files[main], others, main).descriptor)
    # the runtime writes single-precision defaults with all digits that it needs
    assert _with_values(found) == _with_values(expected)


def _with_values(file: Any) -> Any:
    for message in file.message_type:
        for field in message.field:
            if field.HasField("default_value") and field.type == field.TYPE_FLOAT:
                field.default_value = f"{float(field.default_value):.6g}"
    return file


def test_googles_own_files_mean_what_protoc_says(tmp_path: Path) -> None:
    import google.type

    base = Path(google.type.__path__[0]).parent
    files = {f"google/{path.relative_to(base)}": path.read_text() for path in base.rglob("*.proto")}
    names = [name for name in sorted(files) if name.startswith(("google/api/", "google/rpc/", "google/longrunning/"))]
    assert len(names) > 30
    for name in names[::3]:
        others = {other: text for other, text in files.items() if other != name}
        linked = link(files[name], others, name)
        expected = _protoc({name: files[name], **_imports(name, files)}, name, tmp_path)
        found = to_proto(linked.descriptor)
        assert found == expected, name
        known = {other: to_proto(linked.pool.FindFileByName(other)) for other in _all_imports(linked.descriptor)}
        again = link(write_proto(found, known), others, name)
        assert to_proto(again.descriptor) == found, name


def _imports(name: str, files: dict[str, str]) -> dict[str, str]:
    return {other: text for other, text in files.items() if other != name}


def _all_imports(descriptor: Any) -> set[str]:
    found: set[str] = set()
    todo = list(descriptor.dependencies)
    while todo:
        file = todo.pop()
        if file.name not in found:
            found.add(file.name)
            todo.extend(file.dependencies)
    return found
