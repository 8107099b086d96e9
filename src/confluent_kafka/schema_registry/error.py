# SPDX-License-Identifier: Apache-2.0
"""What the Schema Registry, and what talks to it, raises.

::

    confluent_kafka.error.Error
    ├ SchemaRegistryError    the registry answered with an error
    ├ OAuthTokenError        no token for the registry could be had
    └ KafkaException
      └ SerializationError
        └ SchemaMismatchError    an object is not what its schema says; also a TypeError and a ValueError

``SchemaParseException`` and ``UnknownType`` are those of ``fastavro``, for a schema that is no valid Avro schema.
"""

from __future__ import annotations

from typing import Any

from confluent_kafka.error import Error, SerializationError

__all__ = ["OAuthTokenError", "SchemaMismatchError", "SchemaParseException", "SchemaRegistryError", "UnknownType"]  # noqa: F822  # __getattr__


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
