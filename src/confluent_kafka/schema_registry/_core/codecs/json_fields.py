# SPDX-License-Identifier: Apache-2.0
"""The fields of a JSON Schema, and walks to them through objects.

A field is a property, by the way to it from the root: ``$.customer.card``. Elements of arrays belong to the property
around them. Where a schema has branches, a value takes those that it is valid for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urljoin

import orjson

from confluent_kafka.schema_registry._core.rule_fields import Field, Place, Tags, place_of, walk_from
from confluent_kafka.schema_registry._core.rule_types import FieldType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confluent_kafka.schema_registry._core.models import Schema
    from confluent_kafka.schema_registry._core.rule_fields import Leaf, LeafRun, Walk
    from confluent_kafka.schema_registry._core.rule_types import FieldContext

TAGS = "confluent:tags"
MAX_DEPTH = 200
_TYPES = {
    "string": FieldType.STRING,
    "integer": FieldType.INT,
    "number": FieldType.DOUBLE,
    "boolean": FieldType.BOOLEAN,
}
# what a schema has others in, or stands for another by
_INNER = frozenset(("$ref", "additionalProperties", "allOf", "anyOf", "items", "oneOf", "prefixItems", "properties"))


def field_type(schema: Any) -> FieldType:
    """Return what rules take values of a schema for; NULL where a type alone does not tell."""
    if isinstance(schema, bool):
        return FieldType.COMBINED
    if "const" in schema or "enum" in schema:
        return FieldType.ENUM
    kind = schema.get("type")
    if kind == "object" or (kind is None and "properties" in schema):
        return FieldType.RECORD if kind is None or schema.get("properties") else FieldType.MAP
    if kind == "array":
        return FieldType.ARRAY
    return _TYPES.get(kind, FieldType.NULL) if isinstance(kind, str) else FieldType.NULL


class Documents:
    """Schemas that refer to each other.

    Args:
        root: JSON of the schema.
        base: where it is.
        retrieve: returns the JSON of another one by its URI; ValueError when there is none.
        validator: makes something with ``is_valid(value)`` for the schema at a URI.
    """

    def __init__(
        self, root: Any, base: str, retrieve: Callable[[str], Any], validator: Callable[[str], Any] | None
    ) -> None:
        self._known: dict[str, Any] = {base: root}
        self._retrieve = retrieve
        self._validator = validator
        self.root = Node(root, base, "")

    def find(self, node: Node, reference: str) -> Node:
        """Return what a ``$ref`` in a schema stands for; ValueError when it is not there."""
        uri, _, fragment = urljoin(node.base, reference).partition("#")
        if uri not in self._known:
            self._known[uri] = self._retrieve(uri)
        content = self._known[uri]
        fragment = unquote(fragment)
        if not fragment.startswith("/"):
            return Node(content, uri, "") if not fragment else self._anchor(content, uri, fragment)
        for step in fragment[1:].split("/"):
            step = step.replace("~1", "/").replace("~0", "~")
            try:
                content = content[int(step)] if isinstance(content, list) else content[step]
            except (KeyError, IndexError, TypeError, ValueError) as e:
                raise ValueError(f"$ref to {reference}, which is not there") from e
        return Node(content, uri, fragment)

    @staticmethod
    def _anchor(content: Any, uri: str, name: str) -> Node:
        todo = [Node(content, uri, "")]
        while todo:
            node = todo.pop()
            if isinstance(node.schema, dict):
                if name in (node.schema.get("$anchor"), str(node.schema.get("$id", "")).removeprefix("#")):
                    return node
                todo += [node.at(step) for step in node.schema]
            elif isinstance(node.schema, list):
                todo += [node.at(step) for step in range(len(node.schema))]
        raise ValueError(f"$ref to #{name}, which is not there")

    def matcher(self, node: Node) -> Callable[[Any], bool]:
        """Return a function that tells whether a value is valid for a schema."""
        if self._validator is None:
            return lambda value: _fits(node.schema, value)
        # names in the pointer may be any text, a URI's may not
        valid = self._validator(f"{node.base}#{quote(node.pointer, safe='/~')}").is_valid

        def matches(value: Any) -> bool:
            try:
                return bool(valid(value))
            except ValueError:  # a type that the validator does not know: as it will be written
                return bool(valid(orjson.loads(orjson.dumps(value))))

        return matches


class Node:
    """A schema in a document: its JSON, the document's URI, the JSON pointer to it."""

    __slots__ = ("base", "pointer", "schema")

    def __init__(self, schema: Any, base: str, pointer: str) -> None:
        self.schema = schema
        self.base = base
        self.pointer = pointer

    def at(self, *steps: str | int) -> Node:
        """Return the schema that is further inside."""
        schema, pointer = self.schema, self.pointer
        for step in steps:
            schema = schema[step]
            pointer += "/" + str(step).replace("~", "~0").replace("/", "~1")
        return Node(schema, self.base, pointer)


