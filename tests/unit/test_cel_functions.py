# SPDX-License-Identifier: Apache-2.0
"""Expressions: functions, evaluation, what errors say; tests/interop/test_cel.py compares them with confluent-kafka."""

from __future__ import annotations

import datetime
import math
import re
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import celpy
import pytest
from celpy import celtypes
from celpy.celparser import CELParseError
from celpy.evaluation import CELEvalError
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st

from confluent_kafka.schema_registry._core.codecs.protobuf_files import link
from confluent_kafka.schema_registry.common.serde import ValidationRule
from confluent_kafka.schema_registry.confluent.type import decimal_pb2
from confluent_kafka.schema_registry.confluent.type import variant_utils as vu
from confluent_kafka.schema_registry.error import RuleError
from confluent_kafka.schema_registry.rules.cel import programs, protobuf_result_writer, string_format, variant_path
from confluent_kafka.schema_registry.rules.cel.cel_executor import from_cel, msg_to_cel
from confluent_kafka.schema_registry.rules.cel.cel_validator import CelValidator
from confluent_kafka.schema_registry.rules.cel.constraints import MessageType, int_value, uint_value
from confluent_kafka.schema_registry.rules.cel.extra_func import EXTRA_FUNCS
from confluent_kafka.schema_registry.rules.cel.programs import program
from tests.interop.cel_by_peer import given as read
from tests.interop.cel_by_peer import message_class, shown
from tests.interop.cel_corpus import ALONE, FULL

SECRET = "hunter2"


def value(expr: str, **variables: Any) -> Any:
    return from_cel(program(expr)({name: msg_to_cel(item) for name, item in variables.items()}))


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("'%s is %d'.format([message.name, message.age])", "Ada is 36"),
        ("'%.2f %e %x %X %o %b %%'.format([1.5, 1.5, 255, b'\\xab', 8, 5])", "1.50 1.500000e+00 ff AB 10 101 %"),
        ("'%s'.format([[true, null, 'a', {'k': 1.5}]])", '[true, null, "a", {k: 1.5}]'),
        ("string(timestamp(1577836800123, 3))", "2020-01-01T00:00:00.123Z"),
        ("string(timestamp(-1, 9))", "1969-12-31T23:59:59.999999Z"),
        ("decimals.div(1, 3)", Decimal("0." + "3" * 38)),
        ("decimals.div(2, 3)", Decimal("0." + "6" * 37 + "7")),
        ("decimals.add(message.price, '0.001')", Decimal("12.501")),
        ("decimals.round('-2.5')", Decimal(-3)),
        ("decimals.mod('-7.5', 2)", Decimal("-1.5")),
        ("decimals.greatest(1, 2)", Decimal(2)),
        ("decimal(b'\\x01\\x02', 2)", Decimal("2.58")),
        ("string(decimal('1E+5'))", "100000"),
        ("double(decimal('0.5'))", 0.5),
        ("variants.as(variants.path(variants.parseJson('{\"a\": [1, {\"b c\": 2}]}'), '$.a[1][\"b c\"]'), 'int')", 2),
        ("variants.tryAs(variants.parseJson('1'), 'string') == null", True),
        ("variants.tryParseJson('{') == null", True),
        ("variants.toJson(variants.parseJson('[1, 2.5]'))", "[1,2.5]"),
        ("[1, 2].map(x, decimals.add(x, 1))", [Decimal(2), Decimal(3)]),
        ("message.none == null || decimals.gt(message.none, 0)", True),
        ("message.none != null && decimals.gt(message.none, 0)", False),
        ("decimals.div(1, 0) == decimal(1) || true", True),
        ("type('a') == string && type(1.5) == double", True),
    ],
)
def test_values(expr: str, expected: Any) -> None:
    message = {"name": "Ada", "age": 36, "price": Decimal("12.50"), "none": None}
    made = value(expr, message=message)
    assert (type(made), made) == (type(expected), expected)


