# SPDX-License-Identifier: Apache-2.0
"""What the Schema Registry, and what talks to it, raises.

::

    confluent_kafka.error.Error
    ├ SchemaRegistryError    the registry answered with an error
    ├ OAuthTokenError        no token for the registry could be had
    ├ RuleError                a rule of a data contract could not be kept
    │ ├ RuleConditionError     a message does not meet a condition
    │ └ EncryptionError        a value could not be encrypted or decrypted: kek, subject, version
    │   ├ KekNotFoundError     no such key encryption key in the registry
    │   ├ DekNotFoundError     no such data key in the registry
    │   ├ KmsError             the key management system did not answer, or refused
    │   └ DecryptionError      another key encrypted the data, or it was changed
    └ KafkaException
      └ SerializationError
        ├ SchemaMismatchError    an object is not what its schema says; also a TypeError and a ValueError
        └ RulesNotEnforcedError  nothing is written, since the contract would not be kept; also a RuleError

``SchemaParseException`` and ``UnknownType`` are those of ``fastavro``, for a schema that is no valid Avro schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.error import Error, SerializationError

if TYPE_CHECKING:
    from confluent_kafka.schema_registry._core.models import Rule

__all__ = [
    "DecryptionError",
    "DekNotFoundError",
    "EncryptionError",
    "KekNotFoundError",
    "KmsError",
    "OAuthTokenError",
    "RuleConditionError",
    "RuleError",
    "RulesNotEnforcedError",
    "SchemaMismatchError",
    "SchemaParseException",  # noqa: F822  # by __getattr__
    "SchemaRegistryError",
    "UnknownType",  # noqa: F822  # by __getattr__
]


class SchemaRegistryError(Error):
    """The registry answered with an error.

    Args:
        http_status_code: status of the HTTP answer.
        error_code: the registry's own code, such as 40401 for an unknown subject; ``UNKNOWN`` when it gave none.
        error_message: the registry's text.
        method, url: the request, when it is known.
    """

    UNKNOWN = -1

    def __init__(
        self,
        http_status_code: int,
        error_code: int,
        error_message: str,
        *,
        method: str | None = None,
        url: str | None = None,
    ) -> None:
        # args hold the arguments, so that pickling and copying work
        super().__init__(http_status_code, error_code, error_message)
        self.http_status_code = http_status_code
        self.error_code = error_code
        self.error_message = error_message
        self.method = method
        self.url = url

    def __str__(self) -> str:
        return f"{self.error_message} (HTTP status code {self.http_status_code}, SR code {self.error_code})"

    def __repr__(self) -> str:
        return str(self)


class OAuthTokenError(Error):
    """No OAuth token could be had.

    Args:
        message: what went wrong.
        status_code: status of the token endpoint's answer, if there was one.
        response_text: text of that answer.
    """

    def __init__(self, message: str, status_code: int | None = None, response_text: str | None = None) -> None:
        super().__init__(message, status_code, response_text)
        self.message = message
        self.status_code = status_code
        self.response_text = response_text

    def __str__(self) -> str:
        status = "" if self.status_code is None else f" (HTTP {self.status_code})"
        return f"{self.message}{status}" + ("" if self.response_text is None else f": {self.response_text}")


class SchemaMismatchError(SerializationError, TypeError, ValueError):
    """An object is not what its schema says: ``orders-value v3: field "lines[2].price": expected decimal, got str``.

    Also a ``TypeError`` and a ``ValueError``, which is what code that serializes has always had to expect.

    Args:
        reason: what is wrong, without the field, for example ``expected decimal, got str``.
        path: the field, for example ``lines[2].price``; empty for the object itself.
        where: subject and version, for example ``orders-value v3``.
    """

    def __init__(self, reason: str, path: str = "", where: str | None = None) -> None:
        super().__init__(reason, path, where)
        self.reason = reason
        self.path = path
        self.where = where

    def __str__(self) -> str:
        field = f'field "{self.path}": ' if self.path else ""
        return f"{'' if self.where is None else f'{self.where}: '}{field}{self.reason}"


class RuleError(Error):
    """A rule of a data contract could not be kept."""


class RuleConditionError(RuleError):
    """A message does not meet a condition.

    Args:
        rule: the condition.
    """

    def __init__(self, rule: Rule) -> None:
        super().__init__(rule)
        self.rule = rule

    def __str__(self) -> str:
        return self.error_message(self.rule)

    @staticmethod
    def error_message(rule: Rule) -> str:
        """Return what is said about a message that does not meet the condition: the rule's documentation, if any."""
        if rule.doc:
            return rule.doc
        return f"Rule expr failed: {rule.expr}" if rule.expr else f"Rule failed: {rule.name}"


class EncryptionError(RuleError):
    """A value could not be encrypted or decrypted. Nothing was written, and the text quotes neither keys nor values.

    Args:
        reason: what went wrong, and what to try.
        kek: name of the key encryption key.
        subject: subject of the data key.
        version: version of the data key; None when there is none yet.
    """

    def __init__(
        self, reason: str, kek: str | None = None, subject: str | None = None, version: int | None = None
    ) -> None:
        super().__init__(reason, kek, subject, version)
        self.reason = reason
        self.kek = kek
        self.subject = subject
        self.version = version

    def __str__(self) -> str:
        parts = (("kek", self.kek), ("subject", self.subject), ("dek version", self.version))
        where = ", ".join(f"{name} {value}" for name, value in parts if value is not None)
        return f"{self.reason} ({where})" if where else self.reason


class KekNotFoundError(EncryptionError):
    """The registry has no key encryption key of this name."""


class DekNotFoundError(EncryptionError):
    """The registry has no such data key."""


class KmsError(EncryptionError):
    """The key management system could not be reached, or refused to wrap or unwrap a data key.

    ``__cause__`` is the error of its SDK; a RuleError with its words where that one quotes credentials.
    """


class DecryptionError(EncryptionError):
    """The data was encrypted by another key, or changed since."""


class RulesNotEnforcedError(RuleError, SerializationError):
    """Nothing was written, since the schema's data contract would not have been kept.

    Either the registry does not have the rules (or the metadata) that the application's schema has, or a rule cannot
    run here.
    """


def __getattr__(name: str) -> Any:
    if name in ("SchemaParseException", "UnknownType"):
        # on first use: fastavro comes with the extra "avro" only
        try:
            import fastavro.schema
        except ImportError as e:
            raise AttributeError(
                f'module {__name__!r} has {name!r} only with fastavro: pip install "ferrokafka[avro]"'
            ) from e
        return getattr(fastavro.schema, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
