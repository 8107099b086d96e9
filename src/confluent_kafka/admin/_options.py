# SPDX-License-Identifier: Apache-2.0
"""The keyword arguments of requests: which there are, and what the native core gets for them.

``request_timeout`` is in seconds, how long the client waits for the answer (0 to 3600; ``socket.timeout.ms`` unless
given). ``operation_timeout`` is in seconds, how long the brokers may take to carry the operation out (-0.001 does not
wait for that). ``validate_only`` checks without changing anything. ``include_authorized_operations`` asks what the
client is allowed to do. ``broker`` is the id of the broker to ask. ``require_stable`` fails for partitions with offsets
of an open transaction. ``states`` and ``types`` choose groups, None or an empty set all.
Source: rd_kafka_AdminOptions_set_request_timeout and the functions after it.
"""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any, TypedDict

from .._model import ConsumerGroupState, ConsumerGroupType, IsolationLevel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .._model._ordered_enum import OrderedEnum

_MAX_MS = 3_600_000


class RequestOptions(TypedDict, total=False):
    """Options of every request."""

    request_timeout: float


class OperationOptions(RequestOptions, total=False):
    """Options of requests that brokers take time for."""

    operation_timeout: float


class TopicOptions(OperationOptions, total=False):
    """Options of ``create_topics`` and ``create_partitions``."""

    validate_only: bool


class ConfigOptions(RequestOptions, total=False):
    """Options of ``describe_configs``."""

    broker: int


class AlterConfigOptions(ConfigOptions, total=False):
    """Options of ``incremental_alter_configs`` and ``alter_configs``."""

    validate_only: bool


class DescribeOptions(RequestOptions, total=False):
    """Options of ``describe_topics``, ``describe_cluster`` and ``describe_consumer_groups``."""

    include_authorized_operations: bool


class GroupListOptions(RequestOptions, total=False):
    """Options of ``list_consumer_groups``."""

    states: set[ConsumerGroupState] | None
    types: set[ConsumerGroupType] | None


class GroupOffsetOptions(RequestOptions, total=False):
    """Options of ``list_consumer_group_offsets``."""

    require_stable: bool


class OffsetOptions(RequestOptions, total=False):
    """Options of ``list_offsets``."""

    isolation_level: IsolationLevel


def parse(allowed: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options for the native core: times in milliseconds, enumerations as numbers.

    Args:
        allowed: one of the classes above.

    Raises:
        TypeError: an option that the request does not have, or a value of the wrong type.
        ValueError: a value out of its range.
        OverflowError: a broker id that does not fit into 32 bits.
    """
    names = allowed.__optional_keys__  # type: ignore[attr-defined]  # of a TypedDict
    options = {}
    for name, value in given.items():
        if name not in names:
            raise TypeError(f"'{name}' is an invalid keyword argument for this function")
        taken = _TAKE[name](name, value)
        if taken is not None:
            options[name] = taken
    return options


def _milliseconds(least: int) -> Callable[[str, Any], int]:
    def take(name: str, value: Any) -> int:
        if isinstance(value, str) or (not hasattr(value, "__float__") and not hasattr(value, "__index__")):
            raise TypeError(f"{name}: must be real number, not {type(value).__name__} (seconds)")
        seconds = float(value)
        if not math.isfinite(seconds) or not least <= int(seconds * 1000) <= _MAX_MS:
            raise ValueError(f'Invalid value type for "{name}": expecting integer in range {least}..{_MAX_MS}')
        return int(seconds * 1000)

    return take


def _bool(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"Expected {name} to be bool type, not {type(value).__name__}")
    return value


def _broker(name: str, value: Any) -> int:
    number = operator.index(value)
    if number > 0x7FFFFFFF:
        raise OverflowError("signed integer is greater than maximum")
    if number < 0:
        raise ValueError(f'Invalid value type for "{name}": expecting integer in range 0..2147483647')
    return number


def _isolation_level(name: str, value: Any) -> int:
    if not isinstance(value, IsolationLevel):
        raise TypeError(f"{name} argument should be an IsolationLevel")
    return int(value.value)


def _members(kind: type[OrderedEnum], *refused: OrderedEnum) -> Callable[[str, Any], list[int] | None]:
    def take(name: str, value: Any) -> list[int] | None:
        if value is None:
            return None
        if not isinstance(value, set):
            raise TypeError(f"'{name}' must be a set")
        for member in value:
            if not isinstance(member, kind):
                raise TypeError(f"All elements of {name} must be of type {kind.__name__}")
            if member in refused:
                raise ValueError(f"{member.name} {name.removesuffix('s')} is not allowed")
        return sorted(int(member.value) for member in value) or None

    return take


_TAKE: dict[str, Callable[[str, Any], Any]] = {
    "request_timeout": _milliseconds(0),
    "operation_timeout": _milliseconds(-1),
    "validate_only": _bool,
    "include_authorized_operations": _bool,
    "require_stable": _bool,
    "broker": _broker,
    "isolation_level": _isolation_level,
    "states": _members(ConsumerGroupState),
    "types": _members(ConsumerGroupType, ConsumerGroupType.UNKNOWN),
}
