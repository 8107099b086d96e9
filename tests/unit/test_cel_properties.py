# SPDX-License-Identifier: Apache-2.0
"""Expressions of any shape have the values that cel-python's interpreter gives them."""

from __future__ import annotations

from typing import Any

import celpy
from celpy import celtypes
from celpy.celparser import CELParseError
from celpy.evaluation import CELEvalError
from hypothesis import given
from hypothesis import strategies as st

from confluent_kafka.schema_registry.rules.cel.cel_executor import msg_to_cel
from confluent_kafka.schema_registry.rules.cel.extra_func import EXTRA_FUNCS
from confluent_kafka.schema_registry.rules.cel.programs import program
from tests.interop.cel_by_peer import shown

VALUES: dict[str, Any] = {"x": 3, "s": "abc", "l": [1, "b"], "m": {"a": 1, "n": None, "c": {"d": 1.5}}, "t": True}
NAMES = st.sampled_from([*VALUES, "m.a", "m.c.d", "l[0]"])
CONSTANTS = [
    "1",
    "0",
    "-5",
    "2u",
    "1.5",
    "true",
    "false",
    "null",
    "'a'",
    "''",
    "b'a'",
    "timestamp(0)",
    "duration('1s')",
]
# what is in a map must have a value: the interpreter keeps errors there
SURE = st.one_of(st.sampled_from(CONSTANTS), NAMES)
LEAVES = st.one_of(SURE, st.sampled_from(["m.zz", "l[9]", "y", "v"]))


def larger(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def made(shape: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.tuples(*parts).map(lambda texts: shape.format(*texts))

    operators = st.sampled_from(["+", "-", "*", "/", "%", "<", "<=", ">", ">=", "==", "!=", "&&", "||", "in"])
    functions = st.sampled_from(["size", "string", "double", "bool", "uint", "type", "dyn", "decimal"])
    macros = st.sampled_from(["map", "filter", "all", "exists", "exists_one"])
    return st.one_of(
        made("({} {} {})", part, operators, part),
        made("({} {} {})", part, st.sampled_from(["&&", "||"]), part),
        made("({} ? {} : {})", part, part, part),
        made("{}({})", st.sampled_from(["!", "-"]), part),
        made("[{}, {}]", part, part),
        made("{{'k': {}, 'j': {}}}", SURE, SURE),
        made("{}.{}(v, {})", st.one_of(part, st.just("l"), st.just("m")), macros, part),
        made("{}({})", functions, part),
        made("({})[{}]", part, part),
        made("({}).startsWith({})", part, part),
        made("has({})", st.sampled_from(["m.a", "m.zz", "m.n", "x.a", "y.a", "m.c.d", "m.c.e", "l[0].a"])),
    )


ENVIRONMENT = celpy.Environment(runner_class=celpy.InterpretedRunner)


@given(st.recursive(LEAVES, larger, max_leaves=8))
def test_what_the_interpreter_has_a_value_for_has_the_same_value(expr: str) -> None:
    plain = {name: eager(item) for name, item in VALUES.items()}
    try:
        expected = ENVIRONMENT.program(ENVIRONMENT.compile(expr), functions=EXTRA_FUNCS).evaluate(plain)
    except CELParseError:
        return
    except (CELEvalError, TypeError, ValueError, AttributeError, KeyError, IndexError):
        # it may have one here: && and || do without the side that fails
        try:
            program(expr)(variables())
        except CELEvalError:
            return
        return
    made = program(expr)(variables())
    assert shown(made) == shown(expected)
    assert type(made) is type(expected) or isinstance(made, celtypes.MapType | celtypes.BoolType)


def variables() -> dict[str, Any]:
    return {name: msg_to_cel(item) for name, item in VALUES.items()}


def eager(item: Any) -> Any:
    if isinstance(item, dict):
        return celtypes.MapType({celtypes.StringType(name): eager(part) for name, part in item.items()})
    return celtypes.ListType(map(eager, item)) if isinstance(item, list) else msg_to_cel(item)
