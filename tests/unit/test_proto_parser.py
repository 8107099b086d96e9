# SPDX-License-Identifier: Apache-2.0
"""``.proto`` text to descriptors and back."""

from __future__ import annotations

import base64
import string
from typing import Any

import pytest
from google.protobuf import descriptor_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from confluent_kafka.schema_registry._core.codecs.proto_names import resolve
from confluent_kafka.schema_registry._core.codecs.proto_parser import parse_proto
from confluent_kafka.schema_registry._core.codecs.proto_writer import write_proto
from confluent_kafka.schema_registry._core.codecs.protobuf_files import (
    KNOWN_FILES,
    known_file,
    link,
    load_schema,
    name_at,
    to_proto,
)
from confluent_kafka.schema_registry.common.protobuf import get_inline_tags, is_map_field
from confluent_kafka.serialization import SerializationError
from tests.unit.protobuf_kit import CUSTOMER, MONEY, ORDER, REFERENCES, linked

FIELD = descriptor_pb2.FieldDescriptorProto
OPTIONS = """
syntax = "proto2";
package my.opts;
import "google/protobuf/descriptor.proto";
message Deep {
  optional string text = 1; repeated int32 n = 2; optional Deep deep = 3; optional bytes raw = 4; optional double d = 5;
  enum K { A = 0; B = 1; } optional K k = 6; repeated Deep many = 7; map<string, int32> mp = 8; extensions 100 to max;
}
extend Deep { optional int32 more = 100; }
extend google.protobuf.FieldOptions {
  optional Deep deep = 50001; repeated string tags = 50002; optional bool flag = 50003;
}
extend google.protobuf.MessageOptions { optional Deep mdeep = 50001; optional Deep.K kind = 50002; }
extend google.protobuf.FileOptions { repeated uint64 nums = 50001; }
"""
EVERYTHING = r"""
syntax = "proto2"; /* block
* / ** */ package my.app; // line
import "opts.proto"; import public "google/protobuf/timestamp.proto"; import weak "google/protobuf/any.proto";
option java_package = "com." 'x'; option optimize_for = SPEED; option (opts.nums) = 1; option (.my.opts.nums) = 0x10;
message A {
  option (opts.mdeep).text = "hi\n\x41\101\u00e9"; option (opts.mdeep).deep.deep.text = "deeper";
  option (opts.mdeep).(opts.more) = -5; option (my.opts.kind) = B; option deprecated = true;
  required int32 a = 1 [default = -0x1F]; optional string s = 2 [default = "he\"llo\t", json_name = "Ess"];
  optional bytes b = 3 [default = "\000\xff\"a"]; optional float f = 4 [default = 1.1];
  optional double d = 5 [default = -inf]; optional double e = 6 [default = 1e20];
  optional float nan = 7 [default = nan];
  optional bool ok = 8 [default = true]; optional E en = 9 [default = TWO];
  optional uint64 u = 10 [default = 18446744073709551615];
  repeated int32 packed = 11 [packed = true, (opts.tags) = "x", (opts.tags) = "y", (opts.flag) = true, (opts.deep) =
    { text: "t" n: [1, 2, -3] deep { text: 'q' 'r' } raw: "\001" d: -1.5e3 k: B many { n: 1 }, many < n: 2 >;
      [my.opts.more]: 7 mp { key: "a" value: 1 } }];
  optional group Grp = 12 { optional int32 x = 1; message In {} optional In in = 2; }
  message B { message C { optional B b = 1; optional A.E e = 2; optional .my.app.A a = 3; } optional C c = 1; }
  map<string, B.C> m_map = 14; map<int32, E> em = 15;
  enum E { option allow_alias = true; ZE = 0; UN = 0; TWO = -2 [deprecated = true];
    reserved -5 to -3, 100 to max; reserved "F"; }
  oneof choice { string os = 16; A oa = 17; group Og = 18 { optional int32 q = 1; } }
  optional google.protobuf.Timestamp ts = 19 [lazy = true]; optional my.opts.Deep dd = 20;
  extensions 100 to 199, 500, 1000 to max; reserved 21, 25 to 30; reserved "old", "older";
  extend A { optional string inner = 100; optional group Eg = 101 { optional int32 z = 1; } }
  optional int32 message = 31; optional int32 enum = 32; optional int32 reserved = 34; optional int32 map = 35;
}
extend A { repeated int64 ext_n = 150 [packed = true]; optional A.B ext_b = 151; }
message MS { option message_set_wire_format = true; extensions 4 to 500, 600 to max; }
message Empty {};
service S { rpc Call (A) returns (stream Empty) { option deprecated = true; }; rpc B(Empty) returns (Empty); }
"""
EDITION = """
edition = "2023"; package e; option features.field_presence = IMPLICIT;
message A {
  int32 a = 1 [features.field_presence = EXPLICIT, default = 5]; repeated int32 b = 2; reserved foo, bar;
  A self = 3 [features.message_encoding = DELIMITED]; map<string, A> m = 5; oneof q { int32 z = 6; }
}
"""