ONLY_OURS = {
    # a decimal is equal to decimals only
    "1 == decimal('1')",
    "decimal('1') == 1",
    "decimal('1') == 1u",
    "decimal('1.50') == 1.5",
    "1 in [decimal('1')]",
    # Python's own operator rounds to 28 digits
    "decimal('1') / decimal('3')",
    # there the names of types stand for the functions
    "type('a') == string",
    "type(1) == int",
}


def test_compiled_expressions_have_the_values_that_the_interpreter_gives_them() -> None:
    environment = celpy.Environment(runner_class=celpy.InterpretedRunner)

    def interpreted(expr: str) -> Any:
        try:
            ast = environment.compile(expr)
            return shown(environment.program(ast, functions=EXTRA_FUNCS).evaluate({"x": celtypes.IntType(1)}))
        except (CELParseError, CELEvalError, TypeError, ValueError, KeyError):
            return "fails"

    def ours(expr: str) -> Any:
        try:
            return shown(program(expr)({"x": celtypes.IntType(1)}))
        except (CELParseError, CELEvalError):
            return "fails"

    # functions with a namespace are not known to the interpreter; time goes on between the two
    both = [e for e in ALONE if "decimals." not in e and "variants." not in e and "now" not in e]
    assert len(both) > 300
    assert {e for e in both if ours(e) != interpreted(e)} == ONLY_OURS


@pytest.mark.parametrize(
    "expr",
    [
        "message.s + 1",
        "message.s && message.s",
        "message.s ? 1 : 2",
        "-message.s",
        "message.s.x",
        "message.s.x()",
        "message[message.s]",
        "message.m[message.s]",
        "message.l[message.i]",
        "nothing(message.s)",
        "int(message.s)",
        "uint(message.s)",
        "double(message.s)",
        "bool(message.s)",
        "decimal(message.s)",
        "timestamp(message.s)",
        "duration(message.s)",
        "variant(message.s)",
        "variants.parseJson(message.s)",
        "variants.path(variants.parseJson('1'), message.s)",
        "variants.as(variants.parseJson('1'), message.s)",
        "'x'.matches(message.bad)",
        "'%d'.format([message.s])",
        "message.s.format([1])",
        "format(message.m, message.s)",
        "{message.s: 1, message.s: 2}",
        "{message.l: 1}",
        "message.l.map(x, x + 1)",
        "message.l.exists(x, x + 1 > 0)",
        "message.s in 5",
        "1 in message.l",
        "timestamp(message.i, 3).getHours(message.s)",
        "[message.s].reduce(r, i, 0, r + i)",
        "message.nothing",
        "massage.s",
        "decimals.sqrt(message.i)",
        "message.l.startsWith(message.s)",
        "message.s.startsWith(5)",
        "5.5.matches(message.s)",
        "message.s.getHours()",
        "timestamp(0).getHours(message.s)",
        "message.s.size().contains(message.s)",
        "message.i.contains(message.s)",
        "size(message.i)",
    ],
)
def test_errors_name_the_expression_and_no_value(expr: str, caplog: pytest.LogCaptureFixture) -> None:
    message = {"s": SECRET, "i": -20775, "l": [SECRET], "m": {"a": SECRET}, "bad": f"[{SECRET}"}
    with pytest.raises(RuleError) as raised:
        value(expr, message=message)
    said = "".join(traceback.format_exception(raised.value)) + repr(raised.value)
    assert expr in str(raised.value).replace("\\'", "'") or repr(expr) in str(raised.value)
    assert SECRET not in said + caplog.text
    assert "20775" not in said
    assert isinstance(raised.value, CELEvalError)


