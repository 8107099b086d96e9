# SPDX-License-Identifier: Apache-2.0
"""Writes what an installed package offers its callers as JSON: ``python surface.py PACKAGE OUT [OTHER]``.

Standard library only: the interpreters of two packages with one import name run it. OTHER is what it wrote for the
other package: each of its names is looked up here too, because a module may give a name without listing it.

``modules``: per public module ``{name: {"own": …, "object": …}}``, or null for one that cannot be imported. ``own``:
the module defines the name, lists it in ``__all__``, or is the public place of something private; otherwise it merely
imports it from elsewhere in the package. ``objects``: what the names stand for, each described once.
"""

from __future__ import annotations

import ast
import builtins
import enum
import functools
import importlib
import inspect
import json
import pkgutil
import re
import sys
import textwrap
import types
import typing
import warnings
from collections.abc import Iterator
from pathlib import Path

SPECIAL = {
    f"__{name}__"
    for name in (
        "call enter exit aenter aexit len iter next aiter anext getitem setitem delitem contains bool eq lt le gt ge "
        "hash await str repr add sub mul int float index copy deepcopy"
    ).split()
}
AWAITED = re.compile(r"\b(Coroutine|Awaitable|AsyncGenerator|AsyncIterator)\b")
SCALARS = (str, bytes, int, float, bool, type(None))
KINDS = dict(zip(inspect._ParameterKind, ("positional", "any", "*", "keyword", "**"), strict=True))
Json = typing.Any