def proto(text: str, references: dict[str, str] | None = None, name: str = "test.proto") -> Any:
    return to_proto(link(text, references or {}, name).descriptor)


def files_of(text: str, references: dict[str, str] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, reference in (references or {}).items():
        others = {other: text for other, text in (references or {}).items() if other != name}
        found[name] = proto(reference, others, name)
    found.update({name: known_file(name) for name in KNOWN_FILES if known_file(name) is not None})
    return found


@pytest.mark.parametrize(
    ("text", "references"),
    [
        (EVERYTHING, {"opts.proto": OPTIONS}),
        (OPTIONS, {}),
        (EDITION, {}),
        (ORDER, REFERENCES),
        ("", {}),
        ('syntax = "proto3";', {}),
    ],
)
def test_text_and_descriptor_say_the_same(text: str, references: dict[str, str]) -> None:
    first = proto(text, references)
    again = write_proto(first, files_of(text, references))
    assert proto(again, references) == first
    assert write_proto(proto(again, references), files_of(text, references)) == again


def test_message_fields_and_their_types() -> None:
    order = proto(ORDER, REFERENCES).message_type[1]
    fields = {item.name: item for item in order.field}
    assert fields["id"].type == FIELD.TYPE_INT64
    assert fields["customer"].type_name == ".shop.people.Customer"
    assert fields["lines"].label == FIELD.LABEL_REPEATED
    assert fields["status"].type == FIELD.TYPE_ENUM
    assert (fields["note"].proto3_optional, order.oneof_decl[fields["note"].oneof_index].name) == (True, "_note")
    assert [item.name for item in order.nested_type] == ["PaidEntry", "HistoryEntry", "Line", "Address"]
    assert order.nested_type[0].options.map_entry


def test_default_values_and_custom_options() -> None:
    message = resolve(parse_proto(EVERYTHING), files_of("", {"opts.proto": OPTIONS})).message_type[0]
    fields = {item.name: item for item in message.field}
    defaults = {name: item.default_value for name, item in fields.items() if item.HasField("default_value")}
    assert defaults == {
        "a": "-31", "s": 'he"llo\t', "b": r"\000\377\"a", "f": "1.1", "d": "-inf", "e": "1e+20", "nan": "nan",
        "ok": "true", "en": "TWO", "u": "18446744073709551615",
    }  # fmt: skip
    found = link(EVERYTHING, {"opts.proto": OPTIONS}, "test.proto")
    tags = found.pool.FindExtensionByName("my.opts.tags")
    descriptor = found.descriptor.message_types_by_name["A"].fields_by_name["packed"]
    raw = descriptor.GetOptions().SerializeToString()
    assert tags.number == 50002
    assert b"\x92\xb5\x18\x01x\x92\xb5\x18\x01y" in raw


def test_tags_of_fields() -> None:
    text = """
    syntax = "proto3"; import "confluent/meta.proto";
    message A { string ssn = 1 [(confluent.field_meta).tags = "PII", (confluent.field_meta).tags = "US"]; string b = 2;
                string c = 3 [(.confluent.field_meta) = { doc: "d" tags: ["T"] params [{key: "k" value: "v"}] }];
                map<string, int32> m = 4; }
    """
    fields = link(text, {}).descriptor.message_types_by_name["A"].fields_by_name
    assert [get_inline_tags(fields[name]) for name in "bcm"] == [set(), {"T"}, set()]
    assert get_inline_tags(fields["ssn"]) == {"PII", "US"}
    assert is_map_field(fields["m"])
    assert not is_map_field(fields["b"])


REFUSED = [
    ("message A { int32 a = 1; }", "line 1, column 13: expected optional, required or repeated"),
    ('syntax = "proto3"; message A { required int32 a = 1; }', "no required fields"),
    ('syntax = "proto4";', "unknown syntax"),
    ("message A { optional int32 a = 0; }", "not in the range 1 to 536870911"),
    ("message A { optional int32 a = 1 }", "expected ';'"),
    ("message A { optional B a = 1; }", "B in A is not known"),
    ('syntax = "proto3"; message A { map<float, int32> m = 1; }', "cannot be the key"),
    ('syntax = "proto3"; message A { repeated map<int32, int32> m = 1; }', "a map has no label"),
    ("message A { optional int32 a = 1; optional int32 b = 1; }", "duplicate field number"),
    ('syntax = "proto3"; enum E { A = 1; }', "first value must be zero"),
    ("enum E { }", "has no value"),
    ("message A {\n  optional int32 a", "found the end of the text"),
    ("message A {", "has no end"),
    ('import "x.proto";', "imports x.proto, which is not among the schema's references"),
    ("package a; package b;", "a second package"),
    ('message A { optional int32 a = 1 [default = "x"]; }', "cannot be the default value"),
    ("message A { optional int32 a = 1 [default = 3000000000]; }", "cannot be the default value"),
    ("message A { optional int32 a = 1 [foo = 1]; }", "no field named"),
    ("message A { option (confluent.zz) = 1; }", r"option \(confluent\.zz\) is not known"),
    ('option java_package = "a"; option java_package = "b";', "set twice"),
    ("message A { oneof o { optional int32 a = 1; } }", "have no label"),
    ("extend B { optional int32 x = 1; }", "B is not known"),
    ('message A { optional string s = 1 [default = "\\q"]; }', "unknown escape"),
    ("message A { optional int32 a = 1abc; }", "may not go on"),
    ("message A { optional int32 a = 08; }", "not an octal number"),
    ("message A { optional int32 é = 1; }", "column 28: unexpected"),
    ("/* open", "unexpected"),
    ('import "google/protobuf/any.proto"; import "google/protobuf/any.proto";', "imported twice"),
    ("service S {", "has no end"),
    ("option a = {", "has no end"),
    ("message A { optional int32 a = " + "9" * 5000 + "; }", "too many digits"),
]


@pytest.mark.parametrize(("text", "problem"), REFUSED)
def test_what_is_no_schema_says_what_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(SerializationError, match=problem):
        link(text, {})


@pytest.mark.parametrize(
    "text",
    [
        "message A {" * 1000,
        "message A {" * 20000 + "}" * 20000,
        "option a = " + "{ a " * 5000,
        "option a = " + "{ a " * 5000 + "}" * 5000 + ";",
        "message A { optional " + "a." * 100_000 + "a b = 1; }",
        "//" + "x" * 1_000_000,
        "(" * 100_000,
        '"' + "\\" * 99_999,
        "x" * (16 * 1024 * 1024 + 1),
    ],
)
def test_hostile_text_ends_soon(text: str) -> None:
    if text.startswith("//"):
        assert proto(text).message_type == []
    else:
        with pytest.raises(SerializationError):
            link(text, {})


def test_files_that_import_each_other_in_a_circle() -> None:
    references = {"a.proto": 'import "b.proto";', "b.proto": 'import "a.proto";'}
    with pytest.raises(SerializationError, match=r"in a circle: (a\.proto|b\.proto) imports"):
        link('import "a.proto";', references)
    with pytest.raises(SerializationError, match="circle"):
        link('import "self.proto";', {"self.proto": 'import "self.proto";'})


def test_a_chain_of_imports_that_is_too_long() -> None:
    references = {f"{n}.proto": f'import "{n + 1}.proto";' for n in range(5000)}
    with pytest.raises(SerializationError, match="more than 100 deep"):
        link('import "0.proto";', references)


def test_serialized_and_text_schemas_can_refer_to_each_other() -> None:
    def serialized(text: str, references: dict[str, str], name: str) -> str:
        return base64.b64encode(proto(text, references, name).SerializeToString()).decode()

    mixed = {"shop/money.proto": serialized(MONEY, {}, "m"), "shop/customer.proto": CUSTOMER}
    assert to_proto(linked(ORDER, mixed).descriptor) == to_proto(linked().descriptor)
    # what a registry gives for serialized files has no useful name
    whole = serialized(ORDER, REFERENCES, "default")
    assert link(whole, mixed).descriptor.message_types_by_name["Order"].full_name == "shop.Order"
    assert name_at(whole, [1, 2]) == name_at(ORDER, [1, 2]) == "shop.Order.Line"
    assert name_at(ORDER, [1, 9]) is None


def test_base64_that_is_no_descriptor() -> None:
    for text in ("AAAA", base64.b64encode(b"\xff" * 50).decode(), base64.b64encode(b"\x22\x05\x0a").decode()):
        with pytest.raises(SerializationError, match="not of a file descriptor"):
            load_schema(text, "x")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_descriptor_or_refused(data: bytes) -> None:
    try:
        found = link(base64.b64encode(data).decode(), {})
    except SerializationError:
        return
    assert found.descriptor is not None


@given(st.text(alphabet=st.sampled_from(string.ascii_lowercase + "{}[]()<>;=,.:\"'/*-0123456789 \n"), max_size=100))
def test_any_text_is_a_schema_or_refused(text: str) -> None:
    try:
        parse_proto(text)
    except SerializationError as e:
        refused = str(e)
    else:
        return
    assert "line" in refused


@settings(deadline=None)
@given(st.data())
def test_a_schema_with_a_few_words_changed_is_read_or_refused(data: st.DataObject) -> None:
    words = EVERYTHING.split(" ")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(words) - 1))
        words[at] = words[data.draw(st.integers(0, len(words) - 1))]
    try:
        parsed = parse_proto(" ".join(words))
        resolve(parsed, files_of("", {"opts.proto": OPTIONS}))
    except SerializationError:
        pass