class JsonFields:
    """The fields of one schema.

    Args:
        documents: the schema with those it refers to.
        tagged: schemas whose metadata gives tags to the fields.
        other: a schema whose inline tags count too, for fields of the same names.
    """

    has_fields = True

    def __init__(self, documents: Documents, tagged: Iterable[Schema | None], other: Documents | None = None) -> None:
        self._documents = documents
        self._tags = Tags(tagged)
        self._inline: dict[str, set[str]] = {}
        if other is not None:
            # a walk that wants nothing, but has seen all fields
            _Compiler(other, self._tags, {}, lambda field: None, self._inline).compile(other.root, "$", None)

    def walk(self, leaf: Leaf, *, writing: bool) -> Walk | None:
        """Compile a walk to the fields ``leaf`` wants; None when it wants none."""
        return self.walk_at(self._documents.root, "$", leaf)

    def walk_at(self, node: Node, path: str, leaf: Leaf, field: FieldContext | None = None) -> Walk | None:
        """Compile a walk through values of a schema in the documents.

        Args:
            node: the schema.
            path: the name of such a value, ``$`` for a whole message.
            leaf: picks fields.
            field: the field that the values are inside of, None for whole messages.
        """
        return walk_from(self._compiler(leaf).compile(node, path, place_of(field)), field)

    def property_walk(self, node: Node, path: str, name: str, leaf: Leaf) -> LeafRun | None:
        """Compile a walk to what ``leaf`` wants inside of one property of the object at a path."""
        return self._compiler(leaf).property(node, path, name)

    def _compiler(self, leaf: Leaf) -> _Compiler:
        return _Compiler(self._documents, self._tags, self._inline, leaf, {})


class _Compiler:
    def __init__(
        self,
        documents: Documents,
        tags: Tags,
        inline: Mapping[str, set[str]],
        leaf: Leaf,
        seen: dict[str, set[str]],
    ) -> None:
        self._documents = documents
        self._tags = tags
        self._inline = inline
        self._leaf = leaf
        self._seen = seen
        self._open: list[tuple[Any, ...]] = []

    def compile(self, node: Node, path: str, place: Place | None) -> LeafRun | None:
        schema = node.schema
        if not isinstance(schema, dict):
            return None
        kinds = schema.get("type")
        if place is not None and isinstance(kinds, str) and kinds in _TYPES and _INNER.isdisjoint(schema):
            return self._value(schema, place)  # most properties: nothing is inside of them
        if isinstance(kinds, list) and kinds:
            alone = [Node({**schema, "type": kind}, node.base, node.pointer) for kind in kinds]
            return _by_type([(one.schema["type"], self.compile(one, path, place)) for one in alone])
        steps: list[LeafRun | None] = []
        branches = [name for name in ("allOf", "oneOf", "anyOf") if isinstance(schema.get(name), list)]
        for name in branches:
            runs = [self.compile(node.at(name, number), path, place) for number in range(len(schema[name]))]
            if name == "allOf":
                steps += runs
            elif any(run is not None for run in runs):
                matchers = [self._documents.matcher(node.at(name, number)) for number in range(len(runs))]
                steps.append(_branches(list(zip(matchers, runs, strict=True)), first=name == "oneOf"))
        if isinstance(schema.get("$ref"), str):
            steps.append(self._reference(node, path, place))
        steps.append(self._array(node, path, place))
        steps.append(self._object(node, path))
        if place is not None and not branches and "$ref" not in schema:
            steps.append(self._value(schema, place))
        return _sequence([step for step in steps if step is not None])

    def _reference(self, node: Node, path: str, place: Place | None) -> LeafRun | None:
        target = self._documents.find(node, node.schema["$ref"])
        key = (target.base, target.pointer)
        if sum(1 for one in self._open if one == key) == 0:
            self._open.append(key)
            try:
                return self.compile(target, path, place)
            finally:
                self._open.pop()
        # a schema inside of itself: what is in there is compiled when a value gets there
        known: list[LeafRun | None] = []

        def later(value: Any, containing: Any, state: Any) -> Any:
            if not known:
                if path.count(".") > MAX_DEPTH:
                    raise ValueError(f"the object is nested more than {MAX_DEPTH} levels deep")
                inner = _Compiler(self._documents, self._tags, self._inline, self._leaf, {})
                known.append(inner.compile(target, path, place))
            run = known[0]
            return value if run is None else run(value, containing, state)

        return later

    def _array(self, node: Node, path: str, place: Place | None) -> LeafRun | None:
        items = node.schema.get("items")
        before: list[LeafRun | None] = []
        for name in ("prefixItems", "items"):
            listed = node.schema.get(name)
            if isinstance(listed, list):
                before = [self.compile(node.at(name, number), path, place) for number in range(len(listed))]
        run = None if isinstance(items, list) else self.compile(node.at("items"), path, place) if items else None
        if run is None and all(one is None for one in before):
            return None

        def walk(value: Any, containing: Any, state: Any) -> Any:
            if not isinstance(value, (list, tuple)):
                return value
            runs = [*before[: len(value)], *([run] * (len(value) - len(before)))]
            pairs = zip(value, runs, strict=True)
            return [item if one is None or item is None else one(item, containing, state) for item, one in pairs]

        return walk

    def _object(self, node: Node, path: str) -> LeafRun | None:
        schema = node.schema
        runs: list[tuple[str, LeafRun]] = []
        listed = schema.get("properties")
        for name in listed if isinstance(listed, dict) else ():
            run = self.property(node.at("properties", name), path, name)
            if run is not None:
                runs.append((name, run))
        rest = None
        if isinstance(schema.get("additionalProperties"), dict):
            rest = self.property(node.at("additionalProperties"), path, "*")
        if not runs and rest is None:
            return None
        known = frozenset(listed if isinstance(listed, dict) else ())
        kind = schema.get("type")

        def walk(value: Any, containing: Any, state: Any) -> Any:
            if not isinstance(value, Mapping):
                if value is None or isinstance(value, (str, int, float, bool, list, tuple)):
                    return value  # of another type than this schema is for
                value = orjson.loads(orjson.dumps(value))  # as it will be written
                if not isinstance(value, dict):
                    return value
            changed: dict[str, Any] | None = None
            todo = runs if rest is None else [*runs, *((name, rest) for name in value if name not in known)]
            for name, run in todo:
                old = value.get(name)
                if old is None:
                    continue
                new = run(old, value, state)
                if new is not old:
                    if changed is None:
                        changed = dict(value)
                    changed[name] = new
            return value if changed is None else changed

        return walk if kind in (None, "object") else None

    def property(self, node: Node, path: str, name: str) -> LeafRun | None:
        if not isinstance(node.schema, dict):
            return None
        full_name = f"{path}.{name}"
        inline = set(node.schema.get(TAGS) or ())
        self._seen.setdefault(full_name, set()).update(inline)
        place = Place(full_name, name, self._tags.of(full_name, inline | self._inline.get(full_name, set())))
        return self.compile(node, full_name, place)

    def _value(self, schema: dict[str, Any], place: Place) -> LeafRun | None:
        kind = schema.get("type")
        if "const" in schema or "enum" in schema:
            return self._leaf(Field(place.full_name, place.name, FieldType.ENUM, place.tags))
        if isinstance(kind, str):
            found = _TYPES.get(kind)
            return None if found is None else self._leaf(Field(place.full_name, place.name, found, place.tags))
        if any(name in schema for name in ("properties", "items", "prefixItems", "additionalProperties")):
            return None
        # any value: what it is decides
        leaves = [
            (python, self._leaf(Field(place.full_name, place.name, found, place.tags)))
            for python, found in (
                (bool, FieldType.BOOLEAN),
                (str, FieldType.STRING),
                (int, FieldType.INT),
                (float, FieldType.DOUBLE),
            )
        ]
        if all(run is None for _, run in leaves):
            return None

        def walk(value: Any, containing: Any, state: Any) -> Any:
            for python, run in leaves:
                if isinstance(value, python):
                    return value if run is None else run(value, containing, state)
            return value

        return walk


