# SPDX-License-Identifier: Apache-2.0
"""What (de)serializers of all formats are made of and can be told, synchronous and asyncio ones alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.rule_setup import RuleSetup, conf_of
from confluent_kafka.schema_registry._core.subject import SubjectNaming
from confluent_kafka.schema_registry._core.validation import take_validation

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka.schema_registry._core.serializer import DeserializerCore, SerializerCore


class Serde:
    """A (de)serializer with its registry client, which the shells call or await.

    Args:
        client: the registry client; None where the format can do without.
        core: what is done with a message.
        rule_conf, rule_registry: for rules.
    """

    _core: SerializerCore | DeserializerCore

    def __init__(
        self,
        client: Any,
        core: SerializerCore | DeserializerCore,
        rule_conf: dict[str, Any] | None = None,
        rule_registry: Any = None,
    ) -> None:
        self._client = client
        self._core = core
        self._rule_conf = rule_conf
        self._rules = RuleSetup(rule_registry, conf_of(client), rule_conf)
        self._rule_registry = self._rules.registry
        core.use_client(client, self._rules)
        self._owns_client = False
        self._cluster_id: Callable[[], Any] | None = None

    def configure_subject_name_strategy(
        self,
        subject_name_strategy_type: Any = None,
        subject_name_strategy_conf: dict[str, Any] | None = None,
        subject_name_strategy: Callable[..., str | None] | None = None,
    ) -> None:
        """Set the subject name strategy; call it before the first message.

        Args:
            subject_name_strategy_type: TOPIC, RECORD, TOPIC_RECORD or ASSOCIATED (the default).
            subject_name_strategy_conf: for ASSOCIATED.
            subject_name_strategy: a callable ``(context, record name) -> subject``; wins over the type.
        Raises:
            ValueError: not callable, or no such type.
        """
        self._core.rename(SubjectNaming(subject_name_strategy, subject_name_strategy_type, subject_name_strategy_conf))

    def configure_validation_rules(self, conf: dict[str, Any]) -> None:
        """Set whether and how the rules in a schema's text are checked; call it before the first message.

        Args:
            conf: ``validation.rules.execution``, ``validation.rules.fail.fast``, ``validation.rules.executor``, which
                are taken out of it. A deserializer takes them, and checks nothing.
        Raises:
            ValueError: a value is not of the right kind, or CEL, which is the default, is not installed.
        """
        self._core.validate(take_validation(conf))

    def own_schema_registry_client(self) -> None:
        """Close the registry client with this object."""
        self._owns_client = True
