# SPDX-License-Identifier: Apache-2.0
"""Protobuf schemas in a registry: what is valid, equal, compatible; descriptors judged by golden bytes."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confluent_kafka.schema_registry._core import compat_protobuf
from confluent_kafka.schema_registry._core.registry import proto_text, proto_wire
from confluent_kafka.schema_registry._core.registry.problems import InvalidSchema

ORDER = """
syntax = "proto3";  // a comment
package shop.v1;

import public "google/protobuf/timestamp.proto";
option java_package = "com.example";
option (custom).thing = { a: 1, b: [2, 3] };

/* An order. */
message Order {
  option deprecated = true;
  reserved 4, 9 to 11, 100 to max;
  reserved "old", 'older';
  int32 id = 1 [deprecated = true, (tag) = "PII", json_name = "ID"];
  repeated string lines = 2;
  map<string, Line> by_name = 3;
  oneof payment {
    string card = 5;
    bytes cash = 6;
  }
  optional int64 note = 7;
  Status status = 8;
  .google.protobuf.Timestamp at = 12;
  message Line {
    string name = 1;
    Order.Status status = 2;
  }
  enum Status {
    option allow_alias = true;
    UNKNOWN = 0;
    NEW = 1;
    FRESH = 1 [deprecated = true];
    NEGATIVE = -2;
    reserved 5 to 6, 9;
  }
}

