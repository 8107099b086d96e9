# SPDX-License-Identifier: Apache-2.0
"""Names of subjects: ``orders-value`` in the default context, ``:.staging:orders-value`` in another one."""

from __future__ import annotations

from typing import NamedTuple

from confluent_kafka.schema_registry._core.registry import failures

DEFAULT_CONTEXT = "."
EVERY_CONTEXT = ":*:"
_RESERVED = ("__GLOBAL", "__EMPTY")


class SubjectName(NamedTuple):
    """A subject with the context it lives in; the subject is empty where a whole context is meant."""

    context: str
    subject: str

    @classmethod
    def parse(cls, text: str | None) -> SubjectName:
        """Read ``subject`` or ``:.context:subject``."""
        text = text or ""
        if text.startswith(":"):
            context, separator, subject = text[1:].partition(":")
            if separator:
                return cls(context or DEFAULT_CONTEXT, subject)
        return cls(DEFAULT_CONTEXT, text)

    @classmethod
    def checked(cls, text: str) -> SubjectName:
        """Read the name of one subject. Raises: SchemaRegistryError 42208: it cannot be one."""
        name = cls.parse(text)
        if not name.subject or name.subject in _RESERVED or any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text):
            raise failures.invalid_subject(text)
        return name

    def __str__(self) -> str:
        return self.subject if self.context == DEFAULT_CONTEXT else f":{self.context}:{self.subject}"

    def near(self, other: str | None) -> SubjectName:
        """Read a name that a schema of this subject refers to: without a context, it is in the same one."""
        name = SubjectName.parse(other)
        return name if (other or "").startswith(":") else SubjectName(self.context, name.subject)

    @property
    def whole_context(self) -> SubjectName:
        return SubjectName(self.context, "")


def has_prefix(name: SubjectName, prefix: str | None) -> bool:
    """Whether a subject is among those that ``subjectPrefix`` asks for; None and ``:*:`` ask for all contexts."""
    if prefix is None or prefix == "" or prefix == EVERY_CONTEXT:
        return True
    if prefix.startswith(EVERY_CONTEXT):
        return name.subject.startswith(prefix[len(EVERY_CONTEXT) :])
    wanted = SubjectName.parse(prefix)
    return name.context == wanted.context and name.subject.startswith(wanted.subject)
