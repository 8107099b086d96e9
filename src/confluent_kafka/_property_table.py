# SPDX-License-Identifier: Apache-2.0
"""The configuration properties of the linked librdkafka, read from the table it prints about itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from . import _native

if TYPE_CHECKING:
    from collections.abc import Mapping

Clients = Literal["*", "P", "C"]

# accepted by librdkafka but left out of its own table
HIDDEN = frozenset(
    (
        "client.software.name",
        "client.software.version",
        "enable.sparse.connections",
        "metadata.request.timeout.ms",
        "test.mock.num.brokers",
        "test.mock.broker.rtt",
    )
)


@dataclass(frozen=True, slots=True)
class Property:
    """One configuration property.

    ``clients`` is ``P`` (producer), ``C`` (consumer) or ``*`` (both, and admin clients); ``allowed`` is the range or
    the comma-separated list of values, ``default`` the default as text, both "" where librdkafka prints none;
    ``type`` is one of its words ("string", "integer", "boolean", "float", "enum value", "CSV flags", "pattern list",
    "see dedicated API"); ``alias_of`` names the property this one stands for.
    """

    name: str
    clients: Clients
    allowed: str
    default: str
    importance: str
    type: str
    alias_of: str | None
    description: str

    @property
    def settable(self) -> bool:
        """False for callbacks and pointers, which have no text form."""
        return self.type != "see dedicated API"


_TYPE = re.compile(r"\s*<br>\*Type: ([^*]+)\*\s*$")
_ALIAS = re.compile(r"Alias for `([^`]+)`: ")


@cache
def properties() -> Mapping[str, Property]:
    """Return all properties by name; parsed at the first call.

    Source: rd_kafka_conf_properties_show. A name that is both a client and a topic property has the client's entry.
    """
    found: dict[str, Property] = {}
    for line in _native.config_properties().splitlines():
        cells = [cell.strip() for cell in line.split(" | ", 5)]
        # librdkafka does not pad names longer than its column, so nothing may be taken from fixed positions
        if len(cells) != 6 or cells[1] not in ("*", "P", "C"):
            continue
        name, clients, allowed, default, importance, description = cells
        type_ = _TYPE.search(description)
        alias = _ALIAS.match(description)
        found.setdefault(
            name,
            Property(
                name=name,
                clients=clients,  # type: ignore[arg-type]  # checked above
                allowed=allowed,
                default=default,
                importance=importance,
                type=type_[1] if type_ else "string",
                alias_of=alias[1] if alias else None,
                description=_TYPE.sub("", description),
            ),
        )
    return MappingProxyType(found)


def find(name: str) -> Property | None:
    """Return the property of that name; librdkafka takes topic properties also with the prefix ``topic.``."""
    table = properties()
    return table.get(name) or table.get(name.removeprefix("topic."))


def is_known(name: str) -> bool:
    """Return True if librdkafka accepts a property of that name."""
    return name in HIDDEN or find(name) is not None