@pytest.mark.parametrize(
    ("expr", "says"),
    [
        ("message.nothing", "no such field: 'nothing'; has() tells"),
        ("message.big > 0", "field 'big' has a value that CEL has not, like a number of over 64 bits"),
        ("massage.s", "no such variable: 'massage'; there are message"),
        ("nothing(1)", "no such function: 'nothing'"),
        ("message.s + 1", "+ does not take (string, int)"),
        ("message.s.x", "string has no fields"),
        ("1 / 0", "division by zero in /"),
        ("9223372036854775807 + 1", "the result of + is out of range"),
        ("decimal(message.s)", "not a number; expected digits"),
        ("decimal(b'1')", "bytes need a scale"),
        ("variants.as(variants.parseJson('1'), 'string')", "variants.as: variant is not string-typed but int"),
        ("variants.path(variants.parseJson('1'), 'a')", "variant path must start with '$'"),
        ("timestamp(99999999999999)", "outside of the years 1 to 9999; is the precision right?"),
        ("'%d'.format([1.5])", "format_int() requires an integer argument"),
        ("decimals.add(decimal('1E+20000000'), 1)", "more than 10000000; round"),
        ("int(decimal('1E+20000000'))", "return error for overflow"),
    ],
)
def test_errors_say_why(expr: str, says: str) -> None:
    with pytest.raises(RuleError, match=r"^cannot evaluate ") as raised:
        value(expr, message={"s": SECRET, "big": 2**64})
    assert says in str(raised.value)


def test_what_is_no_expression_is_named_with_the_place() -> None:
    with pytest.raises(RuleError, match=r"cannot compile 'message\.s \+\* 1': not CEL at line 1, column 12") as raised:
        program("message.s +* 1")
    assert isinstance(raised.value, CELParseError)


def test_now_is_there_where_it_is_a_variable() -> None:
    assert value("now > timestamp(0) && type(now) == timestamp") is True
    assert program("message.known == 'now'").names == {"message"}
    assert value("message.known == 'now'", message={"known": "now"}) is True
    moments = {value("now") for _ in range(3)}
    assert len(moments) == 3


def test_threads_compile_and_evaluate_at_once() -> None:
    programs._programs.clear()
    start = threading.Barrier(8)

    def work(number: int) -> list[Any]:
        start.wait()
        return [value(f"message.n + {each} + {number % 2}", message={"n": number}) for each in range(40)]

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(work, range(8)))
    assert made == [[number + each + number % 2 for each in range(40)] for number in range(8)]


def test_validator_and_executors_share_programs() -> None:
    expr = "this == 'shared by all'"
    rule = ValidationRule("r", None, expr, None)
    assert CelValidator().execute(rule, None, "shared by all") is True
    assert program(expr) is programs._programs[expr]
    assert CelValidator().execute(ValidationRule("r", None, "decimals.eq(this, 0.5)", None), None, half()) is True
    with pytest.raises(RuleError, match="must return bool or string; got IntType"):
        CelValidator().execute(ValidationRule("r", None, "1", None), None, 1)
    with pytest.raises(RuleError, match="was given null"):
        CelValidator().execute(rule, None, None)


def half() -> Any:
    return decimal_pb2.Decimal(value=b"\x05", scale=1)


NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40)


@given(NUMBERS, NUMBERS)
def test_decimals_are_exact(a: Decimal, b: Decimal) -> None:
    one, other = Fraction(a), Fraction(b)
    for name, expected in (("add", one + other), ("sub", one - other), ("mul", one * other)):
        assert Fraction(value(f"decimals.{name}(a, b)", a=a, b=b)) == expected
    for name, holds in (("lt", one < other), ("le", one <= other), ("eq", one == other), ("ge", one >= other)):
        assert value(f"decimals.{name}(a, b)", a=a, b=b) is holds
    if b:
        assert Fraction(value("decimals.mod(a, b)", a=a, b=b)) == one - other * math.trunc(one / other)
        quotient = value("decimals.div(a, b)", a=a, b=b)
        assert len(quotient.as_tuple().digits) <= 38
        # half a unit of the last of 38 digits
        unit = Fraction(10) ** (quotient.adjusted() - 37)
        assert abs(Fraction(quotient) - one / other) * 2 <= unit


