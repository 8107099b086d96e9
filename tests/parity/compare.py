# SPDX-License-Identifier: Apache-2.0
"""What callers of one surface (`surface.py`) would miss, or find different, in another.

What the other one has beyond it is never a difference. A signature differs where a call that the one accepts could mean
something else, or nothing, to the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Surface = dict[str, Any]
# they add nothing that a caller can use
NO_BASES = {"ABC", "Generic", "Protocol", "object"}
TEXT = {"__str__", "__repr__"}
ORDER = {"__le__", "__gt__", "__ge__"}
CALLED = {"method", "staticmethod", "classmethod", "class"}


def differences(theirs: Surface, ours: Surface) -> set[str]:
    """Lines ``kind dotted.name`` for all that the first surface offers and the second does not."""
    return set(_Comparison(theirs, ours).run())


class _Comparison:
    def __init__(self, theirs: Surface, ours: Surface) -> None:
        self.theirs, self.ours = theirs, ours
        self.compared: set[tuple[int, int]] = set()

    def run(self) -> Iterator[str]:
        names, ours = [], self.ours["modules"]
        for module, listed in self.theirs["modules"].items():
            # one that cannot be imported of theirs needs to be there only, with nothing known to be in it
            if module not in ours or (listed is not None and ours[module] is None):
                yield f"module {module}"
                continue
            names += [
                (not one["own"], module.count("."), module, name, one["object"]) for name, one in (listed or {}).items()
            ]
        # a thing of several names is compared under the first: its own module's, else the shortest
        for imported, _, module, name, number in sorted(names):
            where, found = f"{module}.{name}", ours[module].get(name)
            if found is None:
                yield f"{'import' if imported else 'name'} {where}"
            elif (pair := (number, found["object"])) not in self.compared:
                self.compared.add(pair)
                yield from self.object(where, self.theirs["objects"][number], self.ours["objects"][pair[1]])

    def object(self, where: str, theirs: Any, ours: Any) -> Iterator[str]:
        kind = theirs["kind"]
        if kind == "function" and ours["kind"] == "class":
            yield from self.call(where, theirs, ours["constructor"])
        elif kind != ours["kind"]:
            yield f"kind {where}({kind})"
        elif kind == "function":
            yield from self.call(where, theirs, ours)
        elif kind == "class":
            yield from self.class_(where, theirs, ours)
        elif kind != "instance" and theirs != ours:
            yield f"value {where}"

    def class_(self, where: str, theirs: Any, ours: Any) -> Iterator[str]:
        for base in theirs["bases"]:
            if base not in ours["bases"] and base not in NO_BASES and not base.startswith("_"):
                yield f"base {where}({base})"
        if theirs["constructor"]["own"]:
            yield from self.call(where, theirs["constructor"], ours["constructor"])
        members = ours["members"]
        for name, one in theirs["members"].items():
            if not one["own"] or present_otherwise(name, members):
                continue
            if (found := members.get(name)) is None:
                yield f"member {where}.{name}"
            elif one["kind"] in CALLED:
                yield from self.method(f"{where}.{name}", one, found)
            elif found["kind"] in CALLED:
                yield f"kind {where}.{name}(attribute)"
            elif one.get("settable") and not found.get("settable", True):
                yield f"read-only {where}.{name}"
            elif one["kind"] == "value" == found["kind"] and one["value"] != found["value"]:
                yield f"value {where}.{name}"

    def method(self, where: str, theirs: Any, ours: Any) -> Iterator[str]:
        if ours["kind"] not in CALLED or (
            theirs["kind"] in ("staticmethod", "classmethod") and ours["kind"] == "method"
        ):
            yield f"kind {where}({theirs['kind']})"
        else:
            yield from self.call(where, theirs, ours)

    def call(self, where: str, theirs: Any, ours: Any) -> Iterator[str]:
        if theirs.get("async", False) != ours.get("async", False):
            yield f"async {where}"
        accepted = ours.get("signatures") or ()
        for asked in theirs.get("signatures") or ():
            # one of ours that takes the call is enough; of several that do not, the nearest is shown
            lacking = min((list(refused(asked, one)) for one in accepted), key=len, default=[("signature", "")])
            yield from (f"{what} {where}({name})" for what, name in lacking)


def present_otherwise(name: str, members: Any) -> bool:
    return (name in TEXT and bool(TEXT & members.keys())) or (name in ORDER and "__lt__" in members)


def refused(asked: Any, taken: Any) -> Iterator[tuple[str, str]]:
    """``(kind of difference, parameter)`` where a call that fits the one signature does not fit the other."""
    named = {one["name"]: one for one in taken if one["kind"] in ("any", "keyword")}
    kinds = {one["kind"] for one in taken}
    positions = iter([one for one in taken if one["kind"] in ("any", "positional")])
    for one in asked:
        name, kind = one["name"], one["kind"]
        found = named.get(name)
        if kind in ("*", "**"):
            if kind not in kinds:
                yield "parameter", kind + name
            continue
        if kind in ("any", "positional"):
            there = next(positions, None)
            if kind == "positional":
                found = there
            if there is None and "*" not in kinds:
                yield ("order" if found else "parameter"), name
                continue
            if there is not None and found is not there:
                yield ("order" if found else "parameter"), name
                continue
        if found is None and "**" not in kinds:
            yield "parameter", name
        elif found is not None and "default" in one:
            if "default" not in found:
                yield "required", name
            elif None not in (one["default"], found["default"]) and one["default"] != found["default"]:
                yield "default", name
    known = {one["name"] for one in asked}
    for one in taken:
        # (a call that goes on to *args or **kwargs may give it)
        new = one["kind"] in ("any", "keyword") and one["name"] not in known and "default" not in one
        if new and not {"*", "**"} & {one["kind"] for one in asked}:
            yield "required", one["name"]
