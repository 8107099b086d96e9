# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a schema, or between two."""

from __future__ import annotations

from typing import NamedTuple


class InvalidSchema(ValueError):
    """A text is no schema of its type; says why."""


class Problem(NamedTuple):
    """Why what one schema writes cannot be read with another.

    Attributes:
        kind: a word for it, such as TYPE_MISMATCH.
        path: where, a JSON pointer into the schema that reads.
        text: what is wrong.
    """

    kind: str
    path: str
    text: str
