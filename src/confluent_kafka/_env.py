# SPDX-License-Identifier: Apache-2.0
"""Client configuration from environment variables."""

from __future__ import annotations

import os
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

from ._config_hints import ELSEWHERE
from ._property_table import HIDDEN, find, properties

if TYPE_CHECKING:
    from collections.abc import Mapping

# A variable whose name differs from a property's by this many letters is a slip of the pen. Broker settings and Kafka's
# own script variables (KAFKA_HEAP_OPTS, KAFKA_TRANSACTION_MAX_TIMEOUT_MS, ...) are further away.
_SLIP = 2
_BOOLS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def config_from_env(
    prefix: str = "KAFKA_", environ: Mapping[str, str] | None = None, **explicit: Any
) -> dict[str, Any]:
    """Read a client's configuration from environment variables.

    A property's variable is the prefix and its name in capitals, with underscores for dots: ``KAFKA_BOOTSTRAP_SERVERS``
    is ``bootstrap.servers``, ``KAFKA_SASL_OAUTHBEARER_CLIENT_ID`` is ``sasl.oauthbearer.client.id``. Every property of
    librdkafka that has a text form can be given. Empty variables count as not set; variables with the prefix that name
    no property (``KAFKA_HOME``, ``KAFKA_OPTS``, settings of a broker) are ignored.

    >>> config_from_env("KAFKA_", {"KAFKA_BOOTSTRAP_SERVERS": "broker:9092", "KAFKA_HOME": "/opt"}, group_id="readers")
    {'bootstrap.servers': 'broker:9092', 'group.id': 'readers'}

    Args:
        prefix: what the variables' names start with.
        environ: variables by name; ``os.environ`` if None.
        **explicit: properties that win over the environment, also where the two name one property by different
            aliases; underscores may stand for dots. None removes what the environment says. Other keys of a client's
            configuration, such as callbacks, pass through.

    Returns: a new dict for a client's constructor, the environment's properties in the order of their names.

    Raises:
        ValueError: ``<prefix>DELIVERY_REPORT_ONLY_ERROR`` is neither true nor false.

    Warns:
        UserWarning: a variable is so near to a property's that it was meant for it, or is a TLS or SASL setting of the
            Java client, which has another name here. It is ignored; its value is not shown.
    """
    variables = os.environ if environ is None else environ
    names = _names()
    conf: dict[str, Any] = {}
    for variable in sorted(name for name in variables if name.startswith(prefix)):
        value = variables[variable]
        if not value:
            continue
        suffix = variable[len(prefix) :]
        name = names.get(suffix)
        if name is not None:
            conf[name] = _bool(variable, value) if name == "delivery.report.only.error" else value
        elif (advice := _advice(prefix, suffix)) is not None:
            warnings.warn(f"environment variable {variable} is ignored: {advice}", UserWarning, stacklevel=2)
    for key, value in explicit.items():
        name = key if find(key) else names.get(key.upper(), key)
        root = _root(name)
        for other in [known for known in conf if _root(known) == root]:
            del conf[other]
        if value is not None:
            conf[name] = value
    return conf


def _variable(name: str) -> str:
    return name.upper().replace(".", "_")


@cache
def _names() -> dict[str, str]:
    """Return property names by the names of their variables, without prefix."""
    settable = [name for name, entry in properties().items() if entry.settable]
    return {_variable(name): name for name in (*HIDDEN, *settable)}


def _root(name: str) -> str:
    known = find(name)
    return name if known is None else known.alias_of or known.name


def _bool(variable: str, value: str) -> bool:
    try:
        return _BOOLS[value.strip().lower()]
    except KeyError:
        raise ValueError(f"environment variable {variable} must be true or false") from None


def _advice(prefix: str, suffix: str) -> str | None:
    for name, advice in ELSEWHERE.items():
        if name.startswith(("ssl.", "sasl.")) and _variable(name) == suffix:
            return f"librdkafka has no property `{name}`; {advice}"
    upper = suffix.upper()
    near = [(_distance(upper, known, _SLIP), known) for known in _names() if len(known) > 2 * _SLIP]
    distance, known = min(near, default=(_SLIP + 1, ""))
    return f"no property has that name; did you mean {prefix}{known}?" if distance <= _SLIP else None


def _distance(a: str, b: str, most: int) -> int:
    """Return how many letters must be put in, left out or replaced to make ``b`` of ``a``; ``most + 1`` if more."""
    if abs(len(a) - len(b)) > most:
        return most + 1
    previous = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        row = [i]
        for j, other in enumerate(b, 1):
            row.append(min(previous[j] + 1, row[-1] + 1, previous[j - 1] + (letter != other)))
        if min(row) > most:
            return most + 1
        previous = row
    return previous[-1]
