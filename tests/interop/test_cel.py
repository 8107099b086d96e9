# SPDX-License-Identifier: Apache-2.0
"""Expressions in CEL have the values that they have with confluent-kafka, or fail as there; exceptions are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.interop.cel_by_peer import evaluate, written
from tests.interop.cel_corpus import ALONE, AVRO, JSON, MESSAGES, ON_DICTS, ON_PROTOBUF, rules
from tests.interop.kit import by_peer, different

NONE = "no value"
# what confluent-kafka 2.16.1 gives is wrong: expression, and what we give
BETTER: dict[str, Any] = {
    # Python's own spelling, and memory addresses
    "'%s'.format([true])": ["string", "true"],
    "'%s'.format([null])": ["string", "null"],
    "'%s'.format([{'a': 1}])": ["string", "{a: 1}"],
    "'%s'.format([type(1)])": ["string", "int"],
    "'%s'.format([[timestamp(0), duration('1s'), null, true, [b'x']]])": [
        "string",
        "[1970-01-01T00:00:00Z, 1s, null, true, [78]]",
    ],
    """'%s'.format([variants.parseJson('{"a":1}')])""": ["string", '{"a":1}'],
    # exceptions that are no failures of expressions, which || and && do not catch
    "decimals.greatest(decimal('1'), decimal('2'), decimal('3'))": NONE,
    "decimals.greatest([decimal('1'), decimal('2')])": NONE,
    "decimals.greatest(decimal('1'))": NONE,
    "decimals.greatest()": NONE,
    "decimals.floor(decimal('1.559'), 2)": NONE,
    "decimals.ceil(decimal('1.551'), 2)": NONE,
    "decimals.add(decimal('1'))": NONE,
    "decimals.add(decimal('1'), decimal('1'), decimal('1'))": NONE,
    "variant({'a': 1})": NONE,
    "variants.as(variants.parseJson('1'))": NONE,
    "variants.type()": NONE,
    "decimals.div(1, 0) == decimal(1) || true": ["bool", "True"],
    # functions with a namespace are not known inside of a macro
    "[1, 2].map(x, decimals.add(x, 1))": ["list", [["Decimal", "2"], ["Decimal", "3"]]],
    "[1, 2].exists(x, decimals.eq(x, 1))": ["bool", "True"],
    "[1, 2].all(x, decimals.gt(x, 0))": ["bool", "True"],
    "[1, 2].filter(x, decimals.gt(x, 1))": ["list", [["int", "2"]]],
    """['{"a":1}'].map(x, variants.toJson(variants.parseJson(x)))""": ["list", [["string", '{"a":1}']]],
    # neither is has() of a field of Protobuf
    "message.rm.exists(x, has(x.i32))": ["bool", "False"],
    # 28 digits
    "decimal('1') / decimal('3')": ["Decimal", "0." + 38 * "3"],
    # the name of a type means the function that converts to it
    "type('a') == string": ["bool", "True"],
}
BETTER_RULES = {
    # an exception of a function passes through ||
    "message.od == null || decimals.lt(message.od, 1)",
    "name != 'dec' || decimals.gt(value, 1)",
    # a truth value of CEL is no boolean to the validator
    "dyn(message)",
    # nor is a double of CEL a number to orjson, where that is installed
    "{'price': double(decimals.add(decimal(message.amount), 1)), 'count': message.count}",
    "double(decimals.mul(value, 2))",
    # values of maps are passed over
    "name == 'msd' ; decimals.neg(value)",
    "name == 'msi' ; value + 1",
    "typeName == 'STRING' ; '%s!'.format([value])",
}


@pytest.mark.timeout(300)
def test_expressions_have_the_same_values(tmp_path: Path) -> None:
    cases: list[tuple[int, str]] = [(0, expr) for expr in ALONE] + [(n, expr) for n in (1, 2) for expr in ON_PROTOBUF]
    cases += [(3, expr) for expr in ON_DICTS]
    corpus = {"messages": MESSAGES, "cases": cases}
    theirs = by_peer("cel_by_peer.py", "evaluate", corpus, tmp_path)
    ours = evaluate(corpus)
    assert [] == [(cases[number], one) for number, one in enumerate(ours) if one != BETTER.get(cases[number][1], one)]
    alike = [number for number, (_, expr) in enumerate(cases) if expr not in BETTER]
    assert different(*([part[number] for number in alike] for part in (ours, theirs, cases))) == []
    assert len(alike) > 0.95 * len(cases)
    # failures and values are there in numbers, or the corpus has become blind
    assert len(ours) / 6 < sum(isinstance(one, str) for one in ours) < len(ours) / 2


@pytest.mark.timeout(300)
def test_rules_make_the_same_of_messages_in_all_formats(tmp_path: Path) -> None:
    corpus: dict[str, Any] = {"AVRO": AVRO, "JSON": JSON, "cases": rules()}
    theirs = by_peer("cel_by_peer.py", "serialize", corpus, tmp_path)
    ours = [written(case, corpus) for case in corpus["cases"]]
    about = [(case["format"], case["type"], case["kind"], case["expr"], number) for number, case in enumerate(rules())]
    alike = [number for number, one in enumerate(about) if one[3] not in BETTER_RULES]
    assert different(*([part[number] for number in alike] for part in (ours, theirs, about))) == []
    written_by_us = {one[3] for one, result in zip(about, ours, strict=True) if result is not None}
    assert BETTER_RULES - written_by_us == set()
    # both kinds are there in numbers, or the corpus has become blind
    assert len(ours) / 6 < ours.count(None) < len(ours) * 5 / 6