@given(NUMBERS, st.integers(-45, 45))
def test_decimals_are_rounded(a: Decimal, scale: int) -> None:
    unit = Fraction(10) ** -scale
    scaled = Fraction(a) / unit
    half_up = math.floor(abs(scaled) + Fraction(1, 2)) * (-1 if a < 0 else 1)
    assert Fraction(value("decimals.round(a, n)", a=a, n=scale)) == half_up * unit
    assert Fraction(value("decimals.trunc(a, n)", a=a, n=scale)) == math.trunc(scaled) * unit
    assert value("decimals.floor(a)", a=a) == math.floor(a)
    assert value("decimals.ceil(a)", a=a) == math.ceil(a)
    with localcontext() as context:
        context.prec = 100
        assert Decimal(value("string(a)", a=a)) == a


@given(st.lists(st.one_of(st.text(max_size=5), st.integers(0, 2**31 - 1)), max_size=5))
def test_paths_of_any_keys_are_parsed(steps: list[str | int]) -> None:
    def quoted(key: str) -> str:
        escaped = key.replace("\\", "\\\\").replace('"', '\\"')
        return f'["{escaped}"]'

    path = "$" + "".join(quoted(step) if isinstance(step, str) else f"[{step}]" for step in steps)
    assert variant_path.parse(path) == tuple(("field" if isinstance(step, str) else "index", step) for step in steps)


@given(st.text(max_size=12))
def test_no_text_makes_paths_or_formats_crash(text: str) -> None:
    root = vu.parse_json('{"a": [1]}')
    try:
        variant_path.walk(root, text)
    except ValueError as e:
        assert "variant path" in str(e)  # noqa: PT017 - most texts are none
    made = string_format.format(celtypes.StringType(text), celtypes.ListType([celtypes.IntType(1)]))
    assert isinstance(made, (celtypes.StringType, CELEvalError))


def test_unset_fields_of_a_message() -> None:
    message = message_class()(i32=1, maybe=0, c_s="")
    message.child.SetInParent()
    names = ["i32", "i64", "maybe", "c_s", "c_i", "child", "ts", "w_int", "ri", "msi", "nothing"]
    assert [value(f"has(message.{name})", message=message) for name in names] == [
        True, False, True, True, False, True, False, False, False, False, False,
    ]  # fmt: skip
    assert value("[{'a': 1}].all(x, has(x.a) && !has(message.ts))", message=message) is True
    assert value("has(message.child.s) || has(message.child.child.child.s)", message=message) is False
    assert value("message.w_int == null && message.s == '' && message.child.child.i32 == 0", message=message) is True
    assert value("message == message && message.child != message", message=message) is True
    assert value("'%s'.format([message])", message=message) == '{i32: 1, maybe: 0, child: {}, c_s: ""}'
    assert repr(msg_to_cel(message)) == "MessageType(corpus.All)"


def test_unset_fields_of_proto2() -> None:
    text = 'syntax = "proto2"; message M { optional int32 x = 1 [default = 5]; oneof c { string s = 2; int32 i = 3; } }'
    message = GetMessageClass(link(text, {}).descriptor.message_types_by_name["M"])(i=0)
    assert value("[has(message.x), has(message.s), has(message.i)]", message=message) == [False, False, True]
    assert value("message.map(k, k) == ['x', 'i'] && message.x == 5 && message.s == ''", message=message) is True


def test_results_are_written_into_new_messages() -> None:
    message = read("PROTOBUF", FULL)
    before = message.SerializeToString(deterministic=True)
    whole = protobuf_result_writer.convert(msg_to_cel(message), message)
    assert whole == message
    assert whole is not message
    fields = [field.name for field, _ in message.ListFields()]
    parts = {celtypes.StringType(name): msg_to_cel(message)[name] for name in fields}
    assert protobuf_result_writer.convert(celtypes.MapType(parts), message) == message
    assert message.SerializeToString(deterministic=True) == before