NAMES = st.sampled_from(["a", "b_c", "Item", "E", "message", "optional", "x1", "_y", "Z_z"])
SCALARS = st.sampled_from(["int32", "sint64", "fixed32", "double", "float", "bool", "string", "bytes", "uint64"])


@st.composite
def schemas(draw: st.DrawFn, depth: int = 0) -> str:
    """A message of proto3 with unique names and numbers."""
    lines = []
    names = draw(st.lists(NAMES, unique=True, max_size=6))
    for number, name in enumerate(names, 1):
        scalar = draw(SCALARS)
        kind = draw(st.integers(0, 5))
        if kind == 0:
            lines.append(f"map<{draw(st.sampled_from(['int32', 'string', 'bool']))}, {scalar}> {name} = {number};")
        elif kind == 1:
            lines.append(f"repeated {scalar} {name} = {number} [deprecated = true];")
        elif kind == 2:
            lines.append(f"optional {scalar} {name} = {number};")
        elif kind == 3:
            lines.append(
                f"oneof one_{number} {{ {scalar} {name} = {number}; M{number} other{number} = {number + 100}; }}"
            )
            lines.append(f"message M{number} {{ {draw(schemas(depth + 1)) if depth < 2 else ''} }}")
        elif kind == 4:
            lines.append(f"enum E{number} {{ V{number} = 0; W{number} = {draw(st.integers(1, 2**31 - 1))}; }}")
            lines.append(f"repeated E{number} {name} = {number};")
        else:
            lines.append(f"{scalar} {name} = {number} [json_name = {draw(st.sampled_from(['j', 'J1']))!r}];")
            break
    return "\n".join(lines)


@settings(deadline=None)
@given(schemas())
def test_generated_schemas_round_trip(body: str) -> None:
    first = proto(f'syntax = "proto3"; package p.q; message Root {{ {body} }}')
    assert proto(write_proto(first, {})) == first


def test_options_that_nobody_defines_are_kept_as_they_are() -> None:
    text = """
    message A {
      option (a.b).c = "x\\n"; option (d) = -5; option (e) = 7; option (f) = 1.5;
      option (g) = WORD; option (h) = { x: 1 };
    }
    """
    message = resolve(parse_proto(text), {}).message_type[0]
    kept = message.options.uninterpreted_option
    assert [(part.name_part, part.is_extension) for part in kept[0].name] == [("a.b", True), ("c", False)]
    assert kept[0].string_value == b"x\n"
    assert (kept[1].negative_int_value, kept[2].positive_int_value, kept[3].double_value) == (-5, 7, 1.5)
    assert (kept[4].identifier_value, kept[5].aggregate_value) == ("WORD", "x : 1")
    assert link(text, {}).descriptor.message_types_by_name["A"] is not None