service Shop {
  rpc Get(Order) returns (stream Order) { option (http) = { get: "/x" }; }
}
"""


def message(*fields: str, name: str = "M", more: str = "", syntax: str = "proto3", package: str = "p") -> str:
    body = " ".join(f"{line};" for line in fields)
    return f'syntax = "{syntax}"; package {package}; message {name} {{ {body} {more} }}'


def kinds(reader: str, writer: str) -> list[str]:
    found = compat_protobuf.problems(compat_protobuf.parse(reader), compat_protobuf.parse(writer))
    return [problem.kind for problem in found]


ENUM = "enum E { A = 0; B = 1; }"
FITTING = [
    (message("int32 a = 1", "string b = 2"), message("int32 a = 1")),
    (message("int32 a = 1"), message("int32 a = 1", "string b = 2")),
    (message("int32 renamed = 1"), message("int32 a = 1")),
    (message("int64 a = 1"), message("uint32 a = 1")),
    (message("bool a = 1"), message("int32 a = 1")),
    (message("E a = 1", more=ENUM), message("int32 a = 1")),
    (message("bytes a = 1"), message("string a = 1")),
    (message("repeated string a = 1"), message("string a = 1")),
    (message("sint64 a = 1"), message("sint32 a = 1")),
    (message("fixed32 a = 1"), message("sfixed32 a = 1")),
    (message("N a = 1", more="message N { int32 x = 1; }"), message(".p.M.N a = 1", more="message N {}")),
    (message("map<string, int64> a = 1"), message("map<string, int32> a = 1")),
    (message(more="oneof o { int32 a = 1; string b = 2; }"), message("int32 a = 1")),
    (message(more="enum E { A = 0; }"), message(more="enum E { A = 0; B = 1; }")),
    (message("required int32 a = 1", syntax="proto2"), message("required int32 a = 1", syntax="proto2")),
]
UNFIT = [
    (message("int32 a = 1", package="q"), message("int32 a = 1"), "PACKAGE_CHANGED"),
    (message("int32 a = 1", name="N"), message("int32 a = 1"), "MESSAGE_REMOVED"),
    (message("string a = 1"), message("int32 a = 1"), "FIELD_KIND_CHANGED"),
    (message("sint32 a = 1"), message("int32 a = 1"), "FIELD_KIND_CHANGED"),
    (message("fixed64 a = 1"), message("fixed32 a = 1"), "FIELD_KIND_CHANGED"),
    (message("double a = 1"), message("float a = 1"), "FIELD_KIND_CHANGED"),
    (message("M a = 1"), message("bytes a = 1"), "FIELD_KIND_CHANGED"),
    (message("map<string, int32> a = 1"), message("int32 a = 1"), "FIELD_KIND_CHANGED"),
    (message("map<string, int32> a = 1"), message("map<int32, int32> a = 1"), "FIELD_KIND_CHANGED"),
    (message("map<string, string> a = 1"), message("map<string, int32> a = 1"), "FIELD_KIND_CHANGED"),
    (message("repeated int32 a = 1"), message("int32 a = 1"), "FIELD_NUMERIC_LABEL_CHANGED"),
    (message("required int32 a = 1", syntax="proto2"), message(syntax="proto2"), "REQUIRED_FIELD_ADDED"),
    (message(syntax="proto2"), message("required int32 a = 1", syntax="proto2"), "REQUIRED_FIELD_REMOVED"),
    (message(more="oneof o { int32 a = 1; }"), message(more="oneof o { int32 a = 1; int32 b = 2; }"),
     "ONEOF_FIELD_REMOVED"),
    (message("int32 b = 2", more="oneof o { int32 a = 1; }"), message(more="oneof o { int32 a = 1; int32 b = 2; }"),
     "ONEOF_FIELD_REMOVED"),
    (message(more="oneof o { int32 a = 1; int32 b = 2; }"), message("int32 a = 1", "int32 b = 2"),
     "MULTIPLE_FIELDS_MOVED_TO_ONEOF"),
    (message(more="oneof o { int32 a = 1; int32 b = 2; }"), message("int32 b = 2", more="oneof o { int32 a = 1; }"),
     "FIELD_MOVED_TO_EXISTING_ONEOF"),
]  # fmt: skip


@pytest.mark.parametrize(("reader", "writer"), FITTING)
def test_what_can_be_read(reader: str, writer: str) -> None:
    assert kinds(reader, writer) == []


@pytest.mark.parametrize(("reader", "writer", "kind"), UNFIT)
def test_what_cannot(reader: str, writer: str, kind: str) -> None:
    assert kinds(reader, writer) == [kind]


def test_what_a_file_says() -> None:
    file = proto_text.parse(ORDER)
    assert (file.syntax, file.package) == ("proto3", "shop.v1")
    assert file.imports == [("google/protobuf/timestamp.proto", "public")]
    assert file.types() == {
        "shop.v1.Order": "message",
        "shop.v1.Order.Line": "message",
        "shop.v1.Order.Status": "enum",
    }
    (order,) = file.messages
    fields = {item.name: (item.number, item.type, item.label, item.oneof, item.map_key) for item in order.fields}
    assert fields == {
        "id": (1, "int32", "", None, None),
        "lines": (2, "string", "repeated", None, None),
        "by_name": (3, "Line", "repeated", None, "string"),
        "card": (5, "string", "", "payment", None),
        "cash": (6, "bytes", "", "payment", None),
        "note": (7, "int64", "optional", None, None),
        "status": (8, "Status", "", None, None),
        "at": (12, ".google.protobuf.Timestamp", "", None, None),
    }
    assert order.reserved == [(4, 4), (9, 11), (100, 2**29 - 1)]
    assert order.reserved_names == ["old", "older"]
    assert order.enums[0].values == [("UNKNOWN", 0), ("NEW", 1), ("FRESH", 1), ("NEGATIVE", -2)]


def test_old_and_new_dialects() -> None:
    old = proto_text.parse(
        """
        message M {
          required string a = 0x1 [default = "x; }"];
          optional group Result = 2 { repeated int32 message = 1; }
          extensions 100 to 199;
          extend Other { optional int32 more = 100; }
        }
        extend M { optional M option = 101; }
        message Other { extensions 100 to max [declaration = { number: 100 }]; optional string optional = 017; }
        """
    )
    assert old.syntax == "proto2"
    first, other = old.messages
    assert [(item.name, item.type, item.group) for item in first.fields] == [
        ("a", "string", False),
        ("result", "Result", True),
    ]
    assert first.ranges == [(100, 199)]
    assert first.extensions[0][0] == "Other"
    assert old.extensions[0][0] == "M"
    assert [(item.name, item.number) for item in other.fields] == [("optional", 15)]
    new = proto_text.parse('edition = "2023"; message M { reserved a, b; int32 c = 1 [features.x = IMPLICIT]; }')
    assert (new.syntax, new.messages[0].reserved_names) == ("2023", ["a", "b"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no message"),
        ("{}", "unexpected"),
        ("message M {", "unexpected end"),
        ("message M { int32 a = 1 }", "expected ';'"),
        ("message M { int32 a = 1; int32 b = 1; }", "used twice"),
        ("message M { int32 a = 1; int32 a = 2; }", "defined twice"),
        ("message M { int32 a = 0; }", "cannot have number"),
        ("message M { int32 a = 19500; }", "cannot have number"),
        ("message M { reserved 1; int32 a = 1; }", "reserved"),
        ("message M { Unknown a = 1; }", "not defined"),
        ("message M { map<float, int32> a = 1; }", "cannot be the key"),
        ("message M { enum E { } }", "no values"),
        ("message 5 {}", "expected a name"),
        ("message M { int32 a = x; }", "expected a number"),
        ("message M { \u00e4 a = 1; }", "unexpected"),
        ('syntax = proto3; message M {}', "expected a string"),
        ("service S { rpc A(B) returns (C) ) }", "unexpected"),
        ("AAAA", "no file descriptor"),
        (base64.b64encode(b"\x22\x05").decode(), "no file descriptor"),
    ],
)  # fmt: skip
def test_invalid_schemas(text: str, reason: str) -> None:
    with pytest.raises(InvalidSchema, match=reason):
        compat_protobuf.parse(text)


def test_imported_types() -> None:
    other = 'syntax = "proto3"; package o; message Other { enum Kind { A = 0; } }'
    text = 'syntax = "proto3"; import "other.proto"; message M { o.Other a = 1; o.Other.Kind b = 2; }'
    with pytest.raises(InvalidSchema, match="not defined"):
        compat_protobuf.parse(text)
    schema = compat_protobuf.parse(text, {"other.proto": other})
    assert [schema.kind(item, "M") for item in schema.file.messages[0].fields] == ["o.Other", "enum"]


def test_forms_of_one_schema() -> None:
    one = compat_protobuf.parse('syntax="proto3";message M{int32 a=1;// x\n}')
    two = compat_protobuf.parse('syntax = "proto3";\n/* y */ message M {\n  int32 a = 1;\n}\n')
    assert compat_protobuf.canonical(one) == compat_protobuf.canonical(two)
    assert compat_protobuf.normalized(one) == compat_protobuf.normalized(two)
    assert compat_protobuf.normalized(one) == 'syntax = "proto3" ;\nmessage M {\n  int32 a = 1 ;\n}\n'
    again = compat_protobuf.parse(compat_protobuf.normalized(compat_protobuf.parse(ORDER)))
    assert again.file == compat_protobuf.parse(ORDER).file


# Made from the text by protoc (grpcio-tools), without source information.
GOLDEN_TEXT = """
syntax = "proto3";
package p;
message M {
  int32 some_id = 1;
  map<string, E> kinds = 2;
  optional string note = 3;
  oneof o { M m = 4; bytes b = 5; }
  repeated double d = 6 [packed = false];
  reserved 9;
  enum E { A = 0; B = -1; }
}
"""
GOLDEN = (
    "Cg1kZWZhdWx0LnByb3RvEgFwIoYCCgFNEhcKB3NvbWVfaWQYASABKAVSBnNvbWVJZBIlCgVraW5kcxgCIAMoCzIPLnAuTS5LaW5k"
    "c0VudHJ5UgVraW5kcxIXCgRub3RlGAMgASgJSAFSBG5vdGWIAQESFAoBbRgEIAEoCzIELnAuTUgAUgFtEg4KAWIYBSABKAxIAFIB"
    "YhIQCgFkGAYgAygBQgIQAFIBZBpACgpLaW5kc0VudHJ5EhAKA2tleRgBIAEoCVIDa2V5EhwKBXZhbHVlGAIgASgOMgYucC5NLkVS"
    "BXZhbHVlOgI4ASIaCgFFEgUKAUEQABIOCgFCEP///////////wFCAwoBb0IHCgVfbm90ZUoECAkQCmIGcHJvdG8z"
)


def test_descriptors() -> None:
    assert compat_protobuf.serialized(GOLDEN_TEXT) == GOLDEN
    assert compat_protobuf.serialized(GOLDEN) == GOLDEN
    text, encoded = compat_protobuf.parse(GOLDEN_TEXT), compat_protobuf.parse(GOLDEN)
    assert encoded.encoded
    assert compat_protobuf.problems(text, encoded) == compat_protobuf.problems(encoded, text) == []
    changed = compat_protobuf.parse(GOLDEN_TEXT.replace("int32 some_id", "string some_id"))
    assert [problem.kind for problem in compat_protobuf.problems(changed, encoded)] == ["FIELD_KIND_CHANGED"]
    assert compat_protobuf.canonical(encoded) == compat_protobuf.normalized(encoded) == GOLDEN


@pytest.mark.parametrize("text", [ORDER, GOLDEN_TEXT])
def test_a_descriptor_says_what_the_text_says(text: str) -> None:
    file = compat_protobuf.parse(text).file
    again = proto_wire.read(base64.b64decode(compat_protobuf.serialized(text)))
    assert again.types() == file.types()
    assert again.syntax == file.syntax
    mine = [(f.name, f.number, f.type.rpartition(".")[2], f.oneof, f.map_key) for f in file.messages[0].fields]
    theirs = [(f.name, f.number, f.type.rpartition(".")[2], f.oneof, f.map_key) for f in again.messages[0].fields]
    assert mine == theirs
    assert again.messages[0].reserved == file.messages[0].reserved


WORDS = st.sampled_from(
    """syntax="proto3"; message enum oneof map reserved extend option import int32 M optional group .M
    { } = 1 2 ; < > , [ ] ( ) to max "x" """.split()
)


@settings(deadline=None)
@given(st.lists(WORDS, max_size=30))
def test_any_words_are_a_schema_or_refused(words: list[str]) -> None:
    text = " ".join(words)
    try:
        schema: Any = compat_protobuf.parse(text)
        compat_protobuf.normalized(schema)
        compat_protobuf.serialized(text)
    except InvalidSchema:
        return
    assert compat_protobuf.problems(schema, schema) == []


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_descriptor_or_refused(data: bytes) -> None:
    try:
        proto_wire.read(data)
    except InvalidSchema:
        return


@settings(deadline=None)
@given(st.data())
def test_damaged_descriptors_are_read_or_refused(data: st.DataObject) -> None:
    good = bytearray(base64.b64decode(GOLDEN))
    for _ in range(data.draw(st.integers(1, 3))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        schema = compat_protobuf.parse(base64.b64encode(bytes(good)).decode())
    except InvalidSchema:
        return
    compat_protobuf.problems(schema, schema)