class Surface:
    def __init__(self, package: str, other: dict[str, Json]) -> None:
        self.package = package
        self.other = other["modules"]
        self.objects: list[Json] = []
        self.seen: dict[int, tuple[object, int]] = {}

    def walk(self) -> dict[str, Json]:
        modules = import_all(self.package, set(self.other))
        described = {
            name: None if module is None else dict(self.names(module))
            for name, module in modules.items()
            if not private(name)
        }
        return {"modules": described, "objects": self.objects}

    def inside(self, module: str | None) -> bool:
        # C extension types name their module without the package
        return module is not None and f"{module}.".startswith((f"{self.package}.", "cimpl."))

    def names(self, module: types.ModuleType) -> Iterator[tuple[str, Json]]:
        listed = set(getattr(module, "__all__", ()))
        asked = self.other.get(module.__name__) or ()
        for name in sorted({*(name for name in vars(module) if not private(name)), *listed, *asked}):
            try:
                value = getattr(module, name)
            except AttributeError:
                continue
            if self.offered(value):
                own = name in listed or self.defines(module, value)
                yield name, {"own": own, "object": self.describe(value)}

    def offered(self, value: object) -> bool:
        if isinstance(value, types.ModuleType) or isinstance(value, typing.TypeVar):
            return False
        if inspect.isclass(value) or inspect.isroutine(value):
            return self.of_package(value)
        if is_constant(value):
            return value is not None
        return is_protobuf(value) or self.inside(type(value).__module__)

    def defines(self, module: types.ModuleType, value: object) -> bool:
        home = getattr(value, "__module__", None)
        if not isinstance(home, str) or home in (module.__name__, "cimpl", "builtins") or private(home):
            return True
        return hasattr(module, "__path__")

    def describe(self, value: object) -> int:
        if id(value) in self.seen:
            return self.seen[id(value)][1]
        number = len(self.objects)
        # (the value is kept, for its id to stay its own; equal constants are things of their own all the same)
        if not is_constant(value):
            self.seen[id(value)] = value, number
        self.objects.append(None)
        self.objects[number] = self.description(value)
        return number

    def description(self, value: object) -> Json:
        if is_protobuf(value):
            return protobuf(value)
        if inspect.isclass(value):
            return self.class_(value)
        if inspect.isroutine(value):
            return {"kind": "function", **self.call(value, None)}
        if is_constant(value):
            return {"kind": "value", "value": shown(value)}
        return {"kind": "instance"}

    def class_(self, kind: type) -> Json:
        ancestors = [one for one in kind.__mro__ if one is not object]
        members: dict[str, Json] = {}
        for one in ancestors:
            for name, value in vars(one).items():
                if name not in members and (not private(name) or name in SPECIAL) and value is not None:
                    members[name] = {**self.member(one, name, value), "own": self.of_package(one)}
            for name in self.attributes(one):
                members.setdefault(name, {"kind": "attribute", "settable": True, "own": self.of_package(one)})
        for name, value in getattr(kind, "__members__", {}).items():
            members[name] = {"kind": "value", "value": shown(value.value), "own": True}
        bases = [one.__name__ for one in ancestors[1:]]
        return {"kind": "class", "bases": bases, "constructor": self.constructor(kind), "members": members}

    def of_package(self, value: typing.Any) -> bool:
        home = value.__module__
        # a C function has no module, and a C type may say that it is a builtin one
        return self.inside(home) or (home in (None, "builtins") and not hasattr(builtins, value.__name__))

    def constructor(self, kind: type) -> Json:
        own = any(self.of_package(one) and {"__init__", "__new__"} & vars(one).keys() for one in kind.__mro__)
        stubbed = self.stub(kind.__module__).get(f"{kind.__name__}.__init__")
        build = inspect.getattr_static(kind, "__init__")
        # what a metaclass or __new__ takes often says nothing, where __init__ has names
        said = signatures(build, None, bound=True) if inspect.isfunction(build) else None
        return {"signatures": signatures(kind, said or stubbed), "own": own and not issubclass(kind, enum.Enum)}

    def member(self, kind: type, name: str, value: object) -> Json:
        if isinstance(value, property):
            return {"kind": "attribute", "settable": value.fset is not None}
        if isinstance(value, (staticmethod, classmethod)):
            return {"kind": type(value).__name__, **self.call(getattr(kind, name), f"{kind.__name__}.{name}")}
        if inspect.isroutine(value):
            if name in SPECIAL - {"__call__"}:
                return {"kind": "method", "signatures": None, "async": waits(value)}
            return {"kind": "method", **self.call(value, f"{kind.__name__}.{name}", bound=True, home=kind.__module__)}
        if inspect.isclass(value):
            return {"kind": "class"}
        return {"kind": "value", "value": shown(value)} if is_constant(value) else {"kind": "attribute"}

    def attributes(self, kind: type) -> Iterator[str]:
        """What instances have beside what the class shows: annotations, and what the constructor assigns."""
        yield from (name for name in vars(kind).get("__annotations__", ()) if not private(name))
        build = vars(kind).get("__init__")
        if not (self.inside(kind.__module__) and inspect.isfunction(build)):
            return
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(build)))
        except (OSError, TypeError, SyntaxError):
            return
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                if isinstance(node.value, ast.Name) and node.value.id == "self" and not private(node.attr):
                    yield node.attr

    def call(self, value: typing.Any, name: str | None, bound: bool = False, home: str | None = None) -> Json:
        written = self.stub(home or value.__module__).get(name or value.__name__)
        return {"signatures": signatures(value, written, bound), "async": waits(value)}

    @functools.cache  # noqa: B019 - one object a process
    def stub(self, module: str | None) -> dict[str, Json]:
        """``{"Class.method" or "function": [signature, …]}`` by the stub file beside an extension module."""
        for name in (module, f"{self.package}.{module}"):
            source = getattr(sys.modules.get(name or ""), "__file__", None)
            path = Path(source).with_name(Path(source).name.partition(".")[0] + ".pyi") if source else None
            if path is not None and path.exists():
                return stub_signatures(path)
        return {}


def import_all(package: str, wanted: set[str]) -> dict[str, types.ModuleType | None]:
    """The package's modules, and those wanted that exist; None for one that does not import."""
    root = importlib.import_module(package)
    found = {one.name for one in pkgutil.walk_packages(root.__path__, f"{package}.", onerror=lambda name: None)}
    names = sorted({package, *found, *wanted})
    modules = {name: attempt(name) for name in names}
    # a cycle of imports that fails from one end may work from the other
    modules = {name: module or attempt(name) for name, module in modules.items()}
    return {name: module for name, module in modules.items() if module is not None or name in found}


def attempt(name: str) -> types.ModuleType | None:
    try:
        return importlib.import_module(name)
    except Exception:  # whatever a module does when it is imported
        return None


def private(name: str) -> bool:
    return any(part.startswith("_") for part in name.split("."))


def is_constant(value: object, depth: int = 0) -> bool:
    if isinstance(value, (*SCALARS, enum.Enum)):
        return True
    if isinstance(value, (tuple, frozenset, set, list)) and depth < 3:
        return all(is_constant(one, depth + 1) for one in value)
    return isinstance(value, dict) and depth < 3 and all(is_constant(one, depth + 1) for one in value.values())