@pytest.mark.parametrize(
    ("expr", "says"),
    [
        ("{'nothing': 1}", "corpus.All has no field 'nothing'; its fields are i32, i64"),
        ("{'nothing': null}", "has no field 'nothing'"),
        ("{'child': {'nothing': 1}}", "has no field 'child.nothing'"),
        ("{'snake_case': 'a', 'snakeCase': 'b'}", "has field snakeCase twice, as 'snake_case' and 'snakeCase'"),
        ("{'c_s': 'a', 'c_i': 1}", "sets 'c_s' and 'c_i', but oneof choice has one"),
        ("{'i32': 'a'}", "field i32: expected a whole number in range, got string"),
        ("{'i32': 5.5}", "field i32: expected a whole number in range, got double"),
        ("{'i32': 3000000000}", "field i32: the number is out of range"),
        ("{'rs': ['a', 1]}", "field rs[1]: expected string, got int"),
        ("{'msi': {'secret': 'a'}}", "field msi[...]: expected a whole number in range, got string"),
        ("{'e': 'BLUE'}", "corpus.Colour has no such label; it has NONE, RED"),
        ("{'ts': 5}", "field ts: expected timestamp, got int"),
        ("{'child': message.struct}", "field child: expected corpus.All, got google.protobuf.Struct"),
        ("message.dec", "field (result): expected corpus.All, got confluent.type.Decimal"),
        ("{'dec': decimal(message.s)}", "has 4301 digits"),
    ],
)
def test_results_that_do_not_fit_are_refused(expr: str, says: str) -> None:
    message = read("PROTOBUF", FULL)
    message.s = "1" * 4301
    made = program(expr)({"message": msg_to_cel(message)})
    with pytest.raises(ValueError, match=re.escape(says)) as raised:
        protobuf_result_writer.convert(made, message)
    assert "secret" not in str(raised.value)


def test_records_are_read_when_they_are_asked_and_passed_on_as_they_are() -> None:
    inner = {"when": datetime.date(2020, 1, 2), "n": 1}
    made = msg_to_cel({"a": inner, 3: 4})
    assert type(made) is celtypes.MapType
    record = msg_to_cel({"a": inner, "b": 2**70})
    assert "b" in record
    assert list(record) == ["a", "b"]
    assert len(record) == 2
    assert value("{'x': message.a}", message={"a": inner})["x"] is inner
    assert value("message.a.when", message={"a": inner}) == 18263
    assert value("message.a == {'when': 18263, 'n': 1} && message.a != {'n': 1}", message={"a": inner}) is True
    assert value("message.a.map(k, k + '!')", message={"a": inner}) == ["when!", "n!"]
    assert dict(msg_to_cel(inner)) == {"when": 18263, "n": 1}
    assert value("'%s'.format([message])", message=inner) == "{when: 18263, n: 1}"


def test_messages_are_read_when_they_are_asked() -> None:
    made = msg_to_cel(read("PROTOBUF", FULL))
    assert isinstance(made, MessageType)
    assert made.get("nothing", 5) == 5
    assert made["child"] is made["child"]
    assert dict(made.items())["s"] == "x"
    assert len(list(made.values())) == len(made) == 36


@pytest.mark.parametrize("expr", ["google.protobuf.Int32Value{value: 5} == 5", "[1, 2, 3].reduce(r, i, 0, r + i) == 6"])
def test_the_rest_of_the_language_is_interpreted(expr: str) -> None:
    assert value(expr) is True


@given(st.integers(-(2**70), 2**70))
def test_whole_numbers_are_those_of_cel_python(number: int) -> None:
    def made(make: Any) -> Any:
        try:
            found = make(number)
        except ValueError as e:
            return type(e)
        return type(found), int(found), repr(found)

    assert made(int_value) == made(celtypes.IntType)
    assert made(uint_value) == made(celtypes.UintType)
