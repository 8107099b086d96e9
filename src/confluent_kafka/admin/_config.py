# SPDX-License-Identifier: Apache-2.0
"""Configurations of topics, brokers and groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar

from .._model._ordered_enum import OrderedEnum
from ._ordered import Ordered
from ._resource import ResourceType

if TYPE_CHECKING:
    from ..error import KafkaError


class AlterConfigOpType(OrderedEnum):
    """What an incremental change does; ``APPEND`` and ``SUBTRACT`` are for lists. Source: KIP-339."""

    SET = 0
    DELETE = 1
    APPEND = 2
    SUBTRACT = 3


class ConfigSource(IntEnum):
    """Where a value comes from. Source: rd_kafka_ConfigSource_t."""

    UNKNOWN_CONFIG = 0
    DYNAMIC_TOPIC_CONFIG = 1
    DYNAMIC_BROKER_CONFIG = 2
    DYNAMIC_DEFAULT_BROKER_CONFIG = 3
    STATIC_BROKER_CONFIG = 4
    DEFAULT_CONFIG = 5
    GROUP_CONFIG = 8

    # The same text in every Python version, that of the number which existing code expects in results.
    __str__ = int.__repr__


@dataclass(repr=False)
class ConfigEntry:
    """One property of a resource.

    Args:
        name: of the property.
        value: as text; None where the broker does not tell it (sensitive properties), and to delete it.
        source: where the value comes from; in results a ``ConfigSource``, or an int for one that it does not have.
        is_read_only: it cannot be altered.
        is_default: it has its default value.
        is_sensitive: a secret.
        is_synonym: the entry stands among the synonyms of another one.
        synonyms: by name, what the value would be taken from, the entry's own property included.
        incremental_operation: what ``incremental_alter_configs`` does with the entry.
    """

    name: str
    value: str | None
    source: ConfigSource | int = ConfigSource.UNKNOWN_CONFIG
    is_read_only: bool = False
    is_default: bool = False
    is_sensitive: bool = False
    is_synonym: bool = False
    synonyms: dict[str, ConfigEntry] = field(default_factory=dict)
    incremental_operation: AlterConfigOpType | None = None

    def __repr__(self) -> str:
        return f"ConfigEntry({self})"

    def __str__(self) -> str:
        return f'{self.name}="{self.value}"'

    def __hash__(self) -> int:
        return hash(self.name)


class ConfigResource(Ordered):
    """A resource with properties. Compares, orders and hashes by type and name.

    ``len()`` is the number of ``set_config`` entries, so that one without any is false.

    Args:
        restype: a ``ResourceType``, its name in any case, or its number.
        name: of the topic or group; the id of the broker.
        set_config: properties for ``alter_configs``.
        described_configs, error: of a result; attributes ``configs`` and ``error``.
        incremental_configs: entries for ``incremental_alter_configs``, each with its ``incremental_operation``.

    Raises:
        ValueError: no such resource type; the name is None.
        TypeError: the resource type is of another type.
    """

    Type: ClassVar[type[ResourceType]] = ResourceType

    def __init__(
        self,
        restype: ResourceType | str | int,
        name: str,
        set_config: Mapping[str, Any] | None = None,
        described_configs: dict[str, ConfigEntry] | None = None,
        error: KafkaError | None = None,
        incremental_configs: Iterable[ConfigEntry] | None = None,
    ) -> None:
        if name is None:
            raise ValueError("Expected resource name to be a string")
        self.restype = _resource_type(restype)
        self.restype_int: int = self.restype.value
        self.name = name
        # A copy: set_config() must not change the caller's dict.
        self.set_config_dict: dict[str, Any] = {} if set_config is None else dict(set_config)
        self.incremental_configs: list[ConfigEntry] = [] if incremental_configs is None else list(incremental_configs)
        self.configs = described_configs
        self.error = error

    def set_config(self, name: str, value: Any, overwrite: bool = True) -> None:
        """Set one property for ``alter_configs``, which resets all that are not set.

        Args:
            overwrite: False leaves a property that is set already as it is.
        """
        if overwrite or name not in self.set_config_dict:
            self.set_config_dict[name] = value

    def add_incremental_config(self, config_entry: ConfigEntry) -> None:
        """Add one change for ``incremental_alter_configs``."""
        self.incremental_configs.append(config_entry)

    def __len__(self) -> int:
        return len(self.set_config_dict)

    def __repr__(self) -> str:
        return f"ConfigResource({self.restype},{self.name})"

    def _order(self) -> tuple[int, str]:
        # str: a broker may be named by its id as a number
        return self.restype_int, str(self.name)


def _resource_type(value: Any) -> ResourceType:
    if isinstance(value, ResourceType):
        return value
    if isinstance(value, str):
        member = ResourceType.__members__.get(value.upper())
        if member is None:
            raise ValueError(f'Unknown resource type "{value}": should be a ConfigResource.Type')
        return member
    if isinstance(value, int):
        return ResourceType(value)
    raise TypeError(f"Expected restype as a ResourceType, its name or its number, not {type(value).__name__}")
