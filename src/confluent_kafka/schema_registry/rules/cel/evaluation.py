# SPDX-License-Identifier: Apache-2.0
"""Expressions compiled to Python functions, one per node of the parser's tree.

cel-python parses, and has the types and their operators; its interpreter walks the tree anew for every message, which
takes ten times as long. Results are the same. Errors are exceptions here: ``&&``, ``||``, ``? :``, ``has()``, ``all``
and ``exists`` catch what does not matter, so that ``x == null || decimals.gt(x, 0)`` holds for null. Their texts say
types and names from the expression, never a value of a message.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from celpy import celtypes
from celpy.evaluation import CELEvalError, base_functions, celbytes, celstr

from confluent_kafka.schema_registry.confluent.type.variant_utils import VariantError
from confluent_kafka.schema_registry.rules.cel.constraints import MessageType
from confluent_kafka.schema_registry.rules.cel.decimal_funcs import DECIMAL_FUNCS
from confluent_kafka.schema_registry.rules.cel.string_format import TYPE_NAMES

__all__ = ["Unsupported", "compiled", "identifiers"]

Run = Callable[[Mapping[str, Any]], Any]
# what operators of cel-python's types and functions raise for values that they do not take
_FAILURES = (TypeError, ValueError, ArithmeticError, AttributeError, LookupError, RecursionError)
# of a text its characters, of bytes numbers: no part of CEL, but what rules that exist may rely on
_ITERABLE = (list, dict, str, bytes)
_TRUE, _FALSE = celtypes.BoolType(True), celtypes.BoolType(False)
_NAMESPACES = ("decimals", "variants")
# names that stand for types, not for the functions of the same names
_TYPES: dict[str, Any] = {
    name: base_functions[name]
    for name in (
        "bool",
        "bytes",
        "double",
        "duration",
        "int",
        "list",
        "map",
        "null_type",
        "string",
        "timestamp",
        "uint",
    )
}


class Unsupported(Exception):
    """A part of the language that is left to cel-python's interpreter."""


def compiled(tree: Any, functions: Mapping[str, Callable[..., Any]]) -> Run:
    """Return a function that evaluates an expression with variables by name.

    Raises:
        Unsupported: it has messages in braces, names that begin with a dot, or macros that are no part of CEL.
    The function raises CELEvalError.
    """
    return _Compiler(functions).node(tree)


def identifiers(tree: Any) -> frozenset[str]:
    """Return the names of an expression that may be variables."""
    return frozenset(str(ident.children[0]) for ident in tree.find_data("ident"))


def _type(value: Any) -> str:
    if isinstance(value, MessageType):
        return str(value.desc.full_name)
    return TYPE_NAMES.get(type(value), type(value).__name__)


def _types(values: Any) -> str:
    return ", ".join(map(_type, values))


