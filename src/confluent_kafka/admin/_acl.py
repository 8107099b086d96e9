# SPDX-License-Identifier: Apache-2.0
"""Access control lists."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from .._model._ordered_enum import OrderedEnum
from ._convert import to_member
from ._ordered import Ordered
from ._resource import ResourcePatternType, ResourceType


class AclOperation(OrderedEnum):
    """What is allowed or denied. Source: rd_kafka_AclOperation_t."""

    UNKNOWN = 0
    ANY = 1
    ALL = 2
    READ = 3
    WRITE = 4
    CREATE = 5
    DELETE = 6
    ALTER = 7
    DESCRIBE = 8
    CLUSTER_ACTION = 9
    DESCRIBE_CONFIGS = 10
    ALTER_CONFIGS = 11
    IDEMPOTENT_WRITE = 12


class AclPermissionType(OrderedEnum):
    """Whether the operation is allowed or denied. Source: rd_kafka_AclPermissionType_t."""

    UNKNOWN = 0
    ANY = 1
    DENY = 2
    ALLOW = 3


_ENUMS: dict[str, type[Enum]] = {
    "restype": ResourceType,
    "resource_pattern_type": ResourcePatternType,
    "operation": AclOperation,
    "permission_type": AclPermissionType,
}
_TEXTS = ("name", "principal", "host")
_FIELDS = ("restype", "name", "resource_pattern_type", "principal", "host", "operation", "permission_type")


@dataclass(eq=False, repr=False)
class AclBinding(Ordered):
    """One rule of an access control list. Compares, orders and hashes by content.

    The enumerations are taken as members, names in any case, or numbers; ``*_int`` are the numbers.

    Args:
        restype, name: the resource, as ``ResourceType.TOPIC`` and a topic's name.
        resource_pattern_type: ``LITERAL`` or ``PREFIXED``; the literal name ``*`` is every resource.
        principal: such as ``User:alice``.
        host: an address, or ``*``.
        operation, permission_type: what is allowed or denied.

    Raises:
        ValueError: None, an unknown name or number, or a value that only a filter may have.
        TypeError: an argument of the wrong type.
    """

    restype: ResourceType
    name: str | None
    resource_pattern_type: ResourcePatternType
    principal: str | None
    host: str | None
    operation: AclOperation
    permission_type: AclPermissionType

    _optional: ClassVar[frozenset[str]] = frozenset()
    _forbidden: ClassVar[dict[str, tuple[str, ...]]] = {
        "restype": ("ANY",),
        "resource_pattern_type": ("ANY", "MATCH"),
        "operation": ("ANY",),
        "permission_type": ("ANY",),
    }

    def __post_init__(self) -> None:
        for field in _FIELDS:
            if getattr(self, field) is None and field not in self._optional:
                raise ValueError(f"Expected {field} to be not None")
        for field in _TEXTS:
            value = getattr(self, field)
            if value is not None and not isinstance(value, str):
                raise TypeError(f"Expected {field} to be a string")
        for field, kind in _ENUMS.items():
            member = to_member(kind, getattr(self, field))
            if member.name in self._forbidden[field]:
                raise ValueError(f"Cannot use enum {field}, value {member.name} in this class")
            setattr(self, field, member)

    @property
    def restype_int(self) -> int:
        """The number of ``restype``."""
        return int(self.restype.value)

    @property
    def resource_pattern_type_int(self) -> int:
        """The number of ``resource_pattern_type``."""
        return int(self.resource_pattern_type.value)

    @property
    def operation_int(self) -> int:
        """The number of ``operation``."""
        return int(self.operation.value)

    @property
    def permission_type_int(self) -> int:
        """The number of ``permission_type``."""
        return int(self.permission_type.value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({','.join(str(value) for value in self._fields())})"

    def _fields(self) -> tuple[Any, ...]:
        return tuple(getattr(self, field) for field in _FIELDS)

    def _order(self) -> tuple[Any, ...]:
        plain = (value.value if isinstance(value, Enum) else value for value in self._fields())
        # None, which stands for all in a filter, comes first.
        return tuple((value is not None, value) for value in plain)


@dataclass(eq=False, repr=False)
class AclBindingFilter(AclBinding):
    """Which access control lists a request means: None and ``ANY`` match all, ``MATCH`` all that apply to the name.

    Args:
        name, principal, host: text, or None.

    Raises:
        ValueError: ``UNKNOWN`` for one of the enumerations; otherwise as ``AclBinding``.
    """

    _optional: ClassVar[frozenset[str]] = frozenset(_TEXTS)
    _forbidden: ClassVar[dict[str, tuple[str, ...]]] = dict.fromkeys(_ENUMS, ("UNKNOWN",))
