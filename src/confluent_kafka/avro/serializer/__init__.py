# SPDX-License-Identifier: Apache-2.0
"""What the deprecated serializer raises."""

from __future__ import annotations

from confluent_kafka.error import Error


class SerializerError(Error):
    """A message could not be written or read."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __repr__(self) -> str:
        return f"{type(self).__name__}(error={self.message})"

    def __str__(self) -> str:
        return self.message


class KeySerializerError(SerializerError):
    """A key could not be written."""


class ValueSerializerError(SerializerError):
    """A value could not be written."""