class _Compiler:
    def __init__(self, functions: Mapping[str, Callable[..., Any]]) -> None:
        self._functions = functions

    def node(self, tree: Any) -> Run:
        # most levels of the grammar are not there in an expression: one child
        while len(tree.children) == 1 and tree.data in _LEVELS:
            tree = tree.children[0]
        make = getattr(self, f"_{tree.data}", None)
        if make is None:
            raise Unsupported(tree.data)
        run: Run = make(tree)
        return run

    def _expr(self, tree: Any) -> Run:
        condition, yes, no = map(self.node, tree.children)

        def run(env: Mapping[str, Any]) -> Any:
            chosen = condition(env)
            if not isinstance(chosen, celtypes.BoolType):
                raise CELEvalError(f"the condition of ? : is {_type(chosen)}, not bool")
            return yes(env) if chosen else no(env)

        return run

    def _conditionalor(self, tree: Any) -> Run:
        return _logical(*map(self.node, tree.children), decisive=True, symbol="||")

    def _conditionaland(self, tree: Any) -> Run:
        return _logical(*map(self.node, tree.children), decisive=False, symbol="&&")

    def _binary(self, tree: Any) -> Run:
        head, right_tree = tree.children
        symbol, apply = _OPERATORS[head.data]
        left, right = self.node(head.children[0]), self.node(right_tree)

        def run(env: Mapping[str, Any]) -> Any:
            a, b = left(env), right(env)
            try:
                return apply(a, b)
            except _FAILURES as e:
                raise CELEvalError(_operation(symbol, e, a, b)) from None

        return run

    _relation = _addition = _multiplication = _binary

    def _unary(self, tree: Any) -> Run:
        head, operand_tree = tree.children
        operand = self.node(operand_tree)
        symbol, apply = ("!", _not) if head.data == "unary_not" else ("-", operator.neg)

        def run(env: Mapping[str, Any]) -> Any:
            value = operand(env)
            try:
                return apply(value)
            except _FAILURES as e:
                raise CELEvalError(_operation(symbol, e, value)) from None

        return run

    def _member_dot(self, tree: Any) -> Run:
        member, name = self.node(tree.children[0]), str(tree.children[1])

        def run(env: Mapping[str, Any]) -> Any:
            value = member(env)
            if not isinstance(value, celtypes.MapType):
                raise CELEvalError(f"{_type(value)} has no fields, so no field {name!r}")
            try:
                return value[name]
            except KeyError:
                raise CELEvalError(f"no such field: {name!r}; has() tells whether there is one") from None
            except _FAILURES:
                raise CELEvalError(
                    f"field {name!r} has a value that CEL has not, like a number of over 64 bits"
                ) from None

        return run

    def _member_index(self, tree: Any) -> Run:
        member, index = map(self.node, tree.children)

        def run(env: Mapping[str, Any]) -> Any:
            value, key = member(env), index(env)
            try:
                return value[key]
            except LookupError:
                raise CELEvalError(f"no such key or index in {_type(value)}; 'in' and size() tell") from None
            except _FAILURES as e:
                raise CELEvalError(_operation("[]", e, value, key)) from None

        return run

    def _member_dot_arg(self, tree: Any) -> Run:
        member_tree, name = tree.children[0], str(tree.children[1])
        arguments = tree.children[2] if len(tree.children) == 3 else None
        if name in _OTHER_MACROS:
            raise Unsupported(name)
        if name in _MACROS:
            return self._macro(name, member_tree, arguments)
        namespace = _identifier(member_tree)
        if namespace in _NAMESPACES and f"{namespace}.{name}" in self._functions:
            return self._call(f"{namespace}.{name}", self._list(arguments))
        return self._call(name, [self.node(member_tree), *self._list(arguments)])

    def _macro(self, name: str, member_tree: Any, arguments: Any) -> Run:
        parts = [] if arguments is None else arguments.children
        variable = _identifier(parts[0]) if len(parts) == 2 else None
        if variable is None:
            raise Unsupported(name)
        member, body, fold = self.node(member_tree), self.node(parts[1]), _MACROS[name]

        def run(env: Mapping[str, Any]) -> Any:
            items = member(env)
            if not isinstance(items, _ITERABLE):
                raise CELEvalError(f"{name}() goes over lists and maps, not {_type(items)}")
            inner = dict(env)

            def each(item: Any) -> Any:
                inner[variable] = item
                return body(inner)

            return fold(each, items)

        return run

    def _ident_arg(self, tree: Any) -> Run:
        name = str(tree.children[0])
        arguments = tree.children[1] if len(tree.children) == 2 else None
        if name == "has":
            if arguments is None:
                raise Unsupported(name)
            return self._has(arguments.children[0])
        made = self._list(arguments)
        if name == "dyn" and made:
            return made[0]
        return self._call(name, made)

    def _has(self, tree: Any) -> Run:
        while len(tree.children) == 1 and tree.data in _LEVELS:
            tree = tree.children[0]
        if tree.data != "member_dot":
            whole = self.node(tree)
            return lambda env: _TRUE if _try(whole, env) is not _MISSING else _FALSE
        member, name = self.node(tree.children[0]), str(tree.children[1])

        def run(env: Mapping[str, Any]) -> Any:
            value = _try(member, env)
            if isinstance(value, MessageType):
                return celtypes.BoolType(value.is_set(name))
            return celtypes.BoolType(isinstance(value, celtypes.MapType) and name in value)

        return run

    def _call(self, name: str, arguments: list[Run]) -> Run:
        ours = name in self._functions
        function: Any = self._functions.get(name) or base_functions.get(name)
        if function is None or not name[0].isalpha():
            return _fails(f"no such function: {name!r}")

        def run(env: Mapping[str, Any]) -> Any:
            values = [argument(env) for argument in arguments]
            try:
                result = function(*values)
            except CELEvalError as e:
                # theirs may have the value in their texts
                raise CELEvalError(str(e.args[0]) if ours else f"{name}() failed for ({_types(values)})") from None
            except VariantError as e:
                raise CELEvalError(f"{name}(): {e}") from None
            except (ValueError, ArithmeticError):
                raise CELEvalError(f"{name}() cannot convert this {_types(values)}") from None
            except _FAILURES:
                raise CELEvalError(f"{name}() does not take ({_types(values)})") from None
            if isinstance(result, CELEvalError):
                raise CELEvalError(str(result.args[0]) if ours else f"{name}() failed for ({_types(values)})")
            return result

        return run

    def _list(self, tree: Any) -> list[Run]:
        return [] if tree is None else [self.node(child) for child in tree.children]

    def _ident(self, tree: Any) -> Run:
        name = str(tree.children[0])
        kind = _TYPES.get(name, _MISSING)

        def run(env: Mapping[str, Any]) -> Any:
            value = env.get(name, kind)
            if value is _MISSING:
                raise CELEvalError(f"no such variable: {name!r}; there are {', '.join(sorted(env)) or 'none'}")
            return value

        return run

    def _list_lit(self, tree: Any) -> Run:
        items = self._list(tree.children[0] if tree.children else None)
        return lambda env: celtypes.ListType([item(env) for item in items])

    def _map_lit(self, tree: Any) -> Run:
        parts = self._list(tree.children[0] if tree.children else None)
        pairs = list(zip(parts[::2], parts[1::2], strict=True))

        def run(env: Mapping[str, Any]) -> Any:
            made = celtypes.MapType()
            for key_of, value_of in pairs:
                key, value = key_of(env), value_of(env)
                try:
                    if key in made:
                        raise CELEvalError("a map has one key twice")
                    made[key] = value
                except TypeError:
                    raise CELEvalError(f"{_type(key)} cannot be a key of a map") from None
            return made

        return run

    def _literal(self, tree: Any) -> Run:
        token = tree.children[0]
        try:
            value = _LITERALS[token.type](token)
        except ValueError:
            return _fails(f"{token} is out of range")
        return lambda env: value