def _sequence(steps: list[LeafRun]) -> LeafRun | None:
    if len(steps) < 2:
        return steps[0] if steps else None

    def walk(value: Any, containing: Any, state: Any) -> Any:
        for step in steps:
            value = step(value, containing, state)
        return value

    return walk


def _branches(branches: list[tuple[Callable[[Any], bool], LeafRun | None]], *, first: bool) -> LeafRun:
    def walk(value: Any, containing: Any, state: Any) -> Any:
        for matches, run in branches:
            if matches(value):
                if run is not None:
                    value = run(value, containing, state)
                if first:
                    break
        return value

    return walk


def _by_type(runs: list[tuple[Any, LeafRun | None]]) -> LeafRun | None:
    if all(run is None for _, run in runs):
        return None

    def walk(value: Any, containing: Any, state: Any) -> Any:
        for kind, run in runs:
            if _is(kind, value):
                return value if run is None else run(value, containing, state)
        return value

    return walk


def _is(kind: Any, value: Any) -> bool:
    if kind == "null":
        return value is None
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer":
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return whole and not isinstance(value, bool)
    if kind == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "array":
        return isinstance(value, (list, tuple))
    if kind == "object":
        return not isinstance(value, (str, int, float, list, tuple)) and value is not None
    return kind == "string" and not isinstance(value, (bool, int, float, list, tuple, Mapping)) and value is not None


def _fits(schema: Any, value: Any) -> bool:
    """Whether a value is of a schema's type, where values are not validated otherwise."""
    if not isinstance(schema, dict):
        return bool(schema)
    kinds = schema.get("type")
    if kinds is None:
        return True
    return any(_is(kind, value) for kind in (kinds if isinstance(kinds, list) else [kinds]))