def shown(value: object) -> str:
    """A value as text that is the same in both packages."""
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(map(shown, value))) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(shown, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{shown(key)}: {shown(one)}" for key, one in value.items()) + "}"
    return repr(value)


def signatures(value: typing.Any, stubbed: list[Json] | None, bound: bool = False) -> list[Json] | None:
    """The signature to be seen at run time; the stub's where there is none to see, or one that says nothing."""
    try:
        seen = list(inspect.signature(value).parameters.values())
    except (ValueError, TypeError):
        return stubbed
    if bound and seen and seen[0].kind in (seen[0].POSITIONAL_ONLY, seen[0].POSITIONAL_OR_KEYWORD):
        seen = seen[1:]
    made = [{"name": one.name, "kind": KINDS[one.kind], **default(one)} for one in seen]
    return stubbed if stubbed and [one["kind"] for one in made] == ["*", "**"] else [made]


def waits(value: typing.Any) -> bool:
    """Whether what a call gives is there to be awaited, or iterated over in a loop of asyncio."""
    plain = inspect.unwrap(value)
    if inspect.iscoroutinefunction(plain) or inspect.isasyncgenfunction(plain):
        return True
    return bool(AWAITED.search(str(getattr(plain, "__annotations__", {}).get("return", ""))))


def default(parameter: inspect.Parameter) -> dict[str, str | None]:
    if parameter.default is parameter.empty:
        return {}
    # an object of which nothing but its address is to be seen, or ``...``, can be any
    return {"default": shown(parameter.default) if is_constant(parameter.default) else None}


def stub_signatures(path: Path) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for node in ast.parse(path.read_text("utf-8")).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        for one in inner:
            if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
                name = f"{node.name}.{one.name}" if isinstance(node, ast.ClassDef) else one.name
                found.setdefault(name, []).append(stub_parameters(one, isinstance(node, ast.ClassDef)))
    return found


def stub_parameters(node: ast.FunctionDef | ast.AsyncFunctionDef, method: bool) -> list[Json]:
    asked = node.args
    by_position = [(one, "positional") for one in asked.posonlyargs] + [(one, "any") for one in asked.args]
    defaults: list[ast.expr | None] = [*[None] * (len(by_position) - len(asked.defaults)), *asked.defaults]
    made = [stub_parameter(*one, value) for one, value in zip(by_position, defaults, strict=True)]
    if method and not any(isinstance(one, ast.Name) and one.id == "staticmethod" for one in node.decorator_list):
        made = made[1:]
    made += [stub_parameter(asked.vararg, "*", None)] if asked.vararg else []
    made += [
        stub_parameter(one, "keyword", value) for one, value in zip(asked.kwonlyargs, asked.kw_defaults, strict=True)
    ]
    return made + ([stub_parameter(asked.kwarg, "**", None)] if asked.kwarg else [])


def stub_parameter(argument: ast.arg, kind: str, value: ast.expr | None) -> Json:
    made: dict[str, str | None] = {"name": argument.arg, "kind": kind}
    if value is not None:
        try:
            made["default"] = shown(ast.literal_eval(value)) if ast.unparse(value) != "..." else None
        except ValueError:
            made["default"] = None
    return made


def is_protobuf(value: object) -> bool:
    return hasattr(value, "DESCRIPTOR") or type(value).__name__ in ("FieldDescriptor", "FileDescriptor")


def protobuf(value: typing.Any) -> Json:
    """A generated module's file, message, enum or extension: its descriptor, which is data."""
    about = getattr(value, "DESCRIPTOR", value)
    made: dict[str, Json] = {"kind": "protobuf", "name": getattr(about, "full_name", about.name)}
    if hasattr(about, "serialized_pb"):
        return made
    if hasattr(about, "number"):
        return {**made, "number": about.number, "type": about.type}
    if hasattr(about, "values"):
        return {**made, "values": {one.name: one.number for one in about.values}}
    made["fields"] = {one.name: [one.number, one.type] for one in about.fields}
    made["nested"] = [protobuf(one) for one in about.nested_types]
    return made


def main() -> None:
    package, out, *other = sys.argv[1:]
    warnings.simplefilter("ignore")
    known = json.loads(Path(other[0]).read_text("utf-8")) if other else {"modules": {}}
    Path(out).write_text(json.dumps(Surface(package, known).walk(), indent=1), "utf-8")


if __name__ == "__main__":
    main()