_LEVELS = frozenset(
    {"expr", "conditionalor", "conditionaland", "relation", "addition", "multiplication", "unary", "member", "primary",
     "paren_expr"}
)  # fmt: skip
_MISSING: Any = object()
_OTHER_MACROS = ("reduce", "min")
_LITERALS: dict[str, Callable[[Any], Any]] = {
    "FLOAT_LIT": celtypes.DoubleType,
    "INT_LIT": lambda token: celtypes.IntType(str(token)),
    "UINT_LIT": lambda token: celtypes.UintType(str(token)[:-1]),
    "STRING_LIT": celstr,
    "MLSTRING_LIT": celstr,
    "BYTES_LIT": celbytes,
    "BOOL_LIT": lambda token: celtypes.BoolType(str(token) == "true"),
    "NULL_LIT": lambda token: None,
}


def _fails(reason: str) -> Run:
    def run(env: Mapping[str, Any]) -> Any:
        raise CELEvalError(reason)

    return run


def _try(run: Run, env: Mapping[str, Any]) -> Any:
    try:
        return run(env)
    except CELEvalError:
        return _MISSING


def _identifier(tree: Any) -> str | None:
    while len(tree.children) == 1 and tree.data in _LEVELS:
        tree = tree.children[0]
    return str(tree.children[0]) if tree.data == "ident" else None


def _operation(symbol: str, error: Exception, *values: Any) -> str:
    if isinstance(error, ZeroDivisionError):
        return f"division by zero in {symbol}"
    if isinstance(error, TypeError | AttributeError):
        return f"{symbol} does not take ({_types(values)}); convert one, for example by double() or string()"
    return f"the result of {symbol} is out of range for {_types(values[:1])}"


