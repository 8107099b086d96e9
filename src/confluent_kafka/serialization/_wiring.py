# SPDX-License-Identifier: Apache-2.0
"""How a client gets its serializers from its configuration, serves them, and closes them."""

from __future__ import annotations

import contextlib
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from confluent_kafka.serialization._single_flight import SingleFlight
from confluent_kafka.serialization._steps import is_awaitable, run

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    from confluent_kafka.serialization._steps import Steps

    Kind: TypeAlias = Literal["serializer", "deserializer"]

CLUSTER_ID_TIMEOUT = 60.0  # seconds
CLOSE = ("close",)
ACLOSE = ("aclose", "close")


@dataclass(frozen=True)
class Serdes:
    """The (de)serializers of one client.

    ``owned`` are those made here by builders, which the client has to close; ``client_conf`` is what is left of the
    configuration for the client itself.
    """

    key: Any
    value: Any
    owned: tuple[Any, ...]
    client_conf: dict[str, Any]

    def offer_cluster_id(self, client: Any) -> None:
        """Give every (de)serializer that wants it a function that asks ``client`` for its cluster id.

        The function blocks for up to 60 seconds until the client knows it. At most one call is under way at a time.
        """
        resolver = _ClusterIdResolver(client)
        for serde in (self.key, self.value):
            setter = getattr(serde, "set_cluster_id_resolver", None)
            if callable(setter):
                setter(resolver)


class _ClusterIdResolver:
    def __init__(self, client: Any) -> None:
        # weak: a serializer given ready-made often outlives the client, and must not keep it alive
        self._client = weakref.ref(client)
        self._flight: SingleFlight[str] = SingleFlight()

    def __call__(self) -> str:
        return self._flight.run(None, self._ask)

    def _ask(self) -> str:
        client = self._client()
        if client is None:
            raise RuntimeError("the client that this serializer belonged to does not exist any more")
        # not kept: librdkafka caches the id once it knows it
        cluster_id: str = client.cluster_id(timeout=CLUSTER_ID_TIMEOUT)
        return cluster_id


def take_serdes(conf: dict[str, Any], kind: Kind) -> Serdes:
    """``taking_serdes`` for a client that cannot await builders."""
    return run(taking_serdes(conf, kind, CLOSE))


def taking_serdes(conf: dict[str, Any], kind: Kind, close: tuple[str, ...]) -> Steps[Serdes]:
    """Find or build the key and the value (de)serializer of a client.

    Args:
        conf: configuration of the client, left unchanged.
        kind: ``serializer`` or ``deserializer``: the properties are ``key.<kind>``, ``key.<kind>.builder``, and the
            same for ``value``.
        close: as for ``closing``, which what was built goes through when another builder fails.
    Raises:
        ValueError: a (de)serializer and a builder are both given, or a builder returned something else than a
            (de)serializer and a dict.
    """
    if not isinstance(conf, dict):
        raise TypeError(f"expected configuration dict, not {type(conf).__name__}")
    rest = dict(conf)
    ready: dict[str, Any] = {}
    builders: dict[str, Any] = {}
    for side in ("key", "value"):
        prop = f"{side}.{kind}"
        ready[side] = rest.pop(prop, None)
        builders[side] = rest.pop(f"{prop}.builder", None)
        if ready[side] is not None and builders[side] is not None:
            raise ValueError(f"Cannot configure both {prop} and {prop}.builder; use one or the other")

    owned: list[Any] = []
    leftovers: list[dict[str, Any]] = []
    try:
        for side, builder in builders.items():
            if builder is not None:
                # each builder gets all properties: what one takes may be meant for the other one too
                ready[side], left = yield from _build(builder, f"{side}.{kind}.builder", rest, side == "key", owned)
                leftovers.append(left)
    except GeneratorExit:
        raise  # dropped half-way: nothing can be awaited any more
    except BaseException:
        with contextlib.suppress(Exception):
            yield from closing(owned, close)
        raise
    if leftovers:
        rest = {name: value for name, value in leftovers[-1].items() if all(name in left for left in leftovers)}
    return Serdes(ready["key"], ready["value"], tuple(owned), rest)


def _build(
    builder: Any, prop: str, conf: dict[str, Any], is_key: bool, owned: list[Any]
) -> Steps[tuple[Any, dict[str, Any]]]:
    if not callable(getattr(builder, "build", None)):
        raise ValueError(f"{prop} must have a method build(conf, is_key), {type(builder).__name__} has none")
    result = builder.build(dict(conf), is_key)
    if is_awaitable(result):
        result = yield result
    try:
        serde, left = result
    except (TypeError, ValueError) as e:
        raise ValueError(
            f"{prop}: build() must return a pair (serde, configuration), not {type(result).__name__}"
        ) from e
    owned.append(serde)
    if not isinstance(left, dict):
        raise ValueError(
            f"{prop}: build() must return the remaining configuration as a dict, not {type(left).__name__}"
        )
    return serde, left


def close_all(serdes: Iterable[Any]) -> None:
    """``closing`` for a client that cannot await ``aclose``."""
    run(closing(list(serdes), CLOSE))


def closing(serdes: list[Any], names: tuple[str, ...]) -> Steps[None]:
    """Close each of them, by the first of these methods that it has, and take it out of the list.

    Raises: the first exception, when all were tried.
    """
    first: Exception | None = None
    while serdes:
        serde = serdes.pop(0)
        close = next((found for name in names if (found := getattr(serde, name, None)) is not None), None)
        if close is None:
            continue
        try:
            result = close()
            if is_awaitable(result):
                yield result
        except Exception as e:  # one that fails must not keep the others open
            first = first or e
    if first is not None:
        raise first
