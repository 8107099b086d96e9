# SPDX-License-Identifier: Apache-2.0
"""The parts of the builders of (de)serializers: what can be set, for synchronous and asyncio ones alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from confluent_kafka.schema_registry._core.models import Schema
    from confluent_kafka.serialization import SerializationContext


class Setup:
    """What every builder has. ``_kind`` is the class of what it makes."""

    _kind: Callable[..., Any]
    _needs_client = True

    def __init__(
        self,
        schema_registry_config: dict[str, Any] | None,
        schema_registry_client: Any,
        conf: dict[str, Any] | None,
        rule_config: dict[str, Any] | None,
        rule_registry: Any,
        init: Callable[[Any], Any] | None,
    ) -> None:
        self._client_conf = schema_registry_config
        self._client = schema_registry_client
        self._conf = conf
        self._rule_conf = rule_config
        self._rule_registry = rule_registry
        self._init = init

    def set_schema_registry_config(self, schema_registry_conf: dict[str, Any]) -> Self:
        """Set the configuration of the registry client."""
        self._client_conf = schema_registry_conf
        return self

    def set_schema_registry_client(self, schema_registry_client: Any) -> Self:
        """Set the registry client."""
        self._client = schema_registry_client
        return self

    def set_rule_config(self, rule_conf: dict[str, Any]) -> Self:
        """Set the configuration of rules."""
        self._rule_conf = rule_conf
        return self

    def set_rule_registry(self, rule_registry: Any) -> Self:
        """Set the registry of rules."""
        self._rule_registry = rule_registry
        return self

    def _construct(self, client: Any) -> Any:
        """Make the (de)serializer. Raises ValueError: it needs a registry client, and there is none."""
        if client is None and self._needs_client:
            raise ValueError("no Schema Registry: call set_schema_registry_client or set_schema_registry_config")
        return self._make(client)

    def _make(self, client: Any) -> Any:
        raise NotImplementedError


class WriterSetup(Setup):
    """What the builders of serializers have."""

    def set_serializer_config(self, serializer_conf: dict[str, Any]) -> Self:
        """Set the configuration of the serializer."""
        self._conf = serializer_conf
        return self

    def set_serializer_init(self, serializer_init: Callable[[Any], Any]) -> Self:
        """Set the function that is called with the serializer when it is made."""
        self._init = serializer_init
        return self


class ReaderSetup(Setup):
    """What the builders of deserializers have."""

    def set_deserializer_config(self, deserializer_conf: dict[str, Any]) -> Self:
        """Set the configuration of the deserializer."""
        self._conf = deserializer_conf
        return self

    def set_deserializer_init(self, deserializer_init: Callable[[Any], Any]) -> Self:
        """Set the function that is called with the deserializer when it is made."""
        self._init = deserializer_init
        return self


class WithSchema:
    """A builder that takes a schema."""

    _schema: str | Schema | None

    def set_schema(self, schema_str: str | Schema) -> Self:
        """Set the schema: what is written with, or what objects are to have."""
        self._schema = schema_str
        return self


class WithModel:
    """A builder that takes a class of the user's."""

    _model: Any = None

    def set_model(self, model: type[Any]) -> Self:
        """Set the class of the objects: a dataclass, attrs, pydantic or msgspec.Struct class."""
        self._model = model
        return self


class WithToDict:
    """A builder that takes a function from objects to what the format writes."""

    _to_dict: Callable[[Any, SerializationContext], Any] | None

    def set_to_dict(self, to_dict: Callable[[Any, SerializationContext], Any]) -> Self:
        """Set the function that makes objects into what the format writes."""
        self._to_dict = to_dict
        return self


class WithFromDict:
    """A builder that takes a function from what the format reads to objects."""

    _from_dict: Callable[[Any, SerializationContext], Any] | None

    def set_from_dict(self, from_dict: Callable[[Any, SerializationContext], Any]) -> Self:
        """Set the function that makes objects of what the format reads."""
        self._from_dict = from_dict
        return self