def _logical(left: Run, right: Run, *, decisive: bool, symbol: str) -> Run:
    """Return ``||`` (decided by true) or ``&&`` (by false): an error counts where the other side does not decide."""

    def run(env: Mapping[str, Any]) -> Any:
        failed = None
        try:
            a = left(env)
            if isinstance(a, celtypes.BoolType) and bool(a) is decisive:
                return a
        except CELEvalError as e:
            failed, a = e, _MISSING
        b = right(env)
        if isinstance(b, celtypes.BoolType):
            if bool(b) is decisive:
                return b
            if failed is not None:
                raise failed
            return a
        if failed is not None:
            raise failed
        if not isinstance(a, celtypes.BoolType):
            raise CELEvalError(f"{symbol} does not take ({_types((a, b))})")
        return b

    return run


def _not(value: Any) -> Any:
    if not isinstance(value, celtypes.BoolType):
        raise TypeError
    return celtypes.BoolType(not value)


def _equal(a: Any, b: Any) -> Any:
    # a decimal is equal to decimals only, whatever Python says of numbers
    if isinstance(a, Decimal) or isinstance(b, Decimal):
        return celtypes.BoolType(isinstance(a, Decimal) and isinstance(b, Decimal) and a == b)
    return celtypes.BoolType(bool(a == b))


def _unequal(a: Any, b: Any) -> Any:
    if isinstance(a, Decimal) or isinstance(b, Decimal):
        return celtypes.BoolType(not _equal(a, b))
    return celtypes.BoolType(bool(a != b))


def _in(item: Any, container: Any) -> Any:
    if not isinstance(container, _ITERABLE):
        raise TypeError
    failed = None
    for each in container:
        try:
            if _equal(each, item):
                return _TRUE
        except TypeError as e:  # noqa: PERF203 - of each element
            failed = e
    if failed is not None:
        raise failed
    return _FALSE


def _compared(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: celtypes.BoolType(bool(compare(a, b)))


def _exact(apply: Callable[[Any, Any], Any], name: str) -> Callable[[Any, Any], Any]:
    """Return an operator that is exact for decimals: Python's rounds to 28 digits."""
    exact = DECIMAL_FUNCS[f"decimals.{name}"]
    return lambda a, b: exact(a, b) if isinstance(a, Decimal) and isinstance(b, Decimal) else apply(a, b)


_OPERATORS: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "relation_lt": ("<", _compared(operator.lt)),
    "relation_le": ("<=", _compared(operator.le)),
    "relation_gt": (">", _compared(operator.gt)),
    "relation_ge": (">=", _compared(operator.ge)),
    "relation_eq": ("==", _equal),
    "relation_ne": ("!=", _unequal),
    "relation_in": ("in", _in),
    "addition_add": ("+", _exact(operator.add, "add")),
    "addition_sub": ("-", _exact(operator.sub, "sub")),
    "multiplication_mul": ("*", _exact(operator.mul, "mul")),
    "multiplication_div": ("/", _exact(operator.truediv, "div")),
    "multiplication_mod": ("%", _exact(operator.mod, "mod")),
}


def _folded(decisive: bool) -> Callable[[Callable[[Any], Any], Any], Any]:
    """Return ``exists`` (decided by true) or ``all`` (by false)."""

    def fold(each: Callable[[Any], Any], items: Any) -> Any:
        failed = None
        odd = _MISSING
        for item in items:
            try:
                value = each(item)
            except CELEvalError as e:
                failed = failed or e
                continue
            if isinstance(value, celtypes.BoolType):
                if bool(value) is decisive:
                    return value
            elif odd is _MISSING:
                odd = value  # as || and && have it: beside one other value it is the result
            else:
                failed = failed or CELEvalError(f"{'exists' if decisive else 'all'}() got {_type(value)}, not bool")
        if failed is not None:
            raise failed
        return celtypes.BoolType(not decisive) if odd is _MISSING else odd

    return fold


_MACROS: dict[str, Callable[[Callable[[Any], Any], Any], Any]] = {
    "map": lambda each, items: celtypes.ListType([each(item) for item in items]),
    "filter": lambda each, items: celtypes.ListType([item for item in items if each(item)]),
    "all": _folded(False),
    "exists": _folded(True),
    "exists_one": lambda each, items: celtypes.BoolType(sum(bool(each(item)) for item in items) == 1),
}
